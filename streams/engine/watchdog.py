"""End a process whose loop stands still: a worker that hangs keeps its partitions, and nobody else can serve them.

librdkafka's `send_offsets_to_transaction` heeds no timeout when the group's coordinator goes away (its issue 5456), so this
is no mere precaution. A pause of the whole process (SIGSTOP, a laptop's lid) is no hang: the dog sleeps with it, and counts only its own short sleeps.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Self

import structlog

from streams.engine.failures import EXIT_TRANSIENT

log = structlog.get_logger()
SLEEP = 0.25


class Watchdog:
    """Within it, a turn may take `limit` seconds; the process leaves with status 75 when one takes longer."""

    def __init__(self, limit: float, leave: Callable[[int], object] = os._exit) -> None:
        """Watch nothing before it is entered."""
        self._limit, self._leave = limit, leave
        self._stopped = threading.Event()
        self._idle = 0
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """The loop has ended, in order or by an exception, which is not the dog's business."""
        self._stopped.set()
        self._thread.join()

    def turn(self) -> None:
        """The loop goes on."""
        self._idle = 0

    def _watch(self) -> None:
        while not self._stopped.wait(SLEEP):
            self._idle += 1
            if self._idle * SLEEP > self._limit:
                log.critical(
                    "worker_stuck",
                    seconds=self._limit,
                    remedy="nothing is lost: start the worker again; is the broker up?",
                )
                self._leave(EXIT_TRANSIENT)
                return
