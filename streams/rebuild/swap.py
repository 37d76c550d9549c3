"""Put recomputed rows in the place of what the topics of states hold: all that differs, in one transaction, or nothing.

Why it cannot be half done, nor done behind a worker's back
- The group must be empty, and its positions decided. The new positions are sent first, so that they are pending; then it is looked
  again whether somebody has joined. Who joins later waits for them before it restores; who had joined ends the attempt.
- Every position gets a mark of its own, and every topic a deletion: no state that is kept in memory or on a disk is taken for the new one.
- Frames on their way to a state were routed from records that were recomputed: when they are stepped, they are duplicates.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import KafkaException, Producer, TopicPartition

from infra.errors import Transient
from infra.kafka.clients import TRANSACTION, admin, consumer, transactional_producer
from infra.kafka.names import worker_transactions
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings
from streams.engine.failures import of_kafka
from streams.engine.group import found_group
from streams.engine.ownership import Position
from streams.engine.topology import SEPARATOR, Partition, Processor

LOOK_EVERY = 0.5
_GONE = {"Empty", "Dead"}
_TOLD = f"{SEPARATOR}rebuilt".encode()
"""The key of a row that never was: its deletion tells who has a copy of the state to read all of it."""

Rows = Mapping[bytes, bytes]


class Difference(NamedTuple):
    """What rows of a processor's partitions change."""

    same: int = 0
    changed: int = 0
    added: int = 0
    removed: int = 0

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return (self.changed, self.added, self.removed) != (0, 0, 0)


def standing(settings: KafkaSettings, processor: Processor, partitions: int) -> dict[int, dict[bytes, bytes]]:
    """The rows that a processor's topic of states holds now, by partition."""
    found: dict[int, dict[bytes, bytes]] = {number: {} for number in range(partitions)}
    for record in read_to_end(settings, processor.state):
        key, value, rows = record.key() or b"", record.value(), found[record.partition() or 0]
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value
    return found


def compared(old: Rows, new: Rows) -> Difference:
    """How rows differ, byte by byte."""
    kept = [new[key] == value for key, value in old.items() if key in new]
    same = sum(kept)
    return Difference(same, len(kept) - same, len(new) - len(kept), len(old) - len(kept))


def members(settings: KafkaSettings, group: str) -> int:
    """How many workers the group has now. Raises `Transient` when Kafka does not answer."""
    found = found_group(admin(settings), group)
    return 0 if found is None or found.state in _GONE else max(1, len(found.members))


def until_empty(settings: KafkaSettings, group: str, patience: float) -> None:
    """Return once the group has no workers. Raises `Transient` when it still has after `patience` seconds."""
    deadline = time.monotonic() + patience
    while running := members(settings, group):
        if time.monotonic() > deadline:
            raise Transient(
                f"{running} workers of {group} are running, and states are only replaced while none is",
                remedy="stop them (they lose nothing), let the rebuild end, and start them again",
            )
        time.sleep(LOOK_EVERY)


def put(
    settings: KafkaSettings,
    group: str,
    rows: Mapping[Partition, tuple[Rows, Rows]],
    positions: Mapping[Partition, Position],
) -> None:
    """Make old rows new: by the place of the state, what it holds and what it shall. `positions` are those of the inputs concerned.

    Raises `Transient` when a worker has joined meanwhile or Kafka fails; nothing has changed then.
    """
    producer = transactional_producer(
        settings, worker_transactions(group, "rebuild"), timeout=TRANSACTION, queue_buffering_max_messages=1_000_000
    )
    probe = consumer(settings, group=group)
    mark = f"rebuilt.{uuid.uuid4().hex}"
    offsets = [TopicPartition(*place, max(position.offset, 0), mark) for place, position in positions.items()]
    try:
        producer.begin_transaction()
        producer.send_offsets_to_transaction(offsets, probe.consumer_group_metadata(), 30)
        _refuse_company(settings, group)
        for (topic, partition), (old, new) in rows.items():
            _write(producer, topic, partition, old, new)
        producer.commit_transaction(TRANSACTION)
    except BaseException as error:
        with contextlib.suppress(KafkaException):
            producer.abort_transaction(30)
        if isinstance(error, KafkaException):
            raise of_kafka("replacing the states", error) from error
        raise
    finally:
        probe.close()


def _refuse_company(settings: KafkaSettings, group: str) -> None:
    if members(settings, group):
        raise Transient(f"a worker has joined {group} meanwhile", remedy="stop it, and rebuild again")


def _write(producer: Producer, topic: str, partition: int, old: Rows, new: Rows) -> None:
    changes: dict[bytes, bytes | None] = {key: value for key, value in new.items() if old.get(key) != value}
    changes |= dict.fromkeys(old.keys() - new.keys())
    for key, value in (*changes.items(), (_TOLD, None)):
        while True:
            try:
                producer.produce(topic, value, key, partition=partition)
                break
            except BufferError:
                producer.poll(0.1)
