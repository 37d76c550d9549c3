"""A circuit breaker: a sick Odoo is left alone, asked again now and then by one call, and used again once that one passes.

States and their changes
- closed: calls go through; after `LIMIT` failures in a row, or at once where a rate limit names its wait, it opens.
- open: calls are refused without a request, until the pause is over; then the next call is the probe, and only that one.
- the probe passes: closed. It fails: open again, for twice as long, up to `LONGEST` seconds. Pauses have jitter, but where the server said how long.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.errors import Transient
from infra.odoo.failures import Limited, Sick

LIMIT = 5
FIRST, LONGEST = 1.0, 60.0


class Paused(Transient):
    """No request was made: Odoo is left alone for another `wait` seconds."""

    def __init__(self, message: str, *, remedy: str, wait: float) -> None:
        """Keep how long to wait."""
        super().__init__(message, remedy=remedy)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Trouble:
    """Since when calls fail, why the last one did, how many in a row, and whether calls are refused for it."""

    since: datetime
    why: str
    failures: int
    open: bool


class Breaker:
    """Shared by all threads that call one Odoo."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, chance: Callable[[], float] = random.random
    ) -> None:
        """Closed. `chance` gives the jitter, from 0 to 1."""
        self._clock, self._chance, self._lock = clock, chance, threading.Lock()
        self._trouble: Trouble | None = None
        self._pause, self._until, self._probing = FIRST, 0.0, False

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong; None while calls pass."""
        return self._trouble

    def admit(self) -> None:
        """Let a call through. Raises `Paused` where it may not be made."""
        with self._lock:
            if self._trouble is None or not self._trouble.open:
                return
            left = self._until - self._clock()
            if left > 0 or self._probing:
                raise Paused(
                    f"Odoo is left alone since {self._trouble.since:%H:%M:%S} UTC: {self._trouble.why}",
                    remedy="it is asked again by itself; mend what it names",
                    wait=max(left, 0.1),
                )
            self._probing = True

    def passed(self) -> None:
        """A call was answered by Odoo, whatever it said."""
        with self._lock:
            self._trouble, self._pause, self._probing = None, FIRST, False

    def failed(self, error: Sick) -> None:
        """A call was not."""
        with self._lock:
            before = self._trouble
            failures = (before.failures if before else 0) + 1
            opens = failures >= LIMIT or isinstance(error, Limited) or (before is not None and before.open)
            since = before.since if before else datetime.now(UTC)
            self._trouble, self._probing = Trouble(since, str(error), failures, opens), False
            if opens:
                pause = error.wait if isinstance(error, Limited) else self._pause * (1 + self._chance() / 4)
                self._until = self._clock() + pause
                self._pause = min(self._pause * 2, LONGEST)
