"""The log of Odoo's database, followed from now on: a tail on the topic that Debezium's connector writes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from confluent_kafka import Consumer, Message, TopicPartition

from infra.errors import Fatal, PoisonMessage
from infra.kafka.clients import consumer
from infra.kafka.names import scratch_group
from infra.kafka.reader import end_offsets, partitions_of
from infra.settings import KafkaSettings
from producers.capture.images import Unreadable
from producers.core.log import hear, places
from producers.core.mapping import ModelMapping

log = structlog.get_logger()
MOST = 5000
GATHER = 0.02


@dataclass(slots=True)
class Told:
    """What the log said: ids by model, the models that were emptied, whether its connector began anew, and what nobody can read."""

    changed: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    emptied: set[str] = field(default_factory=set)
    anew: bool = False
    unreadable: list[Unreadable] = field(default_factory=list)


class Log:
    """A tail on the connector's topic. While it is `alive`, nothing happens in the database that it does not tell."""

    def __init__(
        self, settings: KafkaSettings, topic: str, mappings: Iterable[ModelMapping], *, silence: float
    ) -> None:
        """Begin at the topic's present end. Raises `Fatal` where there is no such topic: the connector makes it."""
        self._tables, self._silence = places(mappings), silence
        partitions = partitions_of(settings, topic)
        if not partitions:
            raise Fatal(
                f"there is no topic {topic} for the log of the database",
                remedy="start Debezium's connector: `burnline odoo log-connector` says how; or unset BURNLINE_CAPTURE__LOG_TOPIC",
            )
        ends = end_offsets(settings, topic, partitions)
        self._reader: Consumer = consumer(settings, group=scratch_group("log"), fetch_wait_max_ms=100)
        self._reader.assign([TopicPartition(topic, partition, end) for partition, (_, end) in ends.items()])
        self._heard_at: float | None = None
        self._heard: datetime | None = None

    @property
    def alive(self) -> bool:
        """Whether the connector was heard of lately."""
        return self._heard_at is not None and time.monotonic() - self._heard_at < self._silence

    @property
    def trouble(self) -> str | None:
        """Why it is not followed, and what to do; None while it is."""
        if self.alive:
            return None
        since = f"since {self._heard:%H:%M:%S} UTC" if self._heard is not None else "yet"
        return (
            f"nothing was heard of the connector on the database's log {since}, so Odoo is polled:"
            " does its task run, and is its slot still in PostgreSQL? docs/log.md says how to mend it"
        )

    def wait(self, seconds: float) -> Told:
        """What the log says; at the latest after `seconds`, together what comes together."""
        records = self._reader.consume(1, seconds)
        if records:
            records += self._reader.consume(MOST, GATHER)
        told = Told()
        for record in records:
            if record.error() is None:
                self._take(record, told)
        return told

    def _take(self, record: Message, told: Told) -> None:
        try:
            found = hear(record.value(), self._tables)
        except PoisonMessage as error:
            told.unreadable.append((record, error))
            return
        self._heard_at, self._heard = time.monotonic(), datetime.now(UTC)
        for one in found:
            told.anew |= one.anew
            if one.model is not None and one.record_id is not None:
                told.changed[one.model].add(one.record_id)
            elif one.model is not None:
                told.emptied.add(one.model)

    def close(self) -> None:
        """Leave the topic."""
        self._reader.close()
