"""What is derived from a consultant's rows, kept current row by row.

Invariants: every sum is that of the rows (an old contribution is taken out by exactly what was put in); the ranges that `within`
compares with are those of the last judgement.
"""

from __future__ import annotations

import math
from struct import Struct
from typing import NamedTuple

from mypy_extensions import mypyc_attr

from schemas.lines import TimeLine
from schemas.wire import AbsenceEntry, ConsultantEntry, FactEntry
from streams.core import kinds
from streams.core.contract import Row
from streams.core.lines import TimedState
from streams.core.state import shared_key

LINE = Struct("<qqii???")
"""Version, recorded_at, day, minutes; whether it counts, is billable, is approved."""
EVER = -math.inf
NEVER = math.inf


class Rate(NamedTuple):
    """What a project is to know of a consultant."""

    assigned: bool
    cost: int | None
    currency: str | None


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class ConsultantState(TimedState):
    """One consultant. `by_day` has worked, billable, approved and approved billable minutes of each day.

    `worked`, `billable` and the approved ones are the sums of the window from `begin`, in which `in_window` minutes are available;
    `long` has the same four of the long window from `long_begin`, in which `in_long` are. `off` are the public holidays that
    concern the consultant, among the days looked at. `told` is what each project knows of the consultant: whether it is assigned, and
    what an hour costs in which currency.
    """

    __slots__ = (
        "absences",
        "approved",
        "approved_billable",
        "assignments",
        "available",
        "begin",
        "billable",
        "by_day",
        "calm_billable",
        "calm_worked",
        "head",
        "in_long",
        "in_window",
        "long",
        "long_begin",
        "off",
        "told",
        "worked",
    )

    def __init__(self, key: str) -> None:
        """Begin with nothing known."""
        super().__init__(key, LINE)
        self.by_day: dict[int, list[int]] = {}
        self.absences: dict[str, AbsenceEntry] = {}
        self.head: ConsultantEntry | None = None
        self.assignments: dict[str, FactEntry] = {}
        self.told: dict[int, Rate] = {}
        self.available: dict[int, int] = {}
        self.begin = 0
        self.in_window = 0
        self.worked = self.billable = self.approved = self.approved_billable = 0
        self.long_begin = self.in_long = 0
        self.long = [0, 0, 0, 0]
        self.off: frozenset[int] = frozenset()
        self.calm_worked = (EVER, NEVER)
        self.calm_billable = (EVER, NEVER)

    def sums(self, first: int, last: int) -> tuple[int, int, int, int]:
        """Worked, billable, approved and approved billable minutes from a day to a day, both in."""
        worked = billable = approved = approved_billable = 0
        get = self.by_day.get
        for day in range(first, last + 1):
            minutes = get(day)
            if minutes is not None:
                worked += minutes[0]
                billable += minutes[1]
                approved += minutes[2]
                approved_billable += minutes[3]
        return worked, billable, approved, approved_billable

    def available_between(self, first: int, last: int) -> int:
        """Available minutes from a day to a day, both in."""
        return sum([self.available[day] for day in range(first, last + 1)])

    def add_time(self, entry: TimeLine) -> Row | None:
        """Take in a line of time; nothing for a duplicate or an older version."""
        record, version = entry.record, entry.version
        lines = self.lines
        key = lines.key(record)
        old = lines.rows.get(key)
        before: int | None = None
        if old is not None:
            before, _, day, minutes, present, billable, approved = LINE.unpack_from(old)
            if before >= version:
                return None
            if present:
                self._add(day, -minutes, billable, approved)
        elif record in self.rows:
            raise shared_key(record)
        present, day, minutes, billable = entry.present, entry.day, entry.minutes, entry.billable
        approved, event_id, recorded_at = entry.approved, entry.event_id, entry.recorded_at
        lines.rows[key] = LINE.pack(version, recorded_at, day, minutes, present, billable, approved) + event_id.encode()
        if present:
            self._add(day, minutes, billable, approved)
        self.count(record, before, version, recorded_at, event_id)
        return Row(self.key, record, kinds.TIME, entry)

    def _add(self, day: int, minutes: int, billable: bool, approved: bool) -> None:
        sums = self.by_day.get(day)
        if sums is None:
            sums = self.by_day[day] = [0, 0, 0, 0]
        sums[0] += minutes
        if billable:
            sums[1] += minutes
        if approved:
            sums[2] += minutes
            if billable:
                sums[3] += minutes
        if self.as_of is not None and self.long_begin <= day <= self.as_of:
            self.long[0] += minutes
            if billable:
                self.long[1] += minutes
            if approved:
                self.long[2] += minutes
                if billable:
                    self.long[3] += minutes
            if day >= self.begin:
                self._add_to_window(minutes, billable, approved)

    def _add_to_window(self, minutes: int, billable: bool, approved: bool) -> None:
        self.worked += minutes
        if billable:
            self.billable += minutes
        if approved:
            self.approved += minutes
            if billable:
                self.approved_billable += minutes

    def within(self) -> bool:
        """Whether the window's sums are where the band is kept."""
        low, high = self.calm_worked
        if not low <= self.worked < high:
            return False
        low, high = self.calm_billable
        return low <= self.billable < high
