"""Read a topic from its beginning to its end, as it stands now.

The end is that of *all* records, also of those in transactions that are still being decided, while only committed records
are returned: reading up to the last stable offset would miss a transaction whose marker is on its way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

import stamina
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # exported, but not declared so

from infra.errors import Transient
from infra.kafka.clients import SWEEP, TRANSACTION, admin, consumer
from infra.kafka.failures import refusal
from infra.kafka.names import scratch_group
from infra.settings import KafkaSettings

SETTLING = 60.0
"""Seconds to wait for a partition's leader: topics that were just made on a busy broker have had none for more than 15."""
_ELECTING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001  what `get_watermark_offsets` says while the client has not heard of the topic
        KafkaError._NOENT,  # noqa: SLF001  what `list_offsets` says when no partition of the request has a leader
    }
)

STALL = TRANSACTION + SWEEP
"""Seconds without anything read after which reading is given up: what a writer of ours left open that was killed holds readers up for less,
unless it is a worker of the streams that was given more time."""


def partitions_of(settings: KafkaSettings, topic: str) -> list[int]:
    """The topic's partitions; none when it does not exist. Raises `Transient`, or `Fatal` where it may not be seen."""
    probe = consumer(settings, group=scratch_group("probe"))
    try:
        found = probe.list_topics(topic, timeout=10).topics[topic]
        refused = found.error and refusal(f"asking for {topic}", found.error)
        if refused:
            raise refused
        return sorted(found.partitions) if found.error is None else []
    except KafkaException as error:
        raise refusal(f"asking for {topic}", error) or Transient(
            f"the partitions of {topic} cannot be asked for: {error.args[0].str()}", remedy="is the broker up?"
        ) from error
    finally:
        probe.close()


def read_to_end(
    settings: KafkaSettings,
    topic: str,
    partitions: Iterable[int] | None = None,
    *,
    stall: float = STALL,
    uncommitted: bool = False,
) -> Iterator[Message]:
    """Every committed record of these partitions (all by default), in order per partition, up to the end at the call.

    With `uncommitted` those of transactions that were taken back, too: all that is on the broker's disk.

    Raises `Transient` when nothing moves for `stall` seconds, since waiting for ever would hide a dead broker, and `Fatal` where
    it may not be read.
    """
    wanted = list(partitions) if partitions is not None else partitions_of(settings, topic)
    if not wanted:
        return
    yield from read_ranges(settings, topic, end_offsets(settings, topic, wanted), stall, uncommitted=uncommitted)


def read_ranges(
    settings: KafkaSettings,
    topic: str,
    ranges: Mapping[int, tuple[int, int]],
    stall: float,
    *,
    uncommitted: bool = False,
) -> Generator[Message, None, None]:
    """Every committed record in these ranges of offsets by partition, their ends excluded. The rest as in `read_to_end`."""
    for records in read_many(settings, topic, ranges, stall, uncommitted=uncommitted):
        yield from records


def read_many(
    settings: KafkaSettings,
    topic: str,
    ranges: Mapping[int, tuple[int, int]],
    stall: float,
    *,
    uncommitted: bool = False,
) -> Generator[list[Message], None, None]:
    """The same, as many at a time as have come: for who reads millions."""
    reader = consumer(
        settings,
        group=scratch_group("reader"),
        enable_partition_eof=True,
        isolation_level="read_uncommitted" if uncommitted else "read_committed",
        fetch_wait_max_ms=20,  # the end is told only once this wait is over
    )
    try:
        left = {p: end for p, (begin, end) in ranges.items() if end > begin}
        # by number: the symbolic beginning costs the client half a second to look up
        reader.assign([TopicPartition(topic, p, ranges[p][0]) for p in left])
        moved = time.monotonic()
        while left:
            records = reader.consume(5000, 0.02)
            if records:
                moved = time.monotonic()
                if wanted := records if _all_within(records, left) else _within(records, left, f"reading {topic}"):
                    yield wanted
            elif time.monotonic() - moved > stall:
                raise Transient(f"reading {topic} stands still for {stall:.0f} s", remedy="is the broker up?")
    finally:
        reader.close()


