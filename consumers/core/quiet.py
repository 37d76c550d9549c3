"""Quiet hours: when nobody is told, and how much time has passed outside them.

Rules
- Hours are those of a wall clock in one time zone, so that 20:00 stays 20:00 over a change to summer time.
- `begins` after `ends` spans midnight. A day that is quiet is quiet from midnight to midnight.
- A service level runs only while nobody is left in quiet: a night does not use it up.

Invariants: `passed(start, after(start, span)) == span`; what `wakes` returns is never quiet; both only grow with their arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Quiet:
    """When a rule tells nobody: from `begins` to `ends` of every day ("20:00"), and all of `days`, in `zone`.

    What is at least as severe as `unless` is told all the same; nothing is where it is null.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}
    zone: str
    begins: str | None = None
    ends: str | None = None
    days: tuple[Day, ...] = ()
    unless: Literal["info", "notice", "warning", "critical"] | None = "critical"

    def __post_init__(self) -> None:
        """Refuse a zone nobody knows, hours that are none, and quiet that never ends."""
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"zone: {self.zone!r} is no IANA time zone, like Europe/Brussels") from None
        if (self.begins is None) is not (self.ends is None):
            raise ValueError("begins and ends go together")
        hours = [_hour("begins", self.begins), _hour("ends", self.ends)]
        if self.begins is not None and hours[0] == hours[1]:
            raise ValueError("begins and ends are the same: nobody would ever be told")
        if set(self.days) == set(DAYS):
            raise ValueError("days: all seven are quiet: nobody would ever be told")
        if self.begins is None and not self.days:
            raise ValueError("zone: neither hours nor days are quiet; leave `quiet` out")

    def is_quiet(self, moment: datetime) -> bool:
        """Whether nobody is to be told at this moment (UTC)."""
        return self.wakes(moment) > moment

    def wakes(self, moment: datetime) -> datetime:
        """The first moment from this one on that is not quiet."""
        return next(self._awake(moment))[0]

    def after(self, start: datetime, span: timedelta) -> datetime:
        """When so much time has passed since `start`, quiet hours not counted."""
        left = span
        for begin, end in self._awake(start):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        raise AssertionError("the calendar has no end")

    def passed(self, start: datetime, end: datetime) -> timedelta:
        """How much time passed from `start` to `end`, quiet hours not counted."""
        total = timedelta()
        for begin, until in self._awake(start):
            if begin >= end:
                break
            total += min(until, end) - begin
        return total

    def _awake(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches (UTC) that are not quiet, from `start` on, in order, without end."""
        zone = ZoneInfo(self.zone)
        first = start.astimezone(zone).date() - timedelta(days=1)
        for day in (first + timedelta(days=ahead) for ahead in count()):
            for begin, end in self._awake_on(day, zone):
                if max(begin, start) < end:
                    yield max(begin, start), end

    def _awake_on(self, day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
        if DAYS[day.weekday()] in self.days:
            return []
        today, tomorrow = _at(day, MIDNIGHT, zone), _at(day + timedelta(days=1), MIDNIGHT, zone)
        if self.begins is None or self.ends is None:
            return [(today, tomorrow)]
        begins, ends = (_at(day, time.fromisoformat(hour), zone) for hour in (self.begins, self.ends))
        if time.fromisoformat(self.begins) > time.fromisoformat(self.ends):
            return [(ends, begins)]
        return [(today, begins), (ends, tomorrow)]


def _hour(name: str, text: str | None) -> time:
    try:
        hour = time.fromisoformat(text or "00:00")
    except ValueError:
        hour = None
    if hour is None or hour.tzinfo is not None:
        raise ValueError(f'{name}: {text!r} is no time of day, like "20:00" in quotes')
    return hour


def _at(day: date, hour: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, hour, zone).astimezone(UTC)
