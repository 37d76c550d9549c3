"""One transaction per batch: outputs, rows of state, and the group's offsets with its metadata (KIP-447).

Either all of it becomes visible or none. The group's metadata carries this member's generation, so that a worker which slept
through a rebalance cannot commit over its successor. After a failure the worker's memory is ahead of what is committed:
the only cure is to leave and be restored, so nothing here is tried twice but what the client says may be, and a batch that met with
a new generation of the group: it is taken back whole and written again, in the new one, if this worker is still a member.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from streams.engine import metrics
from streams.engine.batch import Outputs
from streams.engine.failures import of_kafka
from streams.engine.ownership import Position
from streams.engine.topology import Partition

log = structlog.get_logger()
CHUNK = 2000
WAIT = 0.05
BY_KEY = -1
"""Instead of a partition: that of the key."""
ABORT_WAIT = 3.0
_TAKEN_BACK = frozenset(
    {
        # The group made a new generation while we committed. We are in it, and what we own is ours until we give it back between two batches.
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
        # What librdkafka says of the first batch after one that was taken back with records on their way: it begins a new epoch with the next.
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
    }
)


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
        offsets = [TopicPartition(*place, offset, mark) for place, (offset, mark) in positions.items()]
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                self._attempt(outputs, offsets, deadline)
            except KafkaException as error:
                metrics.ABORTED.inc()
                if not self._aborted() or error.args[0].code() not in _TAKEN_BACK or time.monotonic() > deadline:
                    raise of_kafka("committing a batch", error) from error
                log.info("batch_taken_back", reason=error.args[0].str(), next="it is written again")
                time.sleep(WAIT)  # a new generation is on its way to us
            else:
                return self._sent

    def _attempt(self, outputs: Outputs, offsets: list[TopicPartition], deadline: float) -> None:
        producer = self._producer
        self._sent = {}
        producer.begin_transaction()
        self._send(outputs)
        _patiently(lambda left: producer.send_offsets_to_transaction(offsets, self._membership(), left), deadline)
        _patiently(producer.commit_transaction, deadline)

    def _membership(self) -> Any:
        """The group's metadata. Raises for one who is no member any more: of an empty group, Kafka would take anybody's word."""
        metadata = self._consumer.consumer_group_metadata()
        if not self._consumer.memberid():
            raise KafkaException(
                KafkaError(KafkaError.UNKNOWN_MEMBER_ID, "this worker is no member of its group any more")
            )
        return metadata

    def _aborted(self) -> bool:
        """Take the transaction back; where this fails, too, the broker does so by itself, later."""
        try:
            self._producer.abort_transaction(ABORT_WAIT)
        except KafkaException:
            return False
        return True

    def _send(self, outputs: Outputs) -> None:
        producer = self._producer
        for (topic, partition), rows in outputs.rows:
            self._send_many(topic, partition, rows)
        for topic, partition, value in outputs.frames:
            self._queue(topic, value, partition=partition, on_delivery=self._delivered)
        plain: dict[str, list[dict[str, Any]]] = {}
        for topic, key, value, headers in outputs.events:
            if headers:
                self._queue(topic, value, key=key, headers=headers)
            else:  # no call for each
                plain.setdefault(topic, []).append({"key": key, "value": value})
        for topic, records in plain.items():
            self._send_many(topic, BY_KEY, records)
        producer.poll(0)

    def _send_many(self, topic: str, partition: int, records: list[dict[str, Any]]) -> None:
        """Queue keys and values, thousands in one call, which costs half of one call each; those that found the queue full are queued again.

        The partition is given once: the client ignores one that a message of a batch names itself.
        """
        for start in range(0, len(records), CHUNK):
            some = records[start : start + CHUNK]
            while some:
                self._producer.produce_batch(topic, some, partition)
                failed = [(record, record.pop("_error")) for record in some if "_error" in record]
                for _, error in failed:
                    if error.code() != KafkaError._QUEUE_FULL:  # noqa: SLF001  the client's public name for it
                        raise KafkaException(error)
                some = [record for record, _ in failed]
                if some:
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
