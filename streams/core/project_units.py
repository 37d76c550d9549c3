"""A project's sums for its units: its client, its manager and its company; and nothing for those it was in before.

Rules
- Only an active project counts: what is closed burns no more.
- Every unit the project was ever in is told, so that a former one does not keep what has left it.
"""

from __future__ import annotations

from fractions import Fraction

from schemas.wire import ProjectEntry
from streams.core.contract import Contribution
from streams.core.monitors.facts import Fact, contribution
from streams.core.project_state import ProjectState
from streams.core.ratios import half_even
from streams.core.state import PartitionState

ROLLUP = "burn-rollup"
UNITS = {
    "client": ("client_id", "res.partner"),
    "manager": ("manager_id", "res.users"),
    "company": ("company_id", "res.company"),
}
"""By kind of unit: the project's field that names it, and the model of its key."""


def parts(
    partition: PartitionState, subject: ProjectState, as_of: int, recognised: Fraction | None
) -> list[Contribution]:
    """The project's sums for each unit it was ever in, as facts for the roll-up."""
    head = subject.head
    if head is None:
        return []
    (history,) = subject.histories.values()
    mark = partition.marks(subject)[-1]
    said = {
        "record": subject.key,
        "version": partition.revision(subject) + as_of,
        "event_id": mark[1],
        "recorded_at": mark[0],
    }
    numbers = _sums(subject, head, recognised)
    words = {"timezone": head["timezone"], "currency": head["currency"]}
    system = subject.key[: subject.key.index("project.project:")]
    counts = head["present"] and head["active"]
    out = []
    for kind, (field, model) in UNITS.items():
        now = head[field]  # type: ignore[literal-required]
        for unit in sorted({run.entry[field] for run in history.runs() if run.entry[field] is not None}):
            fact = Fact(kind, {**numbers, "unit_id": unit, "company_id": head["company_id"]}, words)
            present = counts and unit == now
            out.append(contribution(ROLLUP, f"{system}{model}:{unit}", fact, said, present=present))
    return out


def _sums(subject: ProjectState, head: ProjectEntry, recognised: Fraction | None) -> dict[str, int | None]:
    """What is known of budgets and use, in minutes and ten-thousandths; what is not known is left out."""
    hours, bac, progress, revenue = head["budget_minutes"], subject.cost_budget(), subject.progress(), subject.revenue()
    earned = None if bac is None or progress is None else bac * progress
    return {
        "budget_minutes": hours if hours is not None and hours > 0 else None,
        "actual_minutes": subject.minutes,
        "committed_minutes": subject.minutes + subject.committed_minutes,
        "budget_cost": _whole(bac),
        "actual_cost": None if subject.foreign else _whole(Fraction(subject.cost)),
        "committed_cost": None if subject.foreign else _whole(Fraction(subject.cost + subject.committed)),
        "earned_value": _whole(earned),
        "revenue": None if revenue is None else _whole(Fraction(revenue)),
        "recognised": _whole(recognised),
    }


def _whole(value: Fraction | None) -> int | None:
    """The nearest ten-thousandth; nothing for what is beyond a long."""
    if value is None:
        return None
    whole = half_even(value.numerator, value.denominator)
    return whole if abs(whole) < 1 << 62 else None
