"""All of history in the order of its time: source topics up to given offsets, merged.

A worker that follows live takes records as they come; topics have no order among each other but that of time. So records are merged by
the time that Kafka has for each, those of a partition in their order: a record that is older than the one before it counts as if it were of the
same time. Records of one time come in the order of their partitions.

As much is held back as the partitions are apart, and no more: one that is far ahead is paused.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

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
FETCH = 8 << 20
"""Bytes asked for of each partition at a time: with the client's own 1 MiB, most of the time went by waiting for the next answer."""
AT_ONCE = 5000
ENDED = 1 << 80
"""The place in time of what comes no more."""

Ordered = tuple[int, Message]
"""A record, and its place in the order of time: the same in whatever process it is read."""
by_time = itemgetter(0)


@dataclass(slots=True)
class _Stream:
    """One partition: up to where it is read, what is held of it, and how far in time it is known to reach."""

    place: Partition
    rank: int
    ranks: int
    end: int
    reaches: int = -1
    orders: list[int] = field(default_factory=list)
    records: list[Message] = field(default_factory=list)
    paused: bool = False

    def hold(self, record: Message) -> None:
        order: int = record.timestamp()[1] * self.ranks + self.rank
        order = max(order, self.reaches)
        self.reaches = order
        self.orders.append(order)
        self.records.append(record)

    def until(self, horizon: int) -> list[Ordered]:
        """Hand over what is held up to this place in time."""
        count = bisect_right(self.orders, horizon)
        found = list(zip(self.orders[:count], self.records[:count], strict=True))
        del self.orders[:count], self.records[:count]
        return found


def merged(
    settings: KafkaSettings, ranges: Mapping[Partition, tuple[int, int]], ranks: Mapping[Partition, int]
) -> Iterator[tuple[int, list[Ordered]]]:
    """The committed records of these ranges, ends excluded, by time: page by page, each with the place in time up to which nothing is missing.

    `ranks` is the order of the partitions, of these and any that others read. Raises `Transient` when nothing comes for `STALL` seconds.
    """
    history = _History(settings, {place: bounds for place, bounds in ranges.items() if bounds[1] > bounds[0]}, ranks)
    try:
        yield from history.pages()
    finally:
        history.close()


class _History:
    """One consumer, and what it has brought of each partition."""

    def __init__(
        self,
        settings: KafkaSettings,
        ranges: Mapping[Partition, tuple[int, int]],
        ranks: Mapping[Partition, int],
    ) -> None:
        self._reader: Consumer = consumer(
            settings,
            group=scratch_group("rebuild"),
            enable_partition_eof=True,
            fetch_wait_max_ms=20,
            max_partition_fetch_bytes=FETCH,
        )
        self._streams = {place: _Stream(place, ranks[place], len(ranks), end) for place, (_, end) in ranges.items()}
        self._open = dict(self._streams)
        self._reader.assign([TopicPartition(*place, begin) for place, (begin, _) in ranges.items()])

    def close(self) -> None:
        self._reader.close()

    def pages(self) -> Iterator[tuple[int, list[Ordered]]]:
        moved, reached = time.monotonic(), -1
        while self._open:
            records = self._reader.consume(AT_ONCE, 0.05)
            if records:
                moved = time.monotonic()
                self._take(records)
            horizon = min((stream.reaches for stream in self._open.values()), default=ENDED)
            if horizon > reached:
                reached = horizon
                yield horizon, self._until(horizon)
                moved = time.monotonic()
            elif time.monotonic() - moved > STALL:
                last = min(self._open.values(), key=lambda stream: stream.reaches).place[0]
                raise Transient(f"reading {last} stands still for {STALL:.0f} s", remedy="is the broker up?")
            self._pause(horizon)

    def _take(self, records: list[Message]) -> None:
        streams = self._open
        for record in records:
            stream = streams.get((record.topic(), record.partition()))  # type: ignore[arg-type]
            error, offset = record.error(), record.offset() or 0
            if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's public name for it
                raise of_kafka(f"reading {record.topic()}", error)
            if stream is None:
                continue
            if error is None:
                if offset < stream.end:
                    stream.hold(record)
                offset += 1
            if offset >= stream.end:
                del streams[stream.place]

    def _until(self, horizon: int) -> list[Ordered]:
        found = [part for stream in self._streams.values() if stream.orders and (part := stream.until(horizon))]
        page = [one for part in found for one in part]
        if len(found) > 1:
            page.sort(key=by_time)
        return page

    def _pause(self, horizon: int) -> None:
        """Let those wait that are far ahead, and go on with those that are not any more."""
        for stream in self._open.values():
            ahead = len(stream.records) >= (HELD // 2 if stream.paused else HELD) and stream.reaches > horizon
            if ahead != stream.paused:
                stream.paused = ahead
                (self._reader.pause if ahead else self._reader.resume)([TopicPartition(*stream.place)])
