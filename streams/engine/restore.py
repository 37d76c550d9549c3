"""Rebuild states from their topics, beside the running loop.

Order matters. First the group's committed position is asked for, which waits until every pending transaction of a former
owner is decided; only then is the state read, to the end of all records, open transactions included. So whatever the
position covers is in the rows. What a checkpoint holds already is not read again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from queue import SimpleQueue
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, TopicCollection, TopicPartition

from infra.errors import BurnlineError, Fatal
from infra.kafka.clients import admin, consumer
from infra.kafka.reader import STALL, end_offsets, read_many
from infra.settings import KafkaSettings
from streams.engine import metrics
from streams.engine.checkpoints import Checkpoints, Copy
from streams.engine.failures import of_kafka
from streams.engine.filling import take_in
from streams.engine.gathering import Gathering, gather
from streams.engine.ownership import Position
from streams.engine.shelves import Shelves, shelf_of
from streams.engine.telling import TELLER
from streams.engine.topology import Partition, Processor

CHUNK = 1000
"""Rows that are taken in before it is looked whether there is room for more."""
Warm = Callable[[Partition], Copy | None]
"""Hands over the copy of a state that was followed, known by its topic, if there is one."""


class Restored(NamedTuple):
    """The state of one input partition at the group's committed position, and how many rows had to be read for it."""

    place: Partition
    state: Any
    position: Position
    rows: int


def committed_positions(
    settings: KafkaSettings, group: str, places: list[Partition], *, timeout: float
) -> dict[Partition, Position]:
    """The group's positions once every pending transaction on them is decided; negative where there is none."""
    probe = consumer(settings, group=group)
    try:
        found = probe.committed([TopicPartition(topic, partition) for topic, partition in places], timeout)
    except KafkaException as error:
        raise of_kafka("waiting for stable positions", error) from error
    finally:
        probe.close()
    for answer in found:
        if answer.error is not None:
            raise of_kafka(f"asking for the position of {answer.topic}", answer.error)
    return {(answer.topic, answer.partition): Position(answer.offset, answer.metadata or "") for answer in found}


def restore(
    settings: KafkaSettings,
    group: str,
    wanted: Mapping[Partition, Processor],
    checkpoints: Checkpoints,
    warm: Warm,
    *,
    timeout: float,
) -> Iterator[Restored]:
    """The states of these input partitions, those of which a `warm` copy is there from that.

    Raises `Transient` when Kafka does not answer in `timeout` seconds or nothing comes for `STALL` or as long, `Fatal` for a row that cannot be read.
    """
    if not wanted:
        return
    shelves, stall = checkpoints.shelves, max(STALL, timeout)
    positions = committed_positions(settings, group, list(wanted), timeout=timeout)
    missing: dict[str, list[Partition]] = {}
    for place, processor in wanted.items():
        missing.setdefault(processor.state, []).append(place)
    ids = topic_ids(settings, missing)
    for topic, places in missing.items():
        ends = end_offsets(settings, topic, [partition for _, partition in places])
        copies = {
            place[1]: begun(
                warm((topic, place[1])) or checkpoints.load(topic, ids[topic], place[1]), wanted[place], ends[place[1]]
            )
            for place in places
        }
        ranges = {p: (copy.offset, ends[p][1]) for p, copy in copies.items()}
        latest = _newer(settings, topic, ranges, shelves, stall)
        for place in places:
            processor, partition = wanted[place], place[1]
            copy, rows, (first, end) = copies.pop(partition), latest.pop(partition), ends[partition]
            if copy.offset > first and rows.deleted:  # a copy does not say which row a deletion took away
                checkpoints.drop(topic, partition)
                copy = Copy(processor.new(), first)
                rows = _newer(settings, topic, {partition: (first, end)}, shelves, stall)[partition]
            read = fill(processor, copy.state, rows)
            yield Restored(place, copy.state, positions[place], read)


