"""What is remembered: the rows of each subject, what is derived from them, and the last tick.

Invariants
- `revision` is the sum of the versions of the records that contribute, tombstones included, and of how many versions are known of
  those that count by their days: it grows with every restatement, also by an older version that comes late, and depends on neither
  order nor batches.
- `newest` are the three rows last recorded, by (recorded_at, event_id, record).
- Everything but the rows, the alert memory and the tick can be derived again: a restored state is marked stale and settled at
  its next use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nlargest
from typing import Any

from mypy_extensions import mypyc_attr

from schemas.errors import PoisonMessage
from streams.core import days
from streams.core.alerts import Memory
from streams.core.contract import Row
from streams.core.history import History, Says
from streams.core.shelf import Shelf, no_shelf

NEWEST = 3
_SUBJECT, _ROW = 2_000, 1_500
"""Bytes of memory: what a subject takes without rows, and a row of any kind but a line of time."""
AT = "@"
"""Between the record and the first version of a run, in the name of a history's row."""

Mark = tuple[int, str, str]
"""When a row was recorded, by which event, and its record."""


def shared_key(record: str) -> PoisonMessage:
    """The failure of an entry under the key of a record of another kind: neither could be taken back without the other."""
    return PoisonMessage(
        f"{record} is the key of two kinds of record",
        remedy="find the producer that publishes one entity's key on another's topic",
    )


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class Rows:
    """The latest contribution of each record. A row is a tuple: version, recorded_at, event_id, and the entry."""

    __slots__ = ("_exact", "histories", "newest", "revision", "rows")

    def __init__(self) -> None:
        """Begin empty."""
        self.rows: dict[str, tuple[Any, ...]] = {}
        self.histories: dict[str, History] = {}
        self.revision = 0
        self.newest: list[Mark] = []
        self._exact = True

    def count(self, record: str, before: int | None, version: int, recorded_at: int, event_id: str) -> None:
        """Note that a record went from version `before` (none: it is new) to `version`."""
        self.revision += version - (before or 0)
        if not self._exact:
            return
        newest = self.newest
        if before is not None:
            for index, mark in enumerate(newest):
                if mark[2] == record:
                    changed = (recorded_at, event_id, record)
                    # moved back in time: a row outside the three may now be newer, so they are looked up again when needed
                    self._exact = changed >= mark
                    newest[index] = changed
                    newest.sort()
                    return
        if len(newest) < NEWEST:
            newest.append((recorded_at, event_id, record))
            newest.sort()
        elif recorded_at > newest[-1][0]:  # nearly always: records come in the order in which they were written
            del newest[0]
            newest.append((recorded_at, event_id, record))
        elif recorded_at >= newest[0][0]:
            mark = (recorded_at, event_id, record)
            if mark > newest[0]:
                newest[0] = mark
                newest.sort()

    def marks(self) -> list[Mark]:
        """The three newest, newest last."""
        if not self._exact:
            self.newest = nlargest(NEWEST, self._every_mark())[::-1]
            self._exact = True
        return self.newest

    def _every_mark(self) -> Iterator[Mark]:
        for record, row in self.rows.items():
            yield row[1], row[2], record
        for record, history in self.histories.items():
            entry = history.head.entry
            yield entry["recorded_at"], entry["event_id"], record

    def keep(self, kind: str, entry: Any) -> Row | None:
        """Take in a record of which only the latest version counts; nothing for a duplicate or an older one."""
        record, version = entry["record"], entry["version"]
        old = self.rows.get(record)
        if old is not None:
            if old[3].keys() != entry.keys():
                raise shared_key(record)
            if old[0] >= version:
                return None
        self.rows[record] = (version, entry["recorded_at"], entry["event_id"], entry)
        self.count(record, old[0] if old else None, version, entry["recorded_at"], entry["event_id"])
        return Row(entry["subject"], record, kind, entry)

    def keep_history(self, kind: str, entry: Any, first: int | None, day: str, says: Says) -> Row | None:
        """Take in a record whose versions count from their day on; with `first`, a remembered run of it."""
        record: str = entry["record"]
        history = self.histories.get(record)
        before: int | None = None
        known = 0
        if history is None:
            history = self.histories[record] = History(day, says)
        else:
            before, known = history.head.last, history.known
        if first is None:
            run = history.add(entry)
            if run is None:
                return None
            first, entry = run.first, run.entry
        elif not history.load(first, entry):
            return None
        version: int = entry["version"]
        self.revision += history.known - known
        if before is None or version > before:
            self.count(record, before, version, entry["recorded_at"], entry["event_id"])
        return Row(entry["subject"], f"{record}{AT}{first}", kind, entry)


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class SubjectState(Rows):
    """One subject: its rows, its place in time, its memory of alerts.

    `calm` says that nothing can be crossed by what has happened since the last judgement; `stale` that what depends on the day,
    or on rows of others, has to be settled again. `turned` says that the day is past the hour at which a period is closed.
    `about` is the key of what the subject is, which the key of its state may have a prefix to.
    """

    __slots__ = ("about", "as_of", "calm", "key", "memory", "stale", "turned", "zone")

    def __init__(self, key: str) -> None:
        """Begin without master data: unmeasured until a time zone is known."""
        super().__init__()
        self.key = self.about = key
        self.zone: str | None = None
        self.as_of: int | None = None
        self.turned = False
        self.memory = Memory()
        self.calm = True
        self.stale = True

    @property
    def tenant(self) -> str:
        """The tenant, as the key tells."""
        return self.about.split(":", 2)[1]

    def weight(self) -> int:
        """About how many bytes of memory it takes."""
        return _SUBJECT + _ROW * (len(self.rows) + len(self.histories))


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class PartitionState:
    """All subjects of one partition for one processor, what concerns everybody, and the last tick.

    `subjects` are those in memory; those that nothing moves may be on the `shelf`.

    `changed` are the subjects to measure, `ticked` the measures that a tick took already; `untold` are those that moved since the
    last tick, beside the changed ones; `reporting` who manages whom; `whole` says that the next tick looks at all of them, for what
    concerns everybody has changed. A day turns at `turn_hour`.
    """

    __slots__ = (
        "_times",
        "changed",
        "reporting",
        "shared",
        "shelf",
        "subjects",
        "tick",
        "ticked",
        "turn_hour",
        "untold",
        "whole",
    )

    def __init__(self, turn_hour: int = 12) -> None:
        """Begin empty, before the first tick."""
        self.subjects: dict[str, Any] = {}
        self.shelf: Shelf = no_shelf()
        self.shared = Rows()
        self.reporting = Rows()
        self.tick: int | None = None
        self.changed: dict[str, None] = {}
        self.ticked: dict[str, Any] = {}
        self.untold: dict[str, None] = {}
        self.whole = False
        self.turn_hour = turn_hour
        self._times: dict[str, tuple[int, bool]] = {}

    def keys(self) -> list[str]:
        """Every subject's."""
        return [*self.subjects, *self.shelf.keys()]

    def visit(self, keys: Iterable[str]) -> Iterator[tuple[str, Any]]:
        """These subjects, one after the other. What was put away is so again when the next is asked for."""
        for key in keys:
            subject = self.subjects.get(key)
            if subject is not None:
                yield key, subject
                continue
            subject = self.subjects[key] = self.shelf.take(key)
            yield key, subject
            if self.shelf.put(key, subject):
                del self.subjects[key]

    def local(self, zone: str) -> tuple[int, bool] | None:
        """The day of the last tick in a time zone, and whether it turned; nothing before the first tick."""
        if self.tick is None:
            return None
        place = self._times.get(zone)
        if place is None:
            place = self._times[zone] = self._local(self.tick, zone)
        return place

    def _local(self, at: int, zone: str) -> tuple[int, bool]:
        day, hour = days.local_time(at, zone)
        return day, hour >= self.turn_hour

    def advance(self, at: int) -> bool:
        """Move the clock; returns whether any subject's day may have begun or turned. A tick of the past moves nothing."""
        first, before = self.tick is None, self._times
        self.tick = at
        self._times = {zone: self._local(at, zone) for zone in before}
        return first or self._times != before

    def moved(self) -> dict[str, None]:
        """The subjects that moved since the last tick; from now on none did."""
        every = dict.fromkeys(self.keys()) if self.whole else {**self.untold, **self.changed}
        self.untold, self.whole = {}, False
        return every

    def place(self, subject: SubjectState) -> bool:
        """Put a subject on its day; returns whether that changed."""
        place = None if subject.zone is None else self.local(subject.zone)
        as_of, subject.turned = place or (None, False)
        if as_of == subject.as_of:
            return False
        subject.as_of = as_of
        subject.stale = True
        subject.calm = False
        return True

    def measured(self) -> Iterator[SubjectState]:
        """The subjects with master data, once the clock has begun."""
        for subject in self.subjects.values():
            if subject.as_of is not None:
                yield subject

    def revision(self, subject: SubjectState) -> int:
        """Revision of a measure: what is the subject's, and what is everybody's."""
        return subject.revision + self.shared.revision

    def marks(self, subject: SubjectState) -> list[Mark]:
        """The three newest rows that moved a subject, newest last."""
        shared = self.shared.marks()
        return sorted(subject.marks() + shared)[-NEWEST:] if shared else subject.marks()
