"""What a consultant's hour costs the projects it is assigned to.

A project is told when something of it changed: that the consultant is assigned, or no longer, and the cost.

Invariant: the version of what is told is the consultant's revision, which grows with every record; so the newest is the truth.
"""

from __future__ import annotations

from typing import Any

from streams.core import kinds
from streams.core.consultant_state import ConsultantState, Rate
from streams.core.contract import Contribution
from streams.core.project_state import RATE

BUDGET_BURN = "budget-burn"


def rates(subject: ConsultantState, entry: Any) -> list[Contribution]:
    """What projects are to know after this entry, in the order of their ids."""
    now: dict[int, Rate] = {}
    head = subject.head
    cost, currency = (None, None) if head is None else (head["hourly_cost"], head["currency"])
    works = head is None or (head["present"] and head["active"])
    for assignment in subject.assignments.values():
        project = assignment["numbers"]["project_id"]
        assigned = works and (assignment["present"] or (project in now and now[project].assigned))
        now[project] = Rate(assigned, cost, currency)
    before, subject.told = subject.told, now
    left = Rate(assigned=False, cost=cost, currency=currency)
    return [
        _told(subject, entry, project, now.get(project, left))
        for project in sorted(before | now)
        if before.get(project) != now.get(project)
    ]


def _told(subject: ConsultantState, entry: Any, project: int, rate: Rate) -> Contribution:
    system = subject.key[: subject.key.index("hr.employee:")]
    numbers = {"consultant_id": int(subject.key.rpartition(":")[2])}
    if rate.cost is not None:
        numbers["cost"] = rate.cost
    key = f"{system}project.project:{project}"
    out = {
        "subject": key,
        "record": subject.key,
        "version": subject.revision,
        "present": rate.assigned,
        "event_id": entry["event_id"],
        "recorded_at": entry["recorded_at"],
        "kind": RATE,
        "numbers": numbers,
        "words": {} if rate.currency is None else {"currency": rate.currency},
        "lists": {},
    }
    return Contribution(BUDGET_BURN, key, kinds.FACT, out)
