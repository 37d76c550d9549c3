"""What people decide about actions while they are under way, as soon as it is on the topic.

Who begins reads the ledger; this is for decisions that come later. It begins where the topic ended before any ledger was read, so that
nothing falls in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from confluent_kafka import Message, TopicPartition

from consumers.actions.execution import Execution
from consumers.core.action_events import ACTIONS
from consumers.core.overrides import counts
from consumers.core.policy import Policy
from infra.errors import PoisonMessage
from infra.kafka.clients import consumer
from infra.kafka.failures import is_record
from infra.kafka.names import scratch_group
from infra.kafka.reader import available, end_offsets, partitions_of
from infra.kafka.unread import logged, unread
from infra.settings import KafkaSettings
from schemas import contents

TYPE = ACTIONS.event_type("overridden").encode()
POLL = 0.2
MOST = 500


class Overridden:
    """Follows the topic of actions, and tells executions what a person decided."""

    def __init__(self, kafka: KafkaSettings, policy: Policy) -> None:
        """Take the place from which on to follow. Blocks. Raises `Transient`."""
        ends = end_offsets(kafka, ACTIONS.name, partitions_of(kafka, ACTIONS.name))
        self._policy = policy
        self._reader = consumer(kafka, group=scratch_group("overridden"))
        self._reader.assign([TopicPartition(ACTIONS.name, partition, end) for partition, (_, end) in ends.items()])

    async def serve(self, executions: Collection[Execution]) -> None:
        """Tell the executions, until cancelled. Raises `Transient` for a broker that refuses."""
        try:
            while True:
                for record in await asyncio.to_thread(available, self._reader, MOST, POLL):
                    if (identity := self._overridden(record)) is not None:
                        for execution in executions:
                            execution.override(identity)
        finally:
            await asyncio.to_thread(self._reader.close)

    def _overridden(self, record: Message) -> str | None:
        """The id of the action that a record overrides."""
        if not is_record(record):
            return None
        if dict(record.headers() or []).get("ce_type", TYPE) != TYPE:  # most are our own steps: not worth decoding
            return None
        try:
            action = contents.read("governance.action.v1", record.value() or b"")["current"]
        except PoisonMessage as poison:
            logged(unread(record, poison))
            return None
        return action["action_id"] if counts(action, self._policy) else None
