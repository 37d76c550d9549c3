"""Where a poll must look, and what it must read again. Times are seconds given by the caller: UTC stamps, and a steady clock.

Odoo's stamp says when a transaction began, in whole seconds; it commits later, and two may share a second. So
- `Clock` keeps a lower bound of the source's present: the newest stamp seen, plus what has passed since it was seen.
- `Window` starts a short look-back before the last complete fast pass, and the whole overlap before the last complete slow one,
  so that no outage and no late commit leaves a gap.
- `Recent` remembers which (id, stamp) were read, and has them read again at growing ages: what was rewritten within the same
  second is found after a moment, what such a rewrite committed late at the latest when the overlap is over.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from schemas.records import CaptureCursor

SHORT_LOOK_BACK = timedelta(seconds=5)
FIRST_AGES = (1.5, 15.0)
SANE_FUTURE = timedelta(minutes=5)


def fresh(model: str) -> CaptureCursor:
    """The cursor of a model never captured."""
    return {
        "model": model,
        "snapshot_done": False,
        "snapshot_id": 0,
        "snapshot_rows": 0,
        "snapshot_expected": None,
        "snapshot_began_at": None,
        "high_water": None,
        "swept_at": None,
        "fields": [],
    }


class Clock:
    """A lower bound of the source's present time."""

    def __init__(self) -> None:
        """Nothing is known before the first observation."""
        self._zero: datetime | None = None

    def observe(self, stamp: datetime, steady: float, wall: datetime) -> bool:
        """Take in a stamp seen at `steady`; one far in the future of `wall` was made by hand and counts for nothing."""
        if stamp > wall + SANE_FUTURE:
            return False
        zero = stamp - timedelta(seconds=steady)
        if self._zero is None or zero > self._zero:
            self._zero = zero
        return True

    def now(self, steady: float) -> datetime | None:
        """The source's present is this or later; None before the first observation."""
        return None if self._zero is None else (self._zero + timedelta(seconds=steady)).replace(microsecond=0)


class Window:
    """From which stamp on a pass over one model must look."""

    def __init__(self, high_water: datetime | None, overlap: float) -> None:
        """Begin where the cursor stands."""
        self._overlap = timedelta(seconds=overlap)
        self._fast = self._slow = high_water

    def begin(self, *, slow: bool) -> datetime | None:
        """The first stamp to look at; None for all of them."""
        base, back = (self._slow, self._overlap) if slow else (self._fast, SHORT_LOOK_BACK)
        return None if base is None else base - back

    def covered(self, at: datetime | None, *, slow: bool) -> None:
        """A pass that began when the source's present was at least `at` is complete."""
        if at is None:
            return
        self._fast = at if self._fast is None else max(self._fast, at)
        if slow:
            self._slow = at if self._slow is None else max(self._slow, at)


class Recent:
    """What was read lately, and when it must be read again.

    What is read together is remembered together, so that a mass edit costs one entry a record and not one for each age.
    """

    def __init__(self, overlap: float) -> None:
        """Remember for twice as long as a transaction may take: once to read again, once for passes that still list it."""
        self._ages = (*FIRST_AGES, overlap)
        self._kept = 2 * overlap
        self._stamps: dict[int, str] = {}
        self._queue: list[tuple[float, int, Sequence[tuple[int, str]], bool]] = []
        self._number = 0

    def __len__(self) -> int:
        """How many records are remembered."""
        return len(self._stamps)

    def unread(self, listed: Iterable[tuple[int, str]]) -> list[int]:
        """Those listed that were not read with this stamp."""
        return [record_id for record_id, stamp in listed if self._stamps.get(record_id) != stamp]

    def due(self, steady: float) -> list[int]:
        """Those to be read again by now, each once; those remembered for long enough are forgotten."""
        found: dict[int, None] = {}
        while self._queue and self._queue[0][0] <= steady:
            _, _, together, forget = heapq.heappop(self._queue)
            for record_id, stamp in together:
                if self._stamps.get(record_id) == stamp:
                    if forget:
                        del self._stamps[record_id]
                    else:
                        found[record_id] = None
        return list(found)

    def read(self, rows: Iterable[tuple[int, str]], steady: float, *, once: bool = False) -> None:
        """These were read in full; with `once` they are read again only when the overlap is over."""
        new = [(record_id, stamp) for record_id, stamp in rows if self._stamps.get(record_id) != stamp]
        if not new:
            return
        self._stamps.update(new)
        for age in self._ages[-1:] if once else self._ages:
            self._push(steady + age, new)
        self._push(steady + self._kept, new, forget=True)

    def again(self, ids: Iterable[int], steady: float) -> None:
        """A reading failed: these are due at once."""
        if together := [(record_id, self._stamps[record_id]) for record_id in ids if record_id in self._stamps]:
            self._push(steady, together)

    def _push(self, at: float, together: Sequence[tuple[int, str]], *, forget: bool = False) -> None:
        self._number += 1
        heapq.heappush(self._queue, (at, self._number, together, forget))


def utc_seconds(stamp: str) -> datetime:
    """Odoo's stamp as a moment."""
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC)
