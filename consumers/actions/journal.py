"""The record of actions on their topic: written before it is believed, and read back at the start.

Writes of all actions under way share a batch: whoever waits while one is being acknowledged goes with the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from consumers.core.action_events import ACTIONS
from consumers.core.ledger import Ledger
from consumers.core.overrides import counts
from consumers.core.policy import Policy
from infra.errors import BurnlineError, PoisonMessage, Transient
from infra.kafka.reader import read_to_end
from infra.kafka.unread import logged, unread
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from schemas import contents
from schemas.topics import Topic

log = structlog.get_logger()
PAUSE = 1.0
"""Seconds between two tries to record what the broker did not take."""


def read_ledger(settings: KafkaSettings, policy: Policy) -> Ledger:
    """The ledger as the topic has it now. Blocks.

    Raises `Transient`. An undecodable record is logged and skipped: the action it was about may be asked of its target again,
    under the same id.
    """
    ledger = Ledger()
    for record in read_to_end(settings, ACTIONS.name):
        value = record.value()
        if value is not None:
            try:
                action = contents.read("governance.action.v1", value)["current"]
            except PoisonMessage as error:
                logged(unread(record, error))
                continue
            if action["status"] != "overridden" or counts(action, policy):
                ledger.fold(action)
    return ledger


class Journal:
    """Writes events in the order given, many at a time. `serve` must run while others `write`."""

    def __init__(self, writer: EventWriter) -> None:
        """Write through this writer, which nobody else uses."""
        self._writer = writer
        self._waiting: list[tuple[Topic, Mapping[str, Any], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    async def write(self, topic: Topic, event: Mapping[str, Any]) -> None:
        """Return once the event is acknowledged, however long the broker is away. Raises `Fatal` or `PoisonMessage` where it never will be."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((topic, event, done))
        self._wake.set()
        await done

    async def serve(self) -> None:
        """Write what waits, until cancelled. While the broker is away everything waits: what was done is not forgotten over it."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._waiting = self._waiting, []
            outcome = await self._sent([(topic, event) for topic, event, _ in batch])
            for _, _, done in batch:
                if done.done():  # cancelled meanwhile
                    continue
                if outcome is None:
                    done.set_result(None)
                else:
                    done.set_exception(outcome)

    async def _sent(self, batch: list[tuple[Topic, Mapping[str, Any]]]) -> BurnlineError | None:
        """Send a batch until it is acknowledged; what of it was, before another part was not, is sent twice: ids tell. None, or why never."""
        while True:
            try:
                await asyncio.to_thread(self._send, batch)
            except Transient as error:
                log.warning("actions_not_recorded", events=len(batch), reason=str(error), remedy=error.remedy)
                await asyncio.sleep(PAUSE)
            except BurnlineError as error:
                return error
            else:
                return None

    def _send(self, batch: list[tuple[Topic, Mapping[str, Any]]]) -> None:
        for topic, event in batch:
            self._writer.send(topic, event)
        self._writer.flush()
