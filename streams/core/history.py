"""The versions of one record that say from which day on something holds.

Rules
- Versions that follow each other and say the same are one run, so that a history grows only when something relevant changes.
- On a day holds the highest version that began by then; the earliest holds from ever. A later version that begins earlier
  overrides what stood there.
- A run keeps the version it began with (in the name of its row) and the one it reaches to (the version of its entry), so a
  version seen before is known.

Invariant: what holds on a day depends on the versions, not on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Any, NamedTuple

from mypy_extensions import mypyc_attr

Says = Callable[[Any], Hashable]


class Run(NamedTuple):
    """Versions `first` to `last` that say the same from `day` on. `entry` is the last one's, beginning on `day`."""

    first: int
    last: int
    day: int
    entry: Any


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class History:
    """The runs of one record."""

    __slots__ = ("_day", "_runs", "_says", "_segments")

    def __init__(self, day: str, says: Says) -> None:
        """`day` is the entry's field with its first day, `says` what must be equal to go on as one run."""
        self._day = day
        self._says = says
        self._runs: dict[int, Run] = {}
        self._segments: list[Run] | None = None

    def add(self, entry: Any) -> Run | None:
        """Take in a version; returns the run to remember, or nothing for a version seen before."""
        version: int = entry["version"]
        before = [run for run in self._runs.values() if run.first <= version]
        last = max(before, key=attrgetter("first")) if before else None
        if last is None or last.last + 1 < version:
            run = Run(version, version, entry[self._day], entry)
        elif version <= last.last:
            return None
        elif entry[self._day] >= last.day and self._says(entry) == self._says(last.entry):
            run = Run(last.first, version, last.day, {**entry, self._day: last.day})
        else:
            run = Run(version, version, entry[self._day], entry)
        self._runs[run.first] = run
        self._segments = None
        return run

    def load(self, first: int, entry: Any) -> bool:
        """Take in a remembered run; returns whether it was news."""
        known = self._runs.get(first)
        if known is not None and known.last >= entry["version"]:
            return False
        self._runs[first] = Run(first, entry["version"], entry[self._day], entry)
        self._segments = None
        return True

    @property
    def head(self) -> Run:
        """The run of the highest version. Raises `ValueError` for an empty history."""
        return max(self._runs.values(), key=attrgetter("last"))

    @property
    def known(self) -> int:
        """How many versions were seen: it grows with each that is news, an older one that comes late included."""
        return sum([run.last - run.first + 1 for run in self._runs.values()])

    def segments(self) -> list[Run]:
        """What holds, by the day it begins; the first holds from ever."""
        if self._segments is None:
            out: list[Run] = []
            for first in sorted(self._runs):
                run = self._runs[first]
                while out and out[-1].day >= run.day:
                    out.pop()
                out.append(run)
            self._segments = out
        return self._segments

    def runs(self) -> list[Run]:
        """Every run, also those that later ones overrode."""
        return list(self._runs.values())
