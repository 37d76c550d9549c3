"""Signals: what an operator wants of the snapshots. Each is read once, in order, also those sent while no capture ran."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition

from infra.errors import PoisonMessage
from infra.kafka.clients import consumer
from infra.kafka.names import scratch_group
from infra.settings import KafkaSettings
from producers.capture.images import Unreadable
from producers.capture.standing import SIGNALS, internal_key
from schemas import codec
from schemas.records import CaptureSignal

MOST = 100


class Signals:
    """The signal topic, from a position on."""

    def __init__(self, settings: KafkaSettings, database: str, after: int) -> None:
        """Begin behind the offset `after`, or with the oldest signal that is kept."""
        self._key = internal_key(database)
        self._reader: Consumer = consumer(settings, group=scratch_group("signals"), fetch_wait_max_ms=100)
        self._reader.assign([TopicPartition(SIGNALS.name, 0, after + 1)])

    def take(self) -> tuple[list[tuple[int, CaptureSignal]], list[Unreadable]]:
        """Those that are there, with their offsets, and what is no signal; nothing is waited for."""
        found: list[tuple[int, CaptureSignal]] = []
        unreadable: list[Unreadable] = []
        for record in self._reader.consume(MOST, 0):
            value, offset = record.value(), record.offset()
            if record.error() is not None or value is None or offset is None or record.key() != self._key:
                continue
            try:
                found.append((offset, codec.decode_as(SIGNALS.record, value)))
            except PoisonMessage as error:
                unreadable.append((record, error))
        return found, unreadable

    def close(self) -> None:
        """Leave the topic."""
        self._reader.close()
