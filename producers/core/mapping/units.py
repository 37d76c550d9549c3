"""Time that is bought or sold as a quantity on lines of an order: in hours, or in days of eight hours. Other units are no time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from producers.core.mapping.base import Context
from producers.core.values import Row, minutes, number, ref

HOURS_OF = {"hours": 1, "hour": 1, "h": 1, "days": 8, "day": 8}
"""Hours in a unit, by its name in small letters."""


def units_needed(field: str) -> Callable[[Row], Iterator[tuple[str, int | None]]]:
    """What a mapping needs whose lines name their unit in this field."""

    def needs(row: Row) -> Iterator[tuple[str, int | None]]:
        for line in row["lines"]:
            yield "units", ref(line.get(field))

    return needs


def minutes_of(lines: Iterable[Row], quantity: str, context: Context) -> int | None:
    """The time of these lines; None where none of them is in a unit of time."""
    found = [
        number(line.get(quantity)) * HOURS_OF[unit]
        for line in lines
        if (unit := context.lookups.units.get(ref(line.get("product_uom_id")) or 0, "").casefold()) in HOURS_OF
    ]
    return minutes(float(sum(found, Decimal(0)))) if found else None
