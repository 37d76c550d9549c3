"""What each event type says, in a sentence: part of the contract, and shown wherever the type is.

A type that stands in the registry and that nothing publishes yet begins with `Reserved:`.
"""

from __future__ import annotations

from schemas.errors import Fatal
from schemas.topics import Topic

COMMON = {
    "changed": "Something changed that no other type of this topic names.",
    "deleted": "It is gone from its source: `current` is null, `previous` is the state last published.",
    "measured": "The measure of the subject as it is now; it replaces the one before.",
}
"""Verbs that say the same on every topic, unless the topic says otherwise below."""

MEANINGS: dict[str, dict[str, str]] = {
    "people.consultant.v1": {
        "registered": "An active employee, seen for the first time.",
        "archived": "No longer active, or first seen so.",
    },
    "people.absence.v1": {
        "requested": "A leave was asked for, and nobody has decided.",
        "approved": "A leave was approved, or a public holiday entered: only these reduce what is available.",
        "refused": "The request was refused.",
        "cancelled": "The leave was cancelled.",
    },
    "people.skill.v1": {
        "certified": "A person holds a skill or a certification: first seen, or valid again.",
        "expired": "Its last day has passed.",
        "withdrawn": "It was deleted: `current` is null, `previous` is the state last published.",
    },
    "sales.client.v1": {
        "onboarded": "A company, or a person who became a customer, seen for the first time.",
        "archived": "No longer active, or first seen so.",
    },
    "sales.opportunity.v1": {
        "opened": "A sale that may come, first seen or open again.",
        "won": "It was won.",
        "lost": "It was lost.",
    },
    "sales.contract.v1": {
        "quoted": "An offer was made.",
        "signed": "The client signed it.",
        "confirmed": "It was confirmed: an order.",
        "amended": "What was agreed changed after the confirmation.",
        "cancelled": "It was cancelled.",
    },
    "delivery.project.v1": {
        "created": "An open project, seen for the first time.",
        "activated": "A closed project is open again.",
        "closed": "It was archived or its status is done, or it was first seen so.",
    },
    "delivery.task.v1": {
        "created": "A task of a project that is still to be done, seen for the first time.",
        "completed": "It is done, or was first seen so.",
        "cancelled": "It will not be done, or was first seen so.",
        "reopened": "It is to be done after all.",
        "deleted": "It is gone, or belongs to no project any more: `current` is null, `previous` is the state last published.",
    },
    "delivery.assignment.v1": {
        "assigned": "A person was put on a task.",
        "unassigned": "The person was taken off it, or the task is gone: `current` is null.",
    },
    "delivery.timesheet.v1": {
        "logged": "A line was entered and not handed in.",
        "submitted": "It was handed in for approval.",
        "approved": "It became approved by the firm's rule, or was first seen so.",
        "corrected": "Anything else about it changed; an approved line that is corrected stays approved.",
        "reopened": "Its approval was taken back.",
        "invoiced": "It was billed: `invoice_id` is set.",
        "deleted": "The line is gone, or lost its project: `current` is null, `previous` is the state last published.",
    },
    "delivery.milestone.v1": {
        "planned": "A milestone that is not reached, seen for the first time.",
        "reached": "It was reached, or first seen so.",
        "approved": "Reserved: a client accepted what was reached.",
        "reopened": "It is not reached after all.",
    },
    "delivery.change-request.v1": {
        "raised": "Somebody asks for a change of what was agreed.",
        "approved": "The change was agreed.",
        "rejected": "The change was refused.",
        "withdrawn": "Nobody asks for it any more.",
    },
    "finance.expense.v1": {
        "drafted": "It was entered and not handed in, or taken back to that.",
        "submitted": "It was handed in for approval.",
        "approved": "It was approved: from here on it is cost.",
        "refused": "It was refused.",
        "posted": "It was posted to the books.",
        "paid": "It was paid back, or the payment is on its way.",
    },
    "finance.purchase-order.v1": {
        "requested": "A quotation or a draft, sent or waiting for approval: no commitment yet.",
        "approved": "It was confirmed after it had waited for approval: a commitment.",
        "confirmed": "It was confirmed without an approval: a commitment.",
        "invoiced": "The vendor has billed all of it.",
        "cancelled": "It was cancelled.",
    },
    "finance.receipt.v1": {
        "expected": "Something is expected from a vendor.",
        "received": "It has come.",
        "cancelled": "It is not expected any more.",
    },
    "finance.invoice.v1": {
        "drafted": "A draft was entered, or a document taken back to draft: never final.",
        "posted": "It was posted.",
        "overdue": "Its due date passed while something was unpaid.",
        "partially-paid": "A part of it was paid, or another part.",
        "paid": "Nothing is left to pay; a payment that the bank has not confirmed counts.",
        "reversed": "A credit note took all of it back.",
        "blocked": "Its payment was blocked; many firms treat that as a dispute.",
        "cancelled": "It was cancelled.",
    },
    "finance.payment.v1": {
        "registered": "A payment, seen for the first time, that has not ended.",
        "settled": "It was paid.",
        "rejected": "The bank rejected it.",
        "cancelled": "It was cancelled.",
    },
    "finance.dispute.v1": {
        "opened": "A client contests the invoice.",
        "updated": "Its amount, reason or another detail changed, or it now waits for the client.",
        "escalated": "It went to the next level.",
        "resolved": "It is over: settled, or its cause is gone.",
        "withdrawn": "It was taken back, or the invoice was cancelled or taken back to draft.",
        "reopened": "It had ended and is open again.",
    },
    "ops.clock.v1": {
        "ticked": "The clock reached this instant. Every partition gets every tick.",
    },
    "governance.alert.v1": {
        "raised": "A line was crossed; it is not raised again until it was cleared.",
        "changed": "It is still in force, with another severity, owner or threshold, or about something else. A value that moves is no change.",
        "cleared": "The measure came back, beyond the hysteresis.",
    },
    "governance.action.v1": {
        "requested": "The policy asks for an action about an alert.",
        "attempted": "An attempt begins; `detail` says why the one before it failed.",
        "succeeded": "The target did it; `reference` is the effect's id there, where there is one.",
        "failed": "An attempt failed; `due_at` says when the next may be made, and where there is none, `abandoned` follows.",
        "abandoned": "It was given up, and a dead letter tells its owner.",
        "uncertain": "It may have been done, and asking the target again might do it twice: a dead letter asks its owner to look.",
        "suppressed": "Nothing is sent: the alert is too old, since a replay brought it back or nobody was there to act.",
        "override-requested": "A person decided otherwise, and the policy asks for a second: nothing has changed yet. Its key is `burnline:override-request:<id>`.",
        "overridden": "A person decided otherwise, with a reason: it ends here, or what it is about is in hand. Its key is `burnline:override:<id>`.",
    },
    "governance.duty.v1": {
        "assigned": "The owner is asked: now, or once quiet hours, a snooze or the time of a group are over.",
        "escalated": "Who was asked missed the service level; the next in the chain is asked.",
        "closed": "What it was about has cleared: nobody is asked any more.",
    },
    "governance.freeze.v1": {
        "frozen": "The step must not be done about the entity until it is released.",
        "released": "The step may be done again, as far as this freeze is concerned.",
    },
    "governance.proposal.v1": {
        "proposed": "A hint for a person; nothing acts upon it.",
    },
    "governance.approval.v1": {
        "requested": "Somebody asks for a decision.",
        "approved": "It was approved.",
        "rejected": "It was rejected.",
        "delegated": "Somebody else is asked now.",
        "expired": "Its deadline passed without a decision.",
        "cancelled": "It was called off.",
    },
    "governance.trail.v1": {
        "entered": "Something happened that somebody may have to answer for.",
    },
    "ops.dead-letter.v1": {
        "parked": "A record could not be handled and waits here for its owner.",
        "retried": "Somebody sent the record back to where it failed.",
        "discarded": "Somebody decided that nothing is left to do about it.",
    },
    "ops.webhook.v1": {
        "received": "A delivery came in and was accepted.",
    },
}


def meaning(topic: Topic, verb: str) -> str:
    """What an event type says. Raises `Fatal` for one that nobody described."""
    found = MEANINGS.get(topic.name, {}).get(verb) or COMMON.get(verb)
    if found is None:
        raise Fatal(
            f"nobody wrote down what {topic.event_type(verb)} says",
            remedy="add it to MEANINGS in schemas/event_types.py",
        )
    return found
