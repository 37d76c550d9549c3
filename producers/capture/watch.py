"""Watching one model for stamps: which records changed since the last look, or must be looked at again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from producers.capture.recent import Recent
from producers.capture.source import Source
from producers.capture.store import Store
from producers.core.cursor import Clock, Window, utc_seconds
from producers.core.mapping.base import Domain

NEVER = "False"


class Watch:
    """One model, polled by write_date."""

    def __init__(
        self,
        source: Source,
        clock: Clock,
        model: str,
        *,
        domain: Domain,
        high_water: datetime | None,
        overlap: float,
        store: Store,
    ) -> None:
        """Begin where a cursor stands."""
        self.high_water = high_water
        self.recent = Recent(store, overlap)
        self._source, self._clock, self._model, self._domain = source, clock, model, domain
        self._window = Window(high_water, overlap)

    def look(self, handle: Callable[[Sequence[int]], Sequence[tuple[int, str]]], *, slow: bool) -> int:
        """One pass; returns how many records had a new stamp.

        `handle` reads these ids and tells (id, stamp) of what it found; when it raises, they are due again.
        """
        at = self._clock.now(time.monotonic())
        again = self.recent.due(time.monotonic())
        changed = 0
        try:
            for listed in self._source.listed(self._model, self._domain, self._window.begin(slow=slow)):
                steady, wall = time.monotonic(), datetime.now(UTC)
                unread = self.recent.unread(listed)
                ids = sorted({*unread, *again})
                read = handle(ids) if ids else ()
                again = []
                self.recent.read(read, steady)
                changed += len(unread)
                for stamp in {stamp for _, stamp in listed if stamp != NEVER}:
                    self.saw(utc_seconds(stamp), steady, wall)
        except BaseException:
            self.recent.again(again)
            raise
        self._window.covered(at, slow=slow)
        return changed

    def saw(self, stamp: datetime, steady: float, wall: datetime) -> None:
        """Take in a stamp: the source's present is at least that."""
        if self._clock.observe(stamp, steady, wall) and (self.high_water is None or stamp > self.high_water):
            self.high_water = stamp
