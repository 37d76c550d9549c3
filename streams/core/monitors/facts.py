"""Facts: what a record says to a monitor, as named values, and what a subject of a monitor remembers of them.

Rules
- A fact is kept by its record and version, as every row is: a lower version never replaces a higher one.
- Numbers are whole: ids, days, microseconds, minutes, money in ten-thousandths; 1 stands for what is true. What is not known is left out.
- A subject's days end in the time zone that its newest fact with one names, else in the monitor's own.

Invariant: what a monitor finds depends on the facts and the day alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mypy_extensions import mypyc_attr

from schemas.wire import FactEntry
from streams.core import kinds
from streams.core.contract import Contribution, Row
from streams.core.state import Mark, SubjectState

HOST = "monitors"
MARK = "~"
"""Between the monitor's name and the key of what it watches, in the key of a subject's state."""
TIMEZONE = "timezone"
_NEVER: Mark = (-1, "", "")


class Fact(NamedTuple):
    """What one record says."""

    kind: str
    numbers: Mapping[str, int | None] = {}
    words: Mapping[str, str | None] = {}
    lists: Mapping[str, list[int]] = {}


PART = "#"
"""Between a record and the name of its part."""

Key = str | tuple[str, str]
"""What a fact is about; with the name of a part where it stays said, whatever the record says next."""

Reader = Callable[[Any, str, Any], Mapping[Any, Fact]]
"""What a state of a record says to which keys: the state in wire form, the prefix of its system's keys, the event's meta. Pure."""


def contribution(monitor: str, about: str, fact: Fact, head: Mapping[str, Any], *, present: bool) -> Contribution:
    """A fact on its way. `head` has the record, its version, and the event that says so."""
    subject = f"{monitor}{MARK}{about}"
    entry: FactEntry = {
        "subject": subject,
        "record": head["record"],
        "version": head["version"],
        "present": present,
        "event_id": head["event_id"],
        "recorded_at": head["recorded_at"],
        "kind": fact.kind,
        "numbers": {name: int(value) for name, value in fact.numbers.items() if value is not None},
        "words": {name: value for name, value in fact.words.items() if value is not None},
        "lists": dict(fact.lists),
    }
    return Contribution(HOST, subject, kinds.FACT, entry)


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class Watched(SubjectState):
    """One subject of one monitor. `finding` is what the monitor found when it last looked."""

    __slots__ = ("_own_zone", "_zoned", "finding", "monitor")

    def __init__(self, key: str, zone: str) -> None:
        """Begin without facts, in the monitor's own time zone."""
        super().__init__(key)
        self.monitor, _, self.about = key.partition(MARK)
        self.zone = self._own_zone = zone
        self.finding: Any = None
        self._zoned = _NEVER

    def take(self, entry: FactEntry) -> Row | None:
        """Remember a fact; nothing for a duplicate or an older version."""
        row = self.keep(kinds.FACT, entry)
        if row is not None:
            self.stale = True
            before = self._zoned
            self._hear_zone(entry)
            # the fact that told the zone says another now, or none
            if self._zoned == before and before[2] == entry["record"]:
                self._zoned, self.zone = _NEVER, self._own_zone
                for _, _, _, kept in self.rows.values():
                    self._hear_zone(kept)
        return row

    def _hear_zone(self, entry: FactEntry) -> None:
        """Take over a fact's time zone, if none is newer."""
        zone = entry["words"].get(TIMEZONE)
        mark = (entry["recorded_at"], entry["event_id"], entry["record"])
        if zone is not None and entry["present"] and mark > self._zoned:
            self.zone, self._zoned = zone, mark

    @property
    def tenant(self) -> str:
        """The tenant of what it is about: what came over webhooks has keys that do not tell."""
        told = (row[3]["words"].get("tenant") for _, row in sorted(self.rows.items()))
        return next((tenant for tenant in told if tenant is not None), super().tenant)

    def facts(self, *wanted: str) -> list[FactEntry]:
        """The facts of these kinds that hold, in the order of their records."""
        held = (row[3] for _, row in sorted(self.rows.items()))
        return [entry for entry in held if entry["present"] and entry["kind"] in wanted]
