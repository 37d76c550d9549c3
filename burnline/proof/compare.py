"""Compare what the streams say with what SQL says, subject by subject. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

CLOSED = ("resolved", "withdrawn")
UTILIZATION = ("available_minutes", "worked_minutes", "billable_minutes")
BUDGET_BURN = ("budget_minutes", "actual_minutes", "actual_cost", "committed_cost")
DISPUTE_AGING = ("status", "opened_on", "days_open", "days_past_due", "amount")
TOLERANCE = 100
"""Money may differ by a cent: SQL adds floating point numbers, the streams exact ones."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value on which the two disagree."""

    subject: int
    field: str
    measured: Any
    proven: Any


@dataclass(slots=True)
class Verdict:
    """How many subjects were compared, and on which values they differ."""

    compared: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def different(self) -> int:
        """Subjects with at least one difference."""
        return len({difference.subject for difference in self.differences})

    def summary(self) -> dict[str, int]:
        """For `--json`."""
        return {"compared": self.compared, "different": self.different}

    def details(self) -> list[dict[str, Any]]:
        """Each difference as plain values."""
        return [asdict(difference) for difference in self.differences]


def compare(
    fields: tuple[str, ...], measured: Mapping[int, Mapping[str, Any]], proven: Iterable[Mapping[str, Any]]
) -> Verdict:
    """Every subject the source knows, value by value; a subject without a measure differs in every value."""
    verdict = Verdict()
    for row in proven:
        verdict.compared += 1
        found = measured.get(row["id"])
        closed = row.get("status") in CLOSED
        for name in fields:
            if closed and name in {"opened_on", "days_open", "days_past_due"}:
                continue  # a closed dispute ages no more, and the source does not keep the day it was closed
            if name in {"opened_on", "days_open"} and row[name] is None:
                continue  # the source does not know the day
            value = None if found is None else plain(found[name])
            if not same(name, value, row[name]):
                verdict.differences.append(Difference(row["id"], name, value, row[name]))
    return verdict


def plain(value: Any) -> Any:
    """A measure's value as SQL tells it: money in ten-thousandths, days as text."""
    if isinstance(value, Decimal):
        return int(value.scaleb(4))
    return value.isoformat() if hasattr(value, "isoformat") else value


def same(name: str, measured: Any, proven: Any) -> bool:
    """Equal; money within a cent."""
    if measured is None or proven is None:
        return measured is None and proven is None
    if name in {"amount", "actual_cost", "committed_cost"}:
        return bool(abs(measured - proven) <= TOLERANCE)
    return bool(measured == proven)
