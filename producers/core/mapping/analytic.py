"""Analytic distributions: which accounts, and so which projects, bear an amount."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from producers.core.values import Row, number
from schemas.errors import PoisonMessage


def accounts_of(key: str) -> list[int]:
    """The accounts of one key of a distribution: `7,12` is one of each of two plans."""
    try:
        return [int(part) for part in key.split(",") if part.strip()]
    except ValueError:
        raise PoisonMessage(
            f"{key!r} is no list of analytic accounts", remedy="correct the analytic distribution in Odoo"
        ) from None


def parts_of(distribution: object) -> Iterator[tuple[int, Decimal]]:
    """Each account that bears a part of an amount, and the part: Odoo has percentages."""
    for key, percentage in distribution.items() if isinstance(distribution, dict) else ():
        for account in accounts_of(str(key)):
            yield account, number(percentage) / 100


def accounts_needed(row: Row) -> Iterable[tuple[str, int | None]]:
    """The accounts of a distribution, whose projects must be known."""
    value = row.get("analytic_distribution")
    for key in value if isinstance(value, dict) else ():
        for part in str(key).split(","):
            if part.strip().isdecimal():
                yield "project_of_account", int(part)
