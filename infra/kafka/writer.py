"""Write events: encoded, keyed by their subject, with CloudEvents headers, and never lost without an exception."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from infra.errors import Transient
from infra.kafka.failures import refusal
from infra.kafka.limits import record_size, too_large
from schemas import codec
from schemas.events import Headers, cloudevents_headers
from schemas.successions import older_editions
from schemas.topics import Topic


class EventWriter:
    """Sends events through a producer, transactional or not.

    `send` only queues; `flush` (or the transaction's commit, then `check`) tells whether everything arrived.
    """

    def __init__(self, producer: Producer, *, checked: bool = True) -> None:
        """Write through this producer; its transactions stay the caller's.

        Whoever commits transactions, and so hears of each failure, may have it not `checked`: to be told of every single record costs
        as much as sending it.
        """
        self.producer = producer
        self._failed: KafkaError | None = None
        self._on_delivery = self._delivered if checked else None

    def send(self, topic: Topic, event: Mapping[str, Any], *, partition: int = -1) -> None:
        """Queue an event, and its older editions.

        Raises `PoisonMessage` where one breaks its schema, and then none is queued, or is larger than a record may be.
        """
        editions = [(topic, event), *older_editions(topic, event)]
        values = [codec.encode(edition.record, told) for edition, told in editions]
        for (edition, told), value in zip(editions, values, strict=True):
            self.send_bytes(
                edition.name,
                told["meta"]["subject"].encode(),
                value,
                cloudevents_headers(edition, told["meta"]),
                partition=partition,
            )

    def send_bytes(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers | None = None, *, partition: int = -1
    ) -> None:
        """Queue a record as it is; a value of None is a tombstone. Raises `PoisonMessage` where it is larger than may be."""
        while True:
            try:
                self.producer.produce(
                    topic, value, key, partition, on_delivery=self._on_delivery, headers=headers or []
                )
            except BufferError:  # the queue is full: let it drain, which is the back-pressure
                self.producer.poll(0.05)
                continue
            except KafkaException as error:
                if error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
                    raise too_large(topic, record_size(key, value, headers)) from error
                raise
            if self._on_delivery is not None:
                self.producer.poll(0)
            return

    def _delivered(self, error: KafkaError | None, _record: Message) -> None:
        if error is not None:
            self._failed = error

    def check(self) -> None:
        """Raises `Transient` if any record queued so far did not arrive, `Fatal` if we may not write it, or not one so large."""
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise refusal("writing a record", failed) or Transient(
                f"a record was not accepted by the broker: {failed.str()}",
                remedy="is the broker up, and does the topic exist?",
            )

    def flush(self, timeout: float = 30.0) -> None:
        """Wait until everything queued is acknowledged. Raises `Transient` when it is not in time, and as `check` does."""
        left = self.producer.flush(timeout)
        self.check()
        if left:
            raise Transient(f"{left} records were not acknowledged within {timeout:.0f} s", remedy="is the broker up?")
