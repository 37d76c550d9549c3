"""What a registry answered about numbers, remembered, so that a record that nobody can read costs one question and not one each.

What it has never given may be given later, so that answer ages. At most `MOST` answers are kept; the oldest go first.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST = 1000
UNKNOWN_FOR = 60.0
"""Seconds for which a number that was unknown is not asked for again."""


class Answers:
    """Asks for the schema of a number at most once, in whatever thread. Failures are raised and not remembered."""

    def __init__(self, ask: Callable[[int], str | None], now: Callable[[], float] = time.monotonic) -> None:
        """`now` tells seconds, from whatever beginning."""
        self._ask, self._now = ask, now
        self._kept: OrderedDict[int, tuple[str | None, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, number: int) -> str | None:
        """The schema, or None for a number that the registry does not know. Raises what asking raises."""
        with self._lock:
            kept = self._kept.get(number)
            if kept is not None and (kept[0] is not None or self._now() < kept[1] + UNKNOWN_FOR):
                return kept[0]
            answer = self._ask(number)
            self._kept[number] = answer, self._now()
            self._kept.move_to_end(number)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
            return answer
