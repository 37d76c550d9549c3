"""The time during which a partition is ours: what is done about its alerts, and how that ends.

Rules
- Whatever waits is cut short when the tenure ends; a call under way, and the record of how it went, is not: it is waited for.
- Nothing is begun for a partition that is no longer ours, nor by a process that slept beyond its session: another acts there by then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from infra.errors import Transient

log = structlog.get_logger()
T = TypeVar("T")


class Lease:
    """Membership in the group, as far as we can know of it: whoever stands still for longer than a session is a member no more."""

    def __init__(self, seconds: float) -> None:
        """It holds for so many seconds at a time."""
        self._seconds = seconds
        self._renewed = time.monotonic()

    def renew(self) -> None:
        """The group has just heard of us, or we of it."""
        self._renewed = time.monotonic()

    def check(self) -> None:
        """Raises `Transient` where it ran out."""
        silent = time.monotonic() - self._renewed
        if silent > self._seconds:
            raise Transient(
                f"this process stood still for {silent:.0f} s, longer than its session of {self._seconds:.0f} s",
                remedy="it joins again by itself; is the machine overloaded, or was it suspended?",
            )


class Tenure:
    """What is done about one partition's alerts. Not for several threads."""

    def __init__(self, lease: Lease) -> None:
        """Nothing is under way. `tasks` may be cancelled at any time; `calls` go on to their end, and to the record of it."""
        self.lease = lease
        self.tasks: set[asyncio.Task[Any]] = set()
        self.calls: set[asyncio.Task[Any]] = set()

    async def sheltered(self, call: Coroutine[Any, Any, T]) -> T:
        """Await a call that goes on to its end when the waiting task is cancelled."""
        task = asyncio.create_task(call)
        self.calls.add(task)
        task.add_done_callback(self.calls.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_told)
            raise


def _told(call: asyncio.Task[Any]) -> None:
    """Nobody waits for it any more: what made it fail is told in the log."""
    if not call.cancelled() and (error := call.exception()) is not None:
        log.warning("call_not_recorded", reason=str(error))
