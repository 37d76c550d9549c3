"""The history of a deprecated topic, told once more on the topic that replaces it; or of a topic whose keys changed, under those of today.

Rules
- What is carried, and how far, is one transaction: stopped anywhere and run again, every event stands on the new topic once.
- Events that name their successor stand there already: a producer of the new major wrote both. So do those that have today's key.
- What cannot be told becomes a dead letter in the same transaction.
- Run it before the producers of the new major start: then history comes before what follows it. Later nothing is lost but that
  order; events bear their version.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from infra.dead_letters import DEAD_LETTERS, letter_of
from infra.errors import PoisonMessage, Transient
from infra.kafka.clients import TRANSACTION, consumer, transactional_producer
from infra.kafka.names import carry_over_of
from infra.kafka.reader import STALL, end_offsets, partitions_of, read_ranges
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from schemas import codec
from schemas.events import SUCCESSOR, cloudevents_headers
from schemas.rekeyed import Rekeyed
from schemas.successions import Succession
from schemas.topics import Topic

AT_ONCE = 500
STAGE = "carry-over"


@dataclass(slots=True)
class Carried:
    """What became of the records of an old topic: told on the new one (or under the new key), there already, or parked."""

    told: int = 0
    there: int = 0
    parked: int = 0


def carry_over(
    settings: KafkaSettings, succession: Succession | Rekeyed, *, dead_letters: Topic = DEAD_LETTERS
) -> Carried:
    """Carry what stands on the old topic now, and was not carried before. Returns when done.

    Raises `Transient` when Kafka does not answer; what was not committed is carried by the next call.
    """
    old = succession.old.name
    group = carry_over_of(old)
    # first, since taking the id decides what another run left open
    producer = transactional_producer(settings, group, timeout=TRANSACTION)
    with contextlib.closing(consumer(settings, group=group)) as member:
        carrier = _Carrier(producer, member, succession, dead_letters)
        with contextlib.closing(read_ranges(settings, old, _left(settings, member, old), STALL)) as records:
            while batch := list(islice(records, AT_ONCE)):
                carrier.commit(batch)
    return carrier.done


def _left(settings: KafkaSettings, member: Consumer, topic: str) -> dict[int, tuple[int, int]]:
    """The offsets not carried yet, by partition, their ends excluded."""
    ends = end_offsets(settings, topic, partitions_of(settings, topic))
    try:
        committed = member.committed([TopicPartition(topic, partition) for partition in ends], timeout=30)
    except KafkaException as error:
        raise _failure(f"asking how far {topic} was carried", error) from error
    at = {place.partition: place.offset for place in committed}
    return {partition: (max(begin, at[partition]), end) for partition, (begin, end) in ends.items()}


class _Carrier:
    """Tells records of the old topic on the new one, a transaction for each batch."""

    def __init__(
        self, producer: Producer, member: Consumer, succession: Succession | Rekeyed, dead_letters: Topic
    ) -> None:
        self._producer, self._member, self._writer = producer, member, EventWriter(producer)
        self._succession, self._dead_letters = succession, dead_letters
        self.done = Carried()

    def commit(self, batch: Iterable[Message]) -> None:
        """Return once these records are told, and how far that is. Raises `Transient`, and then none of it is."""
        producer, old, reached = self._producer, self._succession.old.name, {}
        try:
            producer.begin_transaction()
            for record in batch:
                self._carry(record)
                reached[record.partition() or 0] = (record.offset() or 0) + 1
            offsets = [TopicPartition(old, partition, end) for partition, end in reached.items()]
            producer.send_offsets_to_transaction(offsets, self._member.consumer_group_metadata(), 30)
            producer.commit_transaction(TRANSACTION)
        except KafkaException as error:
            with contextlib.suppress(KafkaException):  # the broker aborts it by itself, later
                producer.abort_transaction(3)
            raise _failure(f"carrying {old} over", error) from error

    def _carry(self, record: Message) -> None:
        value, new = record.value(), self._succession.new
        if SUCCESSOR in dict(record.headers() or ()):
            self.done.there += 1
            return
        if value is None and isinstance(self._succession, Succession):
            self._writer.send_bytes(new.name, record.key(), None)
            self.done.told += 1
            return
        try:
            event = None if value is None else self._succession.upcast(codec.decode(value).value)
            told = b"" if event is None else codec.encode(new.record, event)
        except PoisonMessage as error:
            self._writer.send(self._dead_letters, letter_of(record, error, stage=STAGE, at=datetime.now(UTC)))
            self.done.parked += 1
            return
        if event is None:
            self.done.there += 1
            return
        # without its successor: on a topic that is deprecated in its turn, it is yet to be carried on
        headers = [pair for pair in cloudevents_headers(new, event["meta"]) if pair[0] != SUCCESSOR]
        self._writer.send_bytes(new.name, event["meta"]["subject"].encode(), told, headers)
        self.done.told += 1


def _failure(doing: str, error: KafkaException) -> Transient:
    return Transient(
        f"{doing} failed: {error.args[0].str()}", remedy="is the broker up? Run it again: nothing is told twice"
    )
