"""Records of one topic, decoded, as they come: from its end on, or from its beginning."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from consumers.core.rendering import rendered
from infra.errors import Fatal
from infra.kafka.clients import consumer
from infra.kafka.failures import is_record
from infra.kafka.names import scratch_group
from infra.kafka.reader import end_offsets, partitions_of
from infra.settings import Settings
from schemas.topics import TOPICS


def tail(
    settings: Settings,
    topic: str,
    *,
    from_beginning: bool = False,
    limit: int | None = None,
    follow: bool = True,
    personal: bool = False,
    stop: threading.Event | None = None,
) -> Iterator[dict[str, Any]]:
    """Each committed record as one object of plain values, in order per partition.

    What is about people is masked unless `personal`. Keys: topic, partition, offset, timestamp_ms, key, type, then `value`, or `tombstone`, or `error`, `reason`, `remedy` and `raw`.
    Ends after `limit` records, when `stop` is set, or, without `follow`, at the end as it was at the call. Raises `Fatal` for a
    topic that does not exist, `Transient` for a broker that fails.
    """
    partitions = partitions_of(settings.kafka, topic)
    if not partitions:
        stem = topic.partition(".")[0]
        near = [name for name in TOPICS if name.startswith(stem)] or list(TOPICS)
        raise Fatal(
            f"the topic {topic} does not exist", remedy=f"name one of {', '.join(near)}, or run `burnline topics apply`"
        )
    ends = {partition: end for partition, (_, end) in end_offsets(settings.kafka, topic, partitions).items()}
    reader = consumer(settings.kafka, group=scratch_group("tail"), enable_partition_eof=True)
    try:
        reader.assign([TopicPartition(topic, p, OFFSET_BEGINNING if from_beginning else ends[p]) for p in partitions])
        unread = set(partitions)
        shown = 0
        while shown != limit and not (stop is not None and stop.is_set()) and (follow or unread):
            record = reader.poll(0.2)
            if record is None:
                continue
            partition, offset = record.partition() or 0, record.offset() or 0
            if is_record(record):
                if not follow and offset >= ends[partition]:
                    unread.discard(partition)
                    continue
                place = {
                    "topic": topic,
                    "partition": partition,
                    "offset": offset,
                    "timestamp_ms": record.timestamp()[1],
                }
                yield rendered(place, record.key(), record.value(), personal=personal)
                shown += 1
            elif offset >= ends[partition]:
                unread.discard(partition)
    finally:
        reader.close()
