"""Days as whole numbers since 1970-01-01 (a Thursday), ISO weeks, and the day an instant falls on in a time zone.

Nothing here asks what day it is: every instant is an argument.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

WEEK = 7
FIRST_DAY = -(1 << 31)
"""Before every day: where something holds from ever."""
_ORDINAL_OF_1970 = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000
_FIRST_MOMENT = (date(1900, 1, 1).toordinal() - _ORDINAL_OF_1970) * _DAY
_LAST_MOMENT = (date(9999, 12, 1).toordinal() - _ORDINAL_OF_1970) * _DAY
_LAST_DAY = date.max.toordinal() - _ORDINAL_OF_1970


def weekday(day: int) -> int:
    """0 for Monday to 6 for Sunday."""
    return (day + 3) % WEEK


def iso_week(day: int) -> int:
    """Number of the ISO week the day is in, counted without a break across years."""
    return (day + 3) // WEEK


def monday(week: int) -> int:
    """First day of an ISO week."""
    return week * WEEK - 3


def business_days(start: int, end: int, off: Collection[int] = ()) -> int:
    """Monday-to-Friday days that are not `off`, after `start`, up to and including `end`; 0 where `end` is not after `start`."""
    if end <= start:
        return 0
    weeks, rest = divmod(end - start, WEEK)
    worked = weeks * 5 + sum(weekday(day) < 5 for day in range(end - rest + 1, end + 1))
    return worked - sum(start < day <= end and weekday(day) < 5 for day in off)


def business_day_after(start: int, number: int, off: Collection[int] = ()) -> int:
    """The day that is so many Monday-to-Friday days, none of them `off`, after `start`; `start` itself for 0."""
    day = start
    while number > 0:
        day += 1
        number -= weekday(day) < 5 and day not in off
    return day


def to_date(day: int) -> date:
    """The calendar date of a day. Raises `ValueError` beyond the year 9999."""
    return date.fromordinal(_ORDINAL_OF_1970 + day)


def from_date(day: date) -> int:
    """The day of a calendar date."""
    return day.toordinal() - _ORDINAL_OF_1970


def is_date(day: int) -> bool:
    """Whether the day has a calendar date."""
    return -_ORDINAL_OF_1970 < day <= _LAST_DAY


def is_moment(micros: int) -> bool:
    """Whether the instant is in the calendar, with a day to spare for every time zone, and after 1900, before which nothing is captured."""
    return _FIRST_MOMENT <= micros < _LAST_MOMENT


def moment(micros: int) -> datetime:
    """An instant in UTC from microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | timezone:
    # ZoneInfo says an unknown name in several ways, a path with bad characters among them
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


def is_zone(name: str) -> bool:
    """Whether the name is a known IANA time zone; days of an unknown one end in UTC."""
    return name == "UTC" or _zone(name) is not UTC


def local_day(micros: int, zone: str) -> int:
    """The day this instant falls on in a time zone."""
    return moment(micros).astimezone(_zone(zone)).toordinal() - _ORDINAL_OF_1970


def local_time(micros: int, zone: str) -> tuple[int, int]:
    """The day this instant falls on in a time zone, and the hour of that day, 0 to 23."""
    local = moment(micros).astimezone(_zone(zone))
    return local.toordinal() - _ORDINAL_OF_1970, local.hour


@lru_cache(maxsize=4096)
def midnight(day: int, zone: str) -> int:
    """The instant a day begins in a time zone, in microseconds since 1970."""
    date_ = to_date(day)
    begin = datetime(date_.year, date_.month, date_.day, tzinfo=_zone(zone))
    return (begin - _EPOCH) // timedelta(microseconds=1)
