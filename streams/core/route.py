"""Which event means what to which processor.

Rules
- An event becomes one entry for each subject it counts for, and a tombstone of the same version for each subject it counted for
  before and no longer does. So a record that moved leaves nothing behind, in whatever order its versions come.
- What never counted and does not count now means nothing.
- Events come in wire form (`codec.decode_wire`): days, microseconds, decimals as unscaled bytes.
- What a schema allows and no calendar, counter or key can be is refused here, before a state knows of it.

Invariant: pure; the same event always gives the same contributions, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any

from schemas.errors import Fatal, PoisonMessage
from schemas.topics import PROCESSORS
from streams.core import kinds
from streams.core.contract import EVERYBODY, Contribution
from streams.core.contracts import line_worth
from streams.core.days import WEEK, is_moment, local_day
from streams.core.monitors.data_quality import is_flawed
from streams.core.monitors.facts import PART, contribution
from streams.core.monitors.table import READERS
from streams.core.ratios import half_even
from streams.core.timeline import CLOSED

UTILIZATION, BUDGET_BURN, DISPUTE_AGING, CLIENT_EXPOSURE, MONITORS = PROCESSORS
_EMPLOYEE, _PROJECT, _INVOICE, _CLIENT = "hr.employee", "project.project", "account.move", "res.partner"
_SPENT = frozenset({"approved", "posted", "paid"})
_BILLION = 10**9
_LONGEST = 1 << 40
"""Minutes: orders beyond two million years are as good as that."""
_MOST_VERSIONS = 1 << 53
"""Versions count changes, or microseconds since 1970 where a sender counts none; measures add them up."""

Fields = dict[str, Any]
Counted = Mapping[str, Fields]
"""The subjects that a state of a record counts for, and what it says to each."""


def route(topic: str, event: Any) -> Iterator[Contribution]:
    """What an event of a source topic means.

    Raises `Fatal` for a topic not in `PROCESSOR_SOURCES`, `PoisonMessage` for content that no processor can use.
    """
    try:
        means = _ROUTES[topic]
    except KeyError:
        raise Fatal(f"no processor reads {topic}", remedy="subscribe to PROCESSOR_SOURCES only") from None
    _refuse_impossible(event["meta"])
    return means(event)


def _watched(topic: str, event: Any) -> Iterator[Contribution]:
    """What an event says to the monitors that read its topic, as facts; and their end where it said so before and no longer does."""
    meta, now, before = event["meta"], event["current"], event["previous"]
    system = _system(meta)
    head = {"record": meta["subject"], **{name: meta[name] for name in ("version", "event_id", "recorded_at")}}
    if topic == "finance.dispute.v1":
        head["record"] = f"{meta['subject']}@{meta['source']}"  # several sources speak of one invoice
    for monitor, reader in READERS[topic]:
        says = {} if now is None else reader(now, system, meta)
        said = {} if before is None else reader(before, system, meta)
        for about, fact in says.items():
            if isinstance(about, tuple):
                part = {**head, "record": f"{head['record']}{PART}{about[1]}"}
                yield contribution(monitor, about[0], fact, part, present=True)
            else:
                yield contribution(monitor, about, fact, head, present=True)
        for about, fact in said.items():
            if about not in says and not isinstance(about, tuple):
                yield contribution(monitor, about, fact, head, present=False)


def _refuse_impossible(meta: Any) -> None:
    """Raises `PoisonMessage` for an event that cannot have been: it would be remembered, and break what is derived from it."""
    subject: str = meta["subject"]
    if ":" not in subject or not subject.isprintable() or not meta["tenant"].isprintable():
        raise _impossible("the subject", "is no key of an entity")
    if not 0 <= meta["version"] < _MOST_VERSIONS:
        raise _impossible("the version", "counts nothing")
    if not (is_moment(meta["occurred_at"]) and is_moment(meta["recorded_at"])):
        raise _impossible("occurred_at or recorded_at", "is beyond every calendar")


def _impossible(what: str, why: str) -> PoisonMessage:
    return PoisonMessage(f"{what} of the event {why}", remedy="find the producer: no source of ours says such a thing")


def _int(unscaled: bytes) -> int:
    return int.from_bytes(unscaled, "big", signed=True)


def _system(meta: Any) -> str:
    """The prefix of Odoo's keys, `odoo:<database>:`. What a webhook says is about the Odoo database of its tenant."""
    subject: str = meta["subject"]
    if subject.startswith("odoo:") and (end := subject.find(":", 5)) > 0:
        return subject[: end + 1]
    return f"odoo:{meta['tenant']}:"


