"""A consultant's part of its units: of its department, its managers' people and its company, each with the days on which it was there.

Rules
- A day's minutes, worked and available, belong to the units of that day. So whoever changes departments leaves the old one what was
  done there, until it has left the windows.
- A manager's people are those who report to that manager, and those who report to them, as far down as it goes.
- Every unit the consultant was ever in is told, with zeros where none of its days counts any more.

Invariant: the parts of departments, and those of companies, add up to the consultant's own sums, where each day has a unit of that kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from streams.core import days
from streams.core.consultant_state import ConsultantState
from streams.core.contract import Contribution
from streams.core.monitors.facts import Fact, contribution
from streams.core.reporting_lines import Span, above, ever_above, spans
from streams.core.state import PartitionState

ROLLUP = "utilization-rollup"
UNITS = {
    "manager": ("manager_id", "hr.employee"),
    "department": ("department_id", "hr.department"),
    "company": ("company_id", "res.company"),
}
"""By kind of unit: the consultant's field that names it, and the model of its key."""
SUMS = (
    "available",
    "worked",
    "billable",
    "approved",
    "approved_billable",
    "long_available",
    "long_worked",
    "long_billable",
    "long_approved",
    "long_approved_billable",
    "week_available",
    "week_worked",
    "week_billable",
    "kept",
    "due",
)
"""What is told of each unit, in minutes: of the window, of the long window, of the week, and the compliance of the last closed one."""


def parts(partition: PartitionState, subject: ConsultantState, as_of: int) -> list[Contribution]:
    """The consultant's part of each unit it was ever in, as facts for the roll-up."""
    (history,) = subject.histories.values()
    head: Any = history.head.entry
    mark = subject.marks()[-1]
    said = {
        "record": subject.key,
        "version": partition.revision(subject) + partition.reporting.revision + as_of,
        "event_id": mark[1],
        "recorded_at": mark[0],
    }
    system = subject.key[: subject.key.index(":", subject.key.index(":") + 1) + 1]
    works = head["present"] and head["active"]
    out = []
    for kind, (field, model) in UNITS.items():
        for unit, held in _units(partition, subject, f"{system}{model}:", field, as_of):
            counts = works and (bool(held) and held[-1][1] == as_of if kind == "manager" else head[field] == unit)
            numbers: dict[str, int | None] = {
                **_sums(subject, held, as_of),
                "unit_id": unit,
                "consultant_id": head["consultant_id"],
                "manager_id": head["manager_id"],
                "company_id": head["company_id"],
                "member": int(counts),
                "direct": int(counts and head[field] == unit),
            }
            fact = Fact(kind, numbers, {"timezone": head["timezone"]})
            out.append(contribution(ROLLUP, f"{system}{model}:{unit}", fact, said, present=True))
    return out


def _units(
    partition: PartitionState, subject: ConsultantState, model: str, field: str, as_of: int
) -> Iterator[tuple[int, list[Span]]]:
    """Each unit that a field ever named, with the spans of days in it; of managers, those above them too."""
    (history,) = subject.histories.values()
    if field == "manager_id":
        lines, person = partition.reporting.histories, history.head.entry["consultant_id"]
        held = above(lines, model, person, history.segments(), as_of)
        ever = ever_above(lines, model, person, history.runs())
    else:
        held = spans(history.segments(), field, as_of)
        ever = {run.entry[field] for run in history.runs() if run.entry[field] is not None}
    for unit in sorted(ever):
        yield unit, held.get(unit, [])


def _sums(subject: ConsultantState, held: list[Span], as_of: int) -> Mapping[str, int]:
    """The sums of the days in these spans."""
    week = days.monday(days.iso_week(as_of))
    sums = dict.fromkeys(SUMS, 0)
    for first, last in held:
        for prefix, begin in (("", subject.begin), ("long_", subject.long_begin), ("week_", week)):
            start = max(first, begin)
            if start > last:
                continue
            worked, billable, approved, approved_billable = subject.sums(start, last)
            sums[f"{prefix}available"] += subject.available_between(start, last)
            sums[f"{prefix}worked"] += worked
            sums[f"{prefix}billable"] += billable
            if prefix != "week_":
                sums[f"{prefix}approved"] += approved
                sums[f"{prefix}approved_billable"] += approved_billable
        for day in range(max(first, week - days.WEEK), min(last, week - 1) + 1):
            available = subject.available[day]
            sums["due"] += available
            sums["kept"] += min(max(0, subject.by_day[day][0]), available) if day in subject.by_day else 0
    return sums
