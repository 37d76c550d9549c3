"""Hints: the records that Odoo's automation rules point at, to be read again at once.

Only hints that come in from now on are taken: what happened before is covered by the catch-up, and a lost hint by the
next pass. So no offset is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import structlog
from confluent_kafka import Consumer, Message, TopicPartition

from infra.errors import PoisonMessage
from infra.kafka.clients import consumer
from infra.kafka.names import scratch_group
from infra.kafka.reader import end_offsets, partitions_of
from infra.settings import KafkaSettings
from producers.capture.images import Unreadable
from producers.capture.metrics import HINTS
from schemas import contents
from schemas.events import refuse_contradiction
from schemas.topics import topic

log = structlog.get_logger()
DELIVERIES = topic("ops.webhook.v1")
MOST = 1000
GATHER = 0.02


class Hints:
    """A tail on ops.webhook.v1."""

    def __init__(self, settings: KafkaSettings, database: str) -> None:
        """Begin at the topic's present end; without the topic there are no hints."""
        self._prefix = f"odoo:{database}:".encode()
        self._reader: Consumer | None = None
        partitions = partitions_of(settings, DELIVERIES.name)
        if not partitions:
            log.warning("hints_disabled", topic=DELIVERIES.name, remedy="run `burnline topics apply`")
            return
        ends = end_offsets(settings, DELIVERIES.name, partitions)
        self._reader = consumer(settings, group=scratch_group("hints"), fetch_wait_max_ms=100)
        self._reader.assign([TopicPartition(DELIVERIES.name, p, end) for p, (_, end) in ends.items()])

    def wait(self, seconds: float) -> tuple[dict[str, set[int]], list[Unreadable]]:
        """Record ids by model, and what is no hint at all; at the latest after `seconds`, together what comes together."""
        if self._reader is None:
            return {}, []
        records = self._reader.consume(1, seconds)
        if records:
            records += self._reader.consume(MOST, GATHER)
        return self._hinted(records)

    def _hinted(self, records: Iterable[Message]) -> tuple[dict[str, set[int]], list[Unreadable]]:
        found: dict[str, set[int]] = defaultdict(set)
        unreadable: list[Unreadable] = []
        for record in records:
            key, value = record.key(), record.value()
            if record.error() is not None or value is None or key is None or not key.startswith(self._prefix):
                continue
            try:
                event = contents.read("ops.webhook.v1", value)
                refuse_contradiction(record.headers(), event["meta"])
            except PoisonMessage as error:
                unreadable.append((record, error))
                continue
            delivery = event["current"]
            if delivery["model"] and delivery["record_id"]:
                found[delivery["model"]].add(delivery["record_id"])
        for model, ids in found.items():
            HINTS.labels(model).inc(len(ids))
        return found, unreadable

    def close(self) -> None:
        """Leave the topic."""
        if self._reader is not None:
            self._reader.close()