def _timesheet(event: Any) -> Iterator[Contribution]:  # the hot path: written out, without the helpers of the others
    """All lines on a project count in its burn; those of a leave are no work of their consultant's."""
    meta, now, before = event["meta"], event["current"], event["previous"]
    record: str = meta["subject"]
    version, event_id, recorded_at = meta["version"], meta["event_id"], meta["recorded_at"]
    system = _system(meta)
    employee = project = former_employee = former_project = None
    if now is not None:
        project = now["project_id"]
        if project is not None:
            subject = f"{system}project.project:{project}"
            entry = {
                "subject": subject,
                "record": record,
                "version": version,
                "present": True,
                "event_id": event_id,
                "recorded_at": recorded_at,
                "day": now["date"],
                "minutes": now["minutes"],
                "billable": now["billable"],
                "approved": now["approved"],
                "cost": int.from_bytes(now["cost"], "big", signed=True),
                "employee_id": now["employee_id"] or 0,
            }
            yield Contribution(BUDGET_BURN, subject, kinds.TIME, entry)
            if not now["leave"]:
                employee = now["employee_id"]
            if employee is not None:
                subject = f"{system}hr.employee:{employee}"
                yield Contribution(UTILIZATION, subject, kinds.TIME, {**entry, "subject": subject}, twin=True)
    if before is not None:
        former_project = before["project_id"]
        if former_project is not None and not before["leave"]:
            former_employee = before["employee_id"]
    if former_employee is not None and former_employee != employee:
        yield _no_time(UTILIZATION, f"{system}{_EMPLOYEE}:{former_employee}", meta)
    if former_project is not None and former_project != project:
        yield _no_time(BUDGET_BURN, f"{system}{_PROJECT}:{former_project}", meta)
    if (now is not None and _is_watched(now, recorded_at)) or (before is not None and _is_watched(before, recorded_at)):
        yield from _watched("delivery.timesheet.v1", event)


def _is_watched(line: Any, recorded_at: int) -> bool:
    """Whether a line may say something to a monitor: most say nothing, so that this is all they cost."""
    return line["order_line_id"] is not None or is_flawed(line, recorded_at)


def _no_time(processor: str, subject: str, meta: Any) -> Contribution:
    empty: Fields = {"day": 0, "minutes": 0, "billable": False, "approved": False, "cost": 0, "employee_id": 0}
    return _contribution(processor, kinds.TIME, meta, subject, empty, present=False)


def _contribution(
    processor: str, kind: str, meta: Any, subject: str, fields: Fields, *, present: bool, record: str | None = None
) -> Contribution:
    entry = {
        "subject": subject,
        "record": record or meta["subject"],
        "version": meta["version"],
        "present": present,
        "event_id": meta["event_id"],
        "recorded_at": meta["recorded_at"],
        **fields,
    }
    return Contribution(processor, subject, kind, entry)


def _by_difference(
    processor: str, kind: str, counts: Callable[[Any, str], Counted]
) -> Callable[[Any], Iterator[Contribution]]:
    """What the current state counts for, and tombstones for what only the previous one did."""

    def means(event: Any) -> Iterator[Contribution]:
        meta, system = event["meta"], _system(event["meta"])
        now = {} if event["current"] is None else counts(event["current"], system)
        before = {} if event["previous"] is None else counts(event["previous"], system)
        for subject, fields in now.items():
            yield _contribution(processor, kind, meta, subject, fields, present=True)
        for subject, fields in before.items():
            if subject not in now:
                yield _contribution(processor, kind, meta, subject, fields, present=False)

    return means


