"""All of history in the order of its time: every source topic up to given offsets, merged.

A worker that follows live takes records as they come; topics have no order among each other but that of time. So records are merged by
the time that Kafka has for each, those of a partition in their order. As much is held back as the partitions are apart, and no more:
one that is far ahead is paused.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from heapq import heapify, heappop, heapreplace

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from infra.errors import Transient
from infra.kafka.clients import consumer
from infra.kafka.names import scratch_group
from infra.kafka.reader import STALL
from infra.settings import KafkaSettings
from streams.engine.failures import of_kafka
from streams.engine.topology import Partition

HELD = 20_000
"""Records of one partition that are held back before it is paused."""


def merged(settings: KafkaSettings, ranges: Mapping[Partition, tuple[int, int]]) -> Iterator[Message]:
    """The committed records of these ranges, ends excluded, by time. Raises `Transient` when nothing comes for a minute."""
    history = _History(settings, {place: bounds for place, bounds in ranges.items() if bounds[1] > bounds[0]})
    try:
        yield from history.records()
    finally:
        history.close()


class _History:
    """One consumer, and what it has brought of each partition."""

    def __init__(self, settings: KafkaSettings, ranges: Mapping[Partition, tuple[int, int]]) -> None:
        self._reader: Consumer = consumer(
            settings, group=scratch_group("rebuild"), enable_partition_eof=True, fetch_wait_max_ms=20
        )
        self._ends = {place: end for place, (_, end) in ranges.items()}
        self._held: dict[Partition, deque[Message]] = {place: deque() for place in ranges}
        self._open = set(ranges)
        self._paused: set[Partition] = set()
        self._reader.assign([TopicPartition(*place, begin) for place, (begin, _) in ranges.items()])

    def close(self) -> None:
        self._reader.close()

    def records(self) -> Iterator[Message]:
        first = [(self._next_time(place), place) for place in sorted(self._held) if self._has_more(place)]
        heapify(first)
        while first:
            place = first[0][1]
            yield self._held[place].popleft()
            if self._has_more(place):
                heapreplace(first, (self._next_time(place), place))
            else:
                heappop(first)

    def _next_time(self, place: Partition) -> int:
        return int(self._held[place][0].timestamp()[1])

    def _has_more(self, place: Partition) -> bool:
        """Whether another record of this partition comes; returns once that is known."""
        held = self._held[place]
        if not held and place in self._open:
            self._fetch_until(place)
        return bool(held)

    def _fetch_until(self, place: Partition) -> None:
        if place in self._paused:
            self._paused.remove(place)
            self._reader.resume([TopicPartition(*place)])
        moved = time.monotonic()
        while place in self._open and not self._held[place]:
            records = self._reader.consume(5000, 0.05)
            if records:
                moved = time.monotonic()
            elif time.monotonic() - moved > STALL:
                raise Transient(f"reading {place[0]} stands still for {STALL:.0f} s", remedy="is the broker up?")
            for record in records:
                self._take(record)

    def _take(self, record: Message) -> None:
        place = record.topic() or "", record.partition() or 0
        error, offset = record.error(), record.offset() or 0
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's public name for it
            raise of_kafka(f"reading {place[0]}", error)
        if place not in self._open:
            return
        if error is None and offset < self._ends[place]:
            self._held[place].append(record)
            if len(self._held[place]) >= HELD and place not in self._paused:
                self._paused.add(place)
                self._reader.pause([TopicPartition(*place)])
        if (offset if error is not None else offset + 1) >= self._ends[place]:
            self._open.remove(place)
