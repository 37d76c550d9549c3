"""Read a topic from its beginning to its end, as it stands now.

The end is that of *all* records, also of those in transactions that are still being decided, while only committed records
are returned: reading up to the last stable offset would miss a transaction whose marker is on its way.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message, TopicPartition

from infra.errors import Transient
from infra.kafka.clients import consumer
from infra.settings import KafkaSettings


def partitions_of(settings: KafkaSettings, topic: str) -> list[int]:
    """The topic's partitions; none when it does not exist."""
    probe = consumer(settings, group=f"burnline.probe.{uuid.uuid4()}")
    try:
        found = probe.list_topics(topic, timeout=10).topics[topic]
        return sorted(found.partitions) if found.error is None else []
    except KafkaException as error:
        raise Transient(
            f"the partitions of {topic} cannot be asked for: {error.args[0].str()}", remedy="is the broker up?"
        ) from error
    finally:
        probe.close()


def read_to_end(
    settings: KafkaSettings, topic: str, partitions: Iterable[int] | None = None, *, stall: float = 60.0
) -> Iterator[Message]:
    """Every committed record of these partitions (all by default), in order per partition, up to the end at the call.

    Raises `Transient` when nothing moves for `stall` seconds, since waiting for ever would hide a dead broker.
    """
    wanted = list(partitions) if partitions is not None else partitions_of(settings, topic)
    if not wanted:
        return
    ends = end_offsets(settings, topic, wanted)
    reader = consumer(settings, group=f"burnline.reader.{uuid.uuid4()}", enable_partition_eof=True)
    try:
        left = {p: end for p, (begin, end) in ends.items() if end > begin}
        reader.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in left])
        moved = time.monotonic()
        while left:
            records = reader.consume(5000, 0.1)
            if records:
                moved = time.monotonic()
            elif time.monotonic() - moved > stall:
                raise Transient(f"reading {topic} stands still for {stall:.0f} s", remedy="is the broker up?")
            for record in records:
                error = record.error()
                partition, offset = record.partition(), record.offset()
                if error is None:
                    if partition in left and offset is not None:
                        yield record
                        _done(left, partition, offset + 1)
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's public name for it
                    _done(left, partition, offset)
                else:
                    raise Transient(f"reading {topic} failed: {error.str()}", remedy="is the broker up?")
    finally:
        reader.close()


def _done(left: dict[int, int], partition: int | None, position: int | None) -> None:
    if partition is not None and position is not None and position >= left.get(partition, 1 << 62):
        del left[partition]


def end_offsets(settings: KafkaSettings, topic: str, partitions: Iterable[int]) -> dict[int, tuple[int, int]]:
    """First and end offset of each partition, open transactions included."""
    probe = consumer(settings, group=f"burnline.probe.{uuid.uuid4()}", isolation_level="read_uncommitted")
    try:
        return {p: probe.get_watermark_offsets(TopicPartition(topic, p), timeout=10) for p in partitions}
    except KafkaException as error:
        raise Transient(
            f"the end of {topic} cannot be asked for: {error.args[0].str()}", remedy="is the broker up?"
        ) from error
    finally:
        probe.close()
