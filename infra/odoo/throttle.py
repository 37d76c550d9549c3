"""A ceiling on the load that we put on Odoo: requests a second, and the share of the time in which it works for us."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

BURST = 1.0
"""Seconds whose requests may be made at once after a rest."""


class Throttle:
    """Shared by all threads that call one Odoo.

    After a call of `d` seconds, `d * (1 / share - 1)` seconds of rest are owed before the next one, by whichever thread.
    """

    def __init__(
        self,
        per_second: float,
        share: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """At most `per_second` requests, and `share` (0 to 1) of the time."""
        self._gap, self._rest = 1 / per_second, 1 / share - 1
        self._clock, self._sleep, self._lock = clock, sleep, threading.Lock()
        self._next = self._rested = clock()

    @contextmanager
    def turn(self) -> Generator[None, None, None]:
        """Wait for one's turn, and make the call within."""
        with self._lock:
            now = self._clock()
            self._next = max(self._next, now - BURST) + self._gap
            wait = max(self._next - self._gap, self._rested) - now
        if wait > 0:
            self._sleep(wait)
        begun = self._clock()
        try:
            yield
        finally:
            now = self._clock()
            with self._lock:
                self._rested = max(self._rested, now) + (now - begun) * self._rest