def begun(copy: Copy | None, processor: Processor, bounds: tuple[int, int]) -> Copy:
    """What to go on from: the copy, or nothing where its topic does not reach from where it stands."""
    first, end = bounds
    return copy if copy is not None and first <= copy.offset <= end else Copy(processor.new(), first)


def _newer(
    settings: KafkaSettings, topic: str, ranges: Mapping[int, tuple[int, int]], shelves: Shelves, stall: float
) -> dict[int, Gathering]:
    """The last value of each row in these ranges, by partition; tells how far it is, since it may take a while."""
    latest = {partition: shelves.gathering(end - begin, len(ranges)) for partition, (begin, end) in ranges.items()}
    total = sum(end - begin for begin, end in ranges.values())
    with TELLER.restoring(topic, total) as tell:
        read = 0
        for records in read_many(settings, topic, ranges, stall):
            gather(latest, records)
            read += len(records)
            metrics.RESTORING_ROWS.set(total - read)
            tell(read)
    metrics.RESTORING_ROWS.set(0)
    return latest


def topic_ids(settings: KafkaSettings, topics: Iterable[str]) -> dict[str, str]:
    """What tells a topic from another that was made under its name. Raises `Transient`, or `Fatal` where it may not be seen."""
    names = list(topics)
    if not names:
        return {}
    client = admin(settings)  # kept: the answers never come once the client is gone
    try:
        answers = client.describe_topics(TopicCollection(names), request_timeout=30)
        return {name: str(future.result(60).topic_id) for name, future in answers.items()}
    except KafkaException as error:
        raise of_kafka("asking for the topics of states", error) from error


def fill(processor: Processor, state: Any, rows: Gathering) -> int:
    """Take rows into a state; returns how many. Raises `Fatal` for one that cannot be read: going on without it would lose what it says."""
    shelf, read = shelf_of(state), 0
    for part in rows.parts():
        read += len(part)
        # a subject's rows after each other: it is put away and fetched once, if there is no room for all
        short = shelf is not None and shelf.short(len(part))
        left = ((key, part[key]) for key in sorted(part)) if short else iter(part.items())
        while some := list(islice(left, CHUNK)):
            take_in(processor, state, some)
            if shelf is not None:
                shelf.grew(len(some))
    return read


class Restorer:
    """Runs `restore` in threads; the engine's thread takes what is done. Only what is still wanted counts."""

    def __init__(
        self, settings: KafkaSettings, group: str, checkpoints: Checkpoints, warm: Warm, *, timeout: float
    ) -> None:
        """For this group; `timeout` is how long a pending transaction may take to be decided, in seconds."""
        self._settings, self._group, self._timeout = settings, group, timeout
        self._checkpoints, self._warm = checkpoints, warm
        self._done: SimpleQueue[tuple[int, Partition, Restored | BaseException]] = SimpleQueue()

    def order(self, generation: int, wanted: Mapping[Partition, Processor]) -> None:
        """Begin to restore. `generation` marks what comes of it."""

        def work() -> None:
            try:
                for result in restore(
                    self._settings, self._group, wanted, self._checkpoints, self._warm, timeout=self._timeout
                ):
                    self._done.put((generation, result.place, result))
            except BaseException as error:  # noqa: BLE001  handed to the engine's thread, which raises it
                for place in wanted:
                    self._done.put((generation, place, error))

        threading.Thread(target=work, name=f"restore-{generation}", daemon=True).start()

    def done(self, wanted: Callable[[Partition, int], bool]) -> list[Restored]:
        """What was restored since the last call and is still wanted. Raises what the restoring of such a place raised."""
        results: list[Restored] = []
        while not self._done.empty():
            generation, place, result = self._done.get()
            if not wanted(place, generation):
                continue
            if isinstance(result, BurnlineError):
                raise result
            if isinstance(result, BaseException):
                raise Fatal(
                    f"restoring failed: {result!r}", remedy="report it with the log: it is a defect"
                ) from result
            results.append(result)
        return results