def _absence(absence: Any, system: str) -> Counted:
    employee = absence["employee_id"]
    if absence["kind"] == "public_holiday":
        subject = EVERYBODY
    elif absence["kind"] == "leave" and employee is not None:
        subject = f"{system}{_EMPLOYEE}:{employee}"
    else:
        return {}
    kept = ("first_day", "last_day", "minutes", "calendar_id", "company_id")
    return {subject: {**{name: absence[name] for name in kept}, "approved": absence["status"] == "approved"}}


def _absences(event: Any) -> Iterator[Contribution]:
    """Absences count for their consultant; public holidays for everybody whose working days are counted."""
    for contribution_ in _by_difference(UTILIZATION, kinds.ABSENCE, _absence)(event):
        yield contribution_
        if contribution_.subject == EVERYBODY:
            for other in (DISPUTE_AGING, MONITORS):
                yield contribution_._replace(processor=other)


def _project(project: Any, system: str) -> Counted:
    kept = ("company_id", "client_id", "manager_id", "currency", "timezone", "budget_minutes", "active")
    cost = project["budget_cost"]
    fields = {"project_id": project["id"], "budget_cost": None if cost is None else _int(cost)}
    return {f"{system}{_PROJECT}:{project['id']}": {**fields, **{name: project[name] for name in kept}}}


def _projects(event: Any) -> Iterator[Contribution]:
    """A project's units hold from the day of the event on."""
    for contribution_ in _by_difference(BUDGET_BURN, kinds.PROJECT, _project)(event):
        entry = contribution_.entry
        entry["from_day"] = local_day(event["meta"]["occurred_at"], entry["timezone"])
        yield contribution_


def _milestone(milestone: Any, system: str) -> Counted:
    share = milestone["share"]
    fields = {"reached": milestone["reached"], "share": None if share is None else _int(share)}
    return {f"{system}{_PROJECT}:{milestone['project_id']}": fields}


def _expense(expense: Any, system: str) -> Counted:
    """Each project's part. Shares of several accounts of one project are added before they are rounded."""
    if expense["status"] not in _SPENT:
        return {}
    shares: dict[int, int] = {}
    for part in expense["distribution"]:
        project = part["project_id"]
        if project is not None:
            shares[project] = shares.get(project, 0) + _int(part["share"])
    amount = _int(expense["amount"])
    return {
        f"{system}{_PROJECT}:{project}": _cost(half_even(amount * share, _BILLION)) for project, share in shares.items()
    }


def _purchase(order: Any, system: str) -> Counted:
    """What is billed is actual; of the rest of a confirmed order is committed what is still to be billed."""
    project = order["project_id"]
    if project is None or order["status"] != "confirmed":
        return {}
    billed = _int(order["billed_amount"])
    open_amount = 0 if order["invoiced"] else max(0, _int(order["company_amount"]) - billed)
    ordered, billed_time = order["ordered_minutes"] or 0, order["billed_minutes"] or 0
    open_time = 0 if order["invoiced"] else min(max(0, ordered - billed_time), _LONGEST)
    return {f"{system}{_PROJECT}:{project}": _cost(billed, open_amount, open_time)}


def _cost(actual: int, committed: int = 0, committed_minutes: int = 0) -> Fields:
    return {"actual": actual, "committed": committed, "committed_minutes": committed_minutes}


def _assignment(assignment: Any, system: str) -> Counted:
    """Who works on which project: what a consultant costs is part of the project's budget."""
    employee = assignment["employee_id"]
    if employee is None or assignment["status"] == "cancelled":
        return {}
    numbers = {"project_id": assignment["project_id"]}
    return {f"{system}{_EMPLOYEE}:{employee}": {"kind": "assignment", "numbers": numbers, "words": {}, "lists": {}}}


def _task(task: Any, system: str) -> Counted:
    """What a task plans of its project, and whether it is done. What was cancelled or put away plans nothing."""
    minutes = task["planned_minutes"]
    if task["status"] == "cancelled" or not task["active"] or minutes is None or minutes <= 0:
        return {}
    numbers = {"minutes": minutes, "done": int(task["status"] == "done")}
    return {f"{system}{_PROJECT}:{task['project_id']}": {"kind": "task", "numbers": numbers, "words": {}, "lists": {}}}


