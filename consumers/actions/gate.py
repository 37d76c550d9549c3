"""The way to one endpoint: how many at a time, how often, and nobody while it is down.

An endpoint is what fails as one: an address, an Odoo, a mail server. Actions wait here without costing an attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from dataclasses import replace

import structlog

from consumers.core.circuit import Circuit, begun, ended, wait_before
from consumers.core.rate import admitted
from consumers.core.retry import Failure
from consumers.core.targets import Target as Wanted

log = structlog.get_logger()
AT_ONCE = 64
"""Calls that one endpoint may have under way: a hanging one holds no more than these."""


class Gate:
    """Before one endpoint. Not for several threads."""

    def __init__(self, endpoint: str, per_second: float | None) -> None:
        """Nobody has called yet. `per_second` is a limit, where there is one."""
        self.endpoint = endpoint
        self.disabled: str | None = None
        self._per_second = per_second
        self._reserved = 0.0
        self._room = asyncio.Semaphore(AT_ONCE)
        self._circuit = Circuit()
        self._changed = asyncio.Event()

    async def enter(self, until: float) -> bool:
        """Return once a call may be made: True, and then `leave` must follow. False where that was not before `until`, by the loop's clock."""
        try:
            async with asyncio.timeout_at(until):
                await self._room.acquire()
                try:
                    await self._admission()
                except BaseException:
                    self._room.release()
                    raise
        except TimeoutError:
            return False
        self._circuit = begun(self._circuit)
        return True

    def leave(self) -> None:
        """The call has ended; `tell` of it before, where it came to one."""
        self._change(replace(self._circuit, probing=False))
        self._room.release()

    def tell(self, failure: Failure | None) -> None:
        """How the call went, for all that wait. A target that is gone is called no more, as long as this process lives."""
        if failure is not None and failure.gone:
            self.disabled = failure.reason
            log.error("target_disabled", endpoint=self.endpoint, reason=failure.reason)
        before = self._circuit
        self._change(ended(before, failure, time.monotonic()))
        if before.closed is not self._circuit.closed:
            event = "target_left_alone" if before.closed else "target_answers_again"
            log.warning(event, endpoint=self.endpoint, reason=failure and failure.reason)

    async def _admission(self) -> None:
        if self._per_second is not None:
            self._reserved, wait = admitted(self._reserved, time.monotonic(), self._per_second)
            await asyncio.sleep(wait)
        while self.disabled is None and (wait := wait_before(self._circuit, time.monotonic())):
            changed = self._changed
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), wait)

    def _change(self, circuit: Circuit) -> None:
        if circuit != self._circuit:
            self._circuit = circuit
            self._changed.set()
            self._changed = asyncio.Event()


class Gates:
    """The gate of each endpoint that a policy has. Where rules limit one endpoint differently, the lowest rate holds."""

    def __init__(self, wanted: Iterable[Wanted]) -> None:
        """One for each endpoint."""
        rates: dict[str, list[float]] = {}
        for one in wanted:
            rates.setdefault(one.endpoint, []).extend([] if one.per_second is None else [one.per_second])
        self._gates = {endpoint: Gate(endpoint, min(limits, default=None)) for endpoint, limits in rates.items()}

    def before(self, wanted: Wanted) -> Gate:
        """The gate that this target is behind."""
        return self._gates[wanted.endpoint]
