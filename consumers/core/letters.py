"""What becomes of a dead letter about an action: it belongs to the policy rule's owner, and every action has its own."""

from typing import Final

from consumers.core.plan import Planned
from schemas.errors import PoisonMessage
from schemas.events import deterministic_id, event_id
from schemas.records import ActionEvent, DeadLetterEvent

ABANDONED: Final = "abandoned"
"""The reason of letters about actions."""


def abandonment(planned: Planned, reason: str) -> PoisonMessage:
    """The failure of an action that was given up, as a sentence with a remedy."""
    alert = planned.alert["current"]
    return PoisonMessage(
        f"action {planned.rule}/{planned.target.label} about {alert['rule']} of {planned.alert['meta']['subject']} was given up: {reason}",
        remedy="mend the target, then retry the letter; or carry the action out by hand and say so (`burnline override`), then discard it",
        reason=ABANDONED,
    )


def doubt(planned: Planned, reason: str) -> PoisonMessage:
    """An action of which nobody knows whether it was done, at a target that would do it twice."""
    alert = planned.alert["current"]
    return PoisonMessage(
        f"action {planned.rule}/{planned.target.label} about {alert['rule']} of {planned.alert['meta']['subject']} may have been done: {reason}",
        remedy=f"look at {planned.target.endpoint}: do it by hand where it did not arrive (`burnline override`), then discard the letter",
        reason=ABANDONED,
    )


def owned(letter: DeadLetterEvent, planned: Planned, attempts: int) -> DeadLetterEvent:
    """The letter of an alert as the letter of one action about it: same record, own id, owner and number of attempts."""
    alert = planned.alert["current"]
    return {
        "meta": {
            **letter["meta"],
            "event_id": _own_id(letter["meta"]["event_id"], planned.action_id),
            "correlation_id": planned.alert["meta"]["correlation_id"],
            "causation_id": planned.alert["meta"]["event_id"],
            "company_id": planned.alert["meta"]["company_id"],
        },
        "current": {
            **letter["current"],
            "owner": planned.owner,
            "business_process": alert["business_process"],
            "runbook": alert["runbook"],
            "attempts": attempts,
            "action_id": planned.action_id,
        },
    }


def is_about(letter: DeadLetterEvent, action: ActionEvent) -> bool:
    """Whether a letter is that of an action. One of an older release does not name it, and is known by its id, which is made from the action's."""
    action_id, named, meta = action["current"]["action_id"], letter["current"]["action_id"], letter["meta"]
    if named is not None:
        return named == action_id
    of_the_alert = event_id(meta["source"], meta["subject"], meta["version"], meta["event_type"])
    return meta["event_id"] == _own_id(of_the_alert, action_id)


def _own_id(letter_id: str, action_id: str) -> str:
    return deterministic_id(letter_id, action_id)
