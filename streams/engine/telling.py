"""How far restores are, once one takes more than two seconds: a bar where somebody watches, lines of the log where nobody does.

Restores run in threads, several at a time, and a terminal has room for one display: they share it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

log = structlog.get_logger()
TELL = 2.0
"""Seconds after which a restore is told of, and between two lines of the log."""


class Teller:
    """Tells of restores on a console."""

    def __init__(self, console: Console) -> None:
        """Tell nothing yet."""
        self._console = console
        self._lock = threading.Lock()
        self._bars: Progress | None = None

    @contextmanager
    def restoring(self, topic: str, total: int) -> Iterator[Callable[[int], None]]:
        """While this lasts, what it gives is to be told how many rows of `total` are read."""
        told = time.monotonic()
        bar: TaskID | None = None

        def tell(rows: int) -> None:
            nonlocal told, bar
            if bar is not None:
                self._move(bar, rows)
            elif time.monotonic() - told > TELL:
                told = time.monotonic()
                if self._console.is_terminal:
                    bar = self._begin(topic, rows, total)
                else:
                    log.info("state_restoring", topic=topic, rows=rows, of=total, percent=100 * rows // total)

        try:
            yield tell
        finally:
            if bar is not None:
                self._end(bar)

    def _begin(self, topic: str, rows: int, total: int) -> TaskID:
        with self._lock:
            if self._bars is None:
                columns = TextColumn("restoring {task.description}"), BarColumn(), MofNCompleteColumn()
                self._bars = Progress(*columns, TimeRemainingColumn(), console=self._console, transient=True)
                self._bars.start()
            return self._bars.add_task(topic, completed=rows, total=total)

    def _move(self, bar: TaskID, rows: int) -> None:
        with self._lock:
            if self._bars is not None:
                self._bars.update(bar, completed=rows)

    def _end(self, bar: TaskID) -> None:
        with self._lock:
            if self._bars is not None:
                self._bars.remove_task(bar)
                if not self._bars.tasks:
                    self._bars.stop()
                    self._bars = None


TELLER = Teller(Console(stderr=True))
"""That of this process."""