def _bill(bill: Any, system: str) -> Counted:
    """What a vendor's posted bill costs each project, beyond what bills its purchase orders, which tell that themselves."""
    if bill["move_type"] not in {"in_invoice", "in_refund"} or bill["status"] != "posted":
        return {}
    sign = -1 if bill["move_type"] == "in_refund" else 1
    sums: dict[int, int] = {}
    for share in bill["shares"]:
        project, amount = share["project_id"], _int(share["amount"]) - _int(share["ordered_amount"])
        if project is not None and amount:
            sums[project] = sums.get(project, 0) + sign * amount
    return {f"{system}{_PROJECT}:{project}": _cost(amount) for project, amount in sums.items()}


def _revenue(contract: Any, system: str) -> Counted:
    """What a confirmed order is worth to each of its projects, in the company's currency at the order's rate."""
    if contract["status"] != "confirmed":
        return {}
    worth = line_worth(contract)
    return {
        f"{system}{_PROJECT}:{project}": {
            "kind": "revenue",
            "numbers": {} if amount is None else {"amount": amount},
            "words": {} if (currency := contract["company_currency"]) is None else {"currency": currency},
            "lists": {},
        }
        for project, amount in worth.items()
    }


def _client(client: Any, system: str) -> Counted:
    """The tier of a client, which its limit and the service levels of its disputes follow."""
    if client["tier"] is None:
        return {}
    words = {"tier": client["tier"]}
    return {f"{system}{_CLIENT}:{client['id']}": {"kind": "tier", "numbers": {}, "words": words, "lists": {}}}


def _consultant(event: Any) -> Iterator[Contribution]:
    meta, now = event["meta"], event["current"]
    said = event["previous"] if now is None else now
    if said is None:
        return
    if len(said["weekday_minutes"]) != WEEK:
        raise PoisonMessage(
            f"consultant {said['id']} has {len(said['weekday_minutes'])} weekdays in weekday_minutes, not 7",
            remedy="mend the mapping of resource.calendar attendance lines in the capture",
        )
    kept = (
        "company_id",
        "department_id",
        "manager_id",
        "active",
        "employed_from",
        "employed_to",
        "timezone",
        "calendar_id",
    )
    fields = {
        "consultant_id": said["id"],
        "from_day": local_day(meta["occurred_at"], said["timezone"]),
        "weekday_minutes": list(said["weekday_minutes"]),
        "hourly_cost": None if said["hourly_cost"] is None else _int(said["hourly_cost"]),
        "currency": said["currency"],
        **{name: said[name] for name in kept},
    }
    subject = f"{_system(meta)}{_EMPLOYEE}:{said['id']}"
    yield _contribution(UTILIZATION, kinds.CONSULTANT, meta, subject, fields, present=now is not None)


def _invoice(event: Any) -> Iterator[Contribution]:
    meta, now = event["meta"], event["current"]
    said = event["previous"] if now is None else now
    if said is None or said["move_type"] != "out_invoice":
        return
    fields = {
        "invoice_id": said["id"],
        "company_id": said["company_id"],
        "client_id": said["partner_id"],
        "posted": said["status"] == "posted",
        "due_day": said["due_date"],
        "residual": _int(said["residual"]),
        "company_residual": _int(said["company_residual"]),
        "currency": said["currency"],
        "company_currency": said["company_currency"],
        "timezone": said["timezone"],
        "credited": said["payment_status"] == "reversed",
        "from_day": local_day(meta["recorded_at"], said["timezone"]),
    }
    subject = f"{_system(meta)}{_INVOICE}:{said['id']}"
    yield _contribution(DISPUTE_AGING, kinds.INVOICE, meta, subject, fields, present=now is not None)


def _dispute(event: Any) -> Iterator[Contribution]:
    """A helpdesk and Odoo may both speak of one invoice: each source, and each of its records, is kept apart."""
    meta, now, before = event["meta"], event["current"], event["previous"]
    system, record = _system(meta), f"{meta['subject']}#{meta['source']}"
    for said, former in ((now, before), (before, None)):
        if said is None or (said is before and now is not None and now["invoice_id"] == before["invoice_id"]):
            continue
        fields = {
            "invoice_id": said["invoice_id"],
            "status": said["status"],
            "opened_day": said["opened_on"],
            "status_day": _status_day(
                said,
                former,
                local_day(meta["occurred_at"], "UTC"),
                meta["event_type"].rpartition(".")[0].rpartition(".")[2],
            ),
            "closed_day": said["closed_on"],
            "amount": None if said["amount"] is None else _int(said["amount"]),
            "client_id": said["client_id"],
        }
        subject = f"{system}{_INVOICE}:{said['invoice_id']}"
        yield _contribution(DISPUTE_AGING, kinds.DISPUTE, meta, subject, fields, present=said is now, record=record)