def _all_within(records: list[Message], left: Mapping[int, int]) -> bool:
    """Whether none of these is a remark of the client, nor the last one wanted of its partition: nearly always."""
    if any(map(Message.error, records)):
        return False
    last = dict(zip(map(Message.partition, records), map(Message.offset, records), strict=True))
    return all(offset + 1 < left.get(partition, 0) for partition, offset in last.items())  # type: ignore[operator,arg-type]  # records have both


def _within(records: list[Message], left: dict[int, int], doing: str) -> list[Message]:
    """Those before the ends that are left; partitions of which the end was reached are left no more. Raises for what the client cannot do."""
    wanted = []
    for record in records:
        error = record.error()
        partition, offset = record.partition(), record.offset()
        if error is None:
            if partition in left and offset is not None:
                if offset < left[partition]:
                    wanted.append(record)
                _done(left, partition, offset + 1)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's public name for it
            _done(left, partition, offset)
        else:
            raise refusal(doing, error) or Transient(f"{doing} failed: {error.str()}", remedy="is the broker up?")
    return wanted


def available(reader: Consumer, most: int, wait: float) -> list[Message]:
    """What is there, as soon as anything is, and no more than so many; nothing after so many seconds without."""
    first = reader.poll(wait)
    return [] if first is None else [first, *reader.consume(most - 1, 0)]


def last_records(
    settings: KafkaSettings,
    topic: str,
    partitions: Iterable[int],
    *,
    accept: Callable[[Message], bool] = lambda _: True,
) -> dict[int, Message]:
    """The last committed record that is accepted of each partition that has one, without reading the topic from its beginning.

    Looks back from the end in steps that grow, since the end may be marks of transactions. Raises `Transient`.
    """
    found: dict[int, Message] = {}
    ends = end_offsets(settings, topic, partitions)
    back = 16
    while left := {p: bounds for p, bounds in ends.items() if p not in found and bounds[1] > bounds[0]}:
        starts = {p: max(begin, end - back) for p, (begin, end) in left.items()}
        for record in read_ranges(settings, topic, {p: (starts[p], end) for p, (_, end) in left.items()}, STALL):
            if accept(record):
                found[record.partition() or 0] = record
        ends = {p: bounds for p, bounds in left.items() if starts[p] > bounds[0]}
        back *= 16
    return found


def _done(left: dict[int, int], partition: int | None, position: int | None) -> None:
    if partition is not None and position is not None and position >= left.get(partition, 1 << 62):
        del left[partition]


def end_offsets(settings: KafkaSettings, topic: str, partitions: Iterable[int]) -> dict[int, tuple[int, int]]:
    """First and end offset of each partition, open transactions included. Waits for a leader that is being elected."""
    probe = consumer(settings, group=scratch_group("probe"), isolation_level="read_uncommitted")

    @stamina.retry(on=_leaderless, attempts=None, timeout=SETTLING, wait_initial=0.1, wait_max=1.0)
    def ask(partition: int) -> tuple[int, int]:
        return probe.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)

    try:
        return {partition: ask(partition) for partition in partitions}
    except KafkaException as error:
        raise refusal(f"asking for the end of {topic}", error) or Transient(
            f"the end of {topic} cannot be asked for: {error.args[0].str()}", remedy="is the broker up?"
        ) from error
    finally:
        probe.close()


def latest_offsets(settings: KafkaSettings, topics: Mapping[str, int]) -> list[TopicPartition]:
    """The present end of every partition of these topics (name to number of partitions). Waits for leaders as `end_offsets` does."""
    client = admin(settings)  # kept: the answers never come once the client is gone
    partitions = [TopicPartition(name, p) for name, count in topics.items() for p in range(count)]
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # as above

    @stamina.retry(on=_leaderless, attempts=None, timeout=SETTLING, wait_initial=0.1, wait_max=1.0)
    def ask() -> list[TopicPartition]:
        answers = client.list_offsets(dict.fromkeys(partitions, latest), request_timeout=30)
        return [TopicPartition(tp.topic, tp.partition, future.result(60).offset) for tp, future in answers.items()]

    try:
        return ask()
    except KafkaException as error:
        raise refusal("asking for the topics' ends", error) or Transient(
            f"the topics' ends cannot be asked for: {error.args[0].str()}", remedy="is the broker up?"
        ) from error


def _leaderless(error: Exception) -> bool:
    """A topic that was just made, or a broker that was just started, has leaders only after a moment."""
    return isinstance(error, KafkaException) and error.args[0].code() in _ELECTING
