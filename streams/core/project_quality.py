"""What a project's records make of it, before it is measured: revenue earned, and what makes its measure doubtful.

A reason is said where a value is null for it, and where a value stands and may be wrong.
"""

from __future__ import annotations

from fractions import Fraction

from schemas.wire import ProjectEntry
from streams.core import days
from streams.core.project_state import RATE, REVENUE, ProjectState
from streams.core.ratios import Quality


def positive(value: int | None) -> int | None:
    """A budget of 0 is none."""
    return value if value is not None and value > 0 else None


def recognised_revenue(subject: ProjectState) -> Fraction | None:
    """Revenue earned by what is delivered, in ten-thousandths."""
    revenue, progress = subject.revenue(), subject.progress()
    return None if revenue is None or progress is None else progress * revenue


def quality_of(subject: ProjectState, head: ProjectEntry) -> Quality:
    """The reasons that do not depend on the day."""
    quality = Quality()
    if not head["present"]:
        quality.note("deleted")
        if subject.minutes or subject.cost:
            quality.note("deleted_with_records_left")
    elif not head["active"]:
        quality.note("archived")
    if not days.is_zone(head["timezone"]):
        quality.note("unknown_timezone")
    if head["budget_minutes"] == 0 or head["budget_cost"] == 0:
        quality.note("budget_of_zero")
    assigned = sum(entry["present"] for entry in subject.said[RATE].values())
    if assigned > len(subject.assigned_costs()) and not positive(head["budget_cost"]):
        quality.note("assigned_without_rate")
    _note_orders(quality, subject, head)
    return quality


def _note_orders(quality: Quality, subject: ProjectState, head: ProjectEntry) -> None:
    if head["currency"] is None:
        quality.note("no_currency")
    if subject.foreign:
        quality.note("mixed_currencies")
    for order in subject.said[REVENUE].values():
        if order["present"] and "amount" not in order["numbers"]:
            quality.note("no_exchange_rate")
        elif order["present"] and order["words"].get("currency") != head["currency"]:
            quality.note("mixed_currencies")