def _status_day(said: Any, former: Any, occurred: int, verb: str) -> int:
    """The day a status began: the one the dispute names for opening and closing, else the day of the event.

    A helpdesk's events carry no former state, so that only the verb tells an opening from a return to open.
    """
    day: int = occurred
    if said["status"] in CLOSED:
        if said["closed_on"] is not None:
            day = said["closed_on"]
    elif former is None:
        opens = verb == "opened" and said["status"] == "open"
        day = said["opened_on"] if opens else max(said["opened_on"], occurred)
    elif former["status"] in CLOSED and former["closed_on"] is not None and said["opened_on"] > former["closed_on"]:
        day = said["opened_on"]
    return day


def _tick(event: Any) -> Iterator[Contribution]:
    entry = {"at": event["current"]["at"]}
    if not is_moment(entry["at"]):
        raise _impossible("the instant", "is beyond every calendar")
    for processor in PROCESSORS:
        yield Contribution(processor, EVERYBODY, kinds.TICK, entry)


def _with_monitors(
    topic: str, means: Callable[[Any], Iterator[Contribution]] | None
) -> Callable[[Any], Iterator[Contribution]]:
    """What an event means to the measures, and what it says to the monitors that read its topic."""
    if means is None:
        return partial(_watched, topic)
    return lambda event: chain(means(event), _watched(topic, event))


_bills = _by_difference(BUDGET_BURN, kinds.COST, _bill)
_MEASURED: dict[str, Callable[[Any], Iterator[Contribution]]] = {
    "people.consultant.v1": _consultant,
    "people.absence.v1": _absences,
    "delivery.project.v1": _projects,
    "delivery.assignment.v1": _by_difference(UTILIZATION, kinds.FACT, _assignment),
    "delivery.task.v1": _by_difference(BUDGET_BURN, kinds.FACT, _task),
    "sales.client.v1": _by_difference(CLIENT_EXPOSURE, kinds.FACT, _client),
    "sales.contract.v1": _by_difference(BUDGET_BURN, kinds.FACT, _revenue),
    "delivery.timesheet.v1": _timesheet,
    "delivery.milestone.v1": _by_difference(BUDGET_BURN, kinds.MILESTONE, _milestone),
    "finance.expense.v1": _by_difference(BUDGET_BURN, kinds.COST, _expense),
    "finance.purchase-order.v1": _by_difference(BUDGET_BURN, kinds.COST, _purchase),
    "finance.invoice.v1": lambda event: chain(_invoice(event), _bills(event)),
    "finance.dispute.v1": _dispute,
    "ops.clock.v1": _tick,
}

_ROUTES = {
    **_MEASURED,
    **{name: _with_monitors(name, _MEASURED.get(name)) for name in READERS if name != "delivery.timesheet.v1"},
}

PROCESSOR_SOURCES: tuple[str, ...] = tuple(_ROUTES)
"""The topics that `route` understands: those a router subscribes to."""

READS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "delivery.timesheet.v1": {
        "burnline.Meta": frozenset(
            {"event_id", "event_type", "source", "subject", "occurred_at", "recorded_at", "version", "tenant"}
        ),
        "burnline.delivery.TimesheetEvent": frozenset({"meta", "previous", "current"}),
        "burnline.delivery.Timesheet": frozenset(
            {
                "employee_id",
                "project_id",
                "date",
                "minutes",
                "billable",
                "leave",
                "approved",
                "cost",
                "invoice_id",
                "order_line_id",
                "company_id",
            }
        ),
    }
}
"""Of the topics that are most of the traffic: the fields of each record that routing reads, so that the rest need not be decoded.

The engine adds none: what it compares with an event's headers is among them. An event of any other topic is decoded whole.
"""
