"""Odoo's values as ours. Odoo says False for nothing; floats are read through their decimal text, never computed with.

Invariants: minutes are hours × 60 rounded half up; money has four digits; moments are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.errors import PoisonMessage

Row = Mapping[str, Any]
CENT_OF_CENT = Decimal("0.0001")
BILLIONTH = Decimal("0.000000001")
SECONDS = "%Y-%m-%d %H:%M:%S"


def number(value: object) -> Decimal:
    """A float, by its shortest decimal text; nothing is zero."""
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else Decimal(0)


def minutes(hours: object) -> int:
    """Hours as whole minutes, rounded half up: 7.6 is 456, 0.125 is 8."""
    return _minutes(hours) if isinstance(hours, float) else _rounded_minutes(number(hours))


def _rounded_minutes(hours: Decimal) -> int:
    return int((hours * 60).quantize(Decimal(1), ROUND_HALF_UP))


@lru_cache(8192)
def _minutes(hours: float) -> int:
    """Kept, since the same few hours stand in most rows."""
    return _rounded_minutes(number(hours))


def money(value: object) -> Decimal:
    """An amount with four digits."""
    if isinstance(value, float):
        return _money(value)
    amount = value if isinstance(value, Decimal) else number(value)
    return amount.quantize(CENT_OF_CENT, ROUND_HALF_UP)


@lru_cache(8192)
def _money(value: float) -> Decimal:
    """Kept, as `_minutes` is."""
    return number(value).quantize(CENT_OF_CENT, ROUND_HALF_UP)


def share(value: object) -> Decimal:
    """A part of a whole with nine digits."""
    part = value if isinstance(value, Decimal) else number(value)
    return part.quantize(BILLIONTH, ROUND_HALF_UP)


def ref(value: object) -> int | None:
    """A many2one as an id, whether it came as an id or as `[id, name]`."""
    if isinstance(value, list | tuple) and value:
        value = value[0]
    return value if value.__class__ is int else None  # a bool is none


def text(value: object) -> str | None:
    """A text that says something, or None."""
    return value if isinstance(value, str) and value else None


def label(value: object) -> str | None:
    """What people read of a text, a selection, or a many2one as `[id, name]`; None for nothing."""
    return text(value[1] if isinstance(value, list | tuple) and len(value) > 1 else value)


def day(value: object) -> date | None:
    """A date field; of a datetime field the day in UTC."""
    return date.fromisoformat(value[:10]) if isinstance(value, str) and value else None


def moment(value: object) -> datetime | None:
    """A datetime field: UTC, with or without fractions of a second."""
    return _utc(value) if isinstance(value, str) and value else None


@lru_cache(1024)
def _utc(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC)


def needed_day(row: Row, field: str) -> date:
    """A date that the record cannot be without. Raises `PoisonMessage`."""
    found = day(row.get(field))
    if found is None:
        raise PoisonMessage(f"record {row.get('id')} has no {field}", remedy=f"fill in {field} in Odoo")
    return found


def needed_ref(row: Row, field: str) -> int:
    """A reference that the record cannot be without. Raises `PoisonMessage`."""
    found = ref(row.get(field))
    if found is None:
        raise PoisonMessage(f"record {row.get('id')} has no {field}", remedy=f"fill in {field} in Odoo")
    return found


def written(row: Row) -> datetime:
    """When Odoo wrote the record; 1970 for one that was put into the database by hand without a stamp."""
    return moment(row.get("write_date")) or moment(row.get("create_date")) or datetime(1970, 1, 1, tzinfo=UTC)


def rpc_time(at: datetime) -> str:
    """A moment as Odoo's domains take it: whole seconds of UTC, never a bare date."""
    return at.astimezone(UTC).strftime(SECONDS)


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name; UTC for one this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local_day(at: datetime, timezone: str) -> date:
    """The calendar day of a moment in a zone."""
    return at.astimezone(zone(timezone)).date()


def start_of(d: date, timezone: str) -> datetime:
    """The first moment of a day in a zone, in UTC."""
    return datetime.combine(d, time.min, zone(timezone)).astimezone(UTC)


@lru_cache(4096)
def end_of(d: date, timezone: str) -> datetime:
    """The last microsecond of a day in a zone, in UTC."""
    return datetime.combine(d, time.max, zone(timezone)).astimezone(UTC)
