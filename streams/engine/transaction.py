"""One transaction per batch: outputs, rows of state, and the group's offsets with its metadata (KIP-447).

Either all of it becomes visible or none. The group's metadata carries this member's generation, so that a worker which slept
through a rebalance cannot commit over its successor. After a failure the worker's memory is ahead of what is committed:
the only cure is to leave and be restored, so nothing here is tried twice but what the client says may be.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from streams.engine import metrics
from streams.engine.batch import Outputs
from streams.engine.failures import of_kafka
from streams.engine.ownership import Position
from streams.engine.topology import Partition

CHUNK = 2000
WAIT = 0.05
ABORT_WAIT = 3.0


class Transactions:
    """Commits batches. `timeout` is how long Kafka may take to decide one, in seconds."""

    def __init__(self, producer: Producer, consumer: Consumer, *, timeout: float) -> None:
        """Write through a transactional producer, with the offsets of this consumer's group."""
        self._producer, self._consumer, self._timeout = producer, consumer, timeout
        self._sent: dict[Partition, int] = {}

    def commit(self, outputs: Outputs, positions: Mapping[Partition, Position]) -> dict[Partition, int]:
        """Return once everything is committed; the offset of the last frame sent to each input.

        Raises `Fenced`, `Transient` or `Fatal`, and then nothing is committed, or will be.
        """
        producer = self._producer
        offsets = [TopicPartition(*place, offset, mark) for place, (offset, mark) in positions.items()]
        self._sent = {}
        deadline = time.monotonic() + self._timeout
        try:
            producer.begin_transaction()
            self._send(outputs)
            _patiently(
                lambda left: producer.send_offsets_to_transaction(
                    offsets, self._consumer.consumer_group_metadata(), left
                ),
                deadline,
            )
            _patiently(producer.commit_transaction, deadline)
        except KafkaException as error:
            metrics.ABORTED.inc()
            with contextlib.suppress(KafkaException):  # where this fails too, the broker aborts it by itself, later
                producer.abort_transaction(ABORT_WAIT)
            raise of_kafka("committing a batch", error) from error
        return self._sent

    def _send(self, outputs: Outputs) -> None:
        producer = self._producer
        for (topic, partition), rows in outputs.rows:
            for start in range(0, len(rows), CHUNK):
                self._send_rows(topic, partition, rows[start : start + CHUNK])
        for topic, partition, value in outputs.frames:
            self._queue(topic, value, partition=partition, on_delivery=self._delivered)
        for topic, key, value, headers in outputs.events:
            self._queue(topic, value, key=key, headers=headers)
        producer.poll(0)

    def _send_rows(self, topic: str, partition: int, rows: list[dict[str, Any]]) -> None:
        """Queue rows in one call, which costs half of one call each; those that found the queue full are queued again.

        The partition is given once: the client ignores one that a message of a batch names itself.
        """
        while rows:
            self._producer.produce_batch(topic, rows, partition)
            failed = [(row, row.pop("_error")) for row in rows if "_error" in row]
            for _, error in failed:
                if error.code() != KafkaError._QUEUE_FULL:  # noqa: SLF001  the client's public name for it
                    raise KafkaException(error)
            rows = [row for row, _ in failed]
            if rows:
                self._producer.poll(WAIT)

    def _delivered(self, error: KafkaError | None, frame: Message) -> None:
        topic, partition, offset = frame.topic(), frame.partition(), frame.offset()
        if error is None and topic is not None and partition is not None and offset is not None:
            self._sent[topic, partition] = max(offset, self._sent.get((topic, partition), -1))

    def _queue(self, topic: str, value: bytes, **more: Any) -> None:
        while True:
            try:
                self._producer.produce(topic, value, **more)
            except BufferError:  # the queue is full: let it drain, which is the back-pressure
                self._producer.poll(WAIT)
                continue
            return


def _patiently(call: Callable[[float], Any], deadline: float) -> None:
    """Repeat what the client calls retriable, until the transaction's time is over."""
    while True:
        try:
            call(max(deadline - time.monotonic(), 0.1))
        except KafkaException as error:
            if not error.args[0].retriable() or time.monotonic() > deadline:
                raise
            time.sleep(WAIT)
        else:
            return
