"""Rebuild states from their topics, beside the running loop.

Order matters. First the group's committed position is asked for, which waits until every pending transaction of a former
owner is decided; only then is the state read, to the end of all records, open transactions included. So whatever the
position covers is in the rows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from queue import SimpleQueue
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, TopicPartition

from infra.errors import BurnlineError, Fatal, PoisonMessage
from infra.kafka.clients import consumer
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings
from schemas import codec
from streams.engine.failures import of_kafka
from streams.engine.ownership import Kept, Position
from streams.engine.topology import SEPARATOR, Partition, Processor


class Restored(NamedTuple):
    """The state of one input partition at the group's committed position; `rows` is None where a kept one was current."""

    place: Partition
    state: Any
    position: Position
    rows: int | None


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
    kept: Mapping[Partition, Kept],
    *,
    timeout: float,
) -> Iterator[Restored]:
    """The states of these input partitions, those that were kept and are still current first.

    Raises `Transient` when Kafka does not answer, `Fatal` for a row that cannot be read.
    """
    if not wanted:
        return
    positions = committed_positions(settings, group, list(wanted), timeout=timeout)
    missing: dict[str, list[Partition]] = {}
    for place, processor in wanted.items():
        if place in kept and kept[place].position == positions[place]:
            yield Restored(place, kept[place].state, positions[place], None)
        else:
            missing.setdefault(processor.state, []).append(place)
    for topic, places in missing.items():
        latest: dict[int, dict[bytes, bytes]] = {partition: {} for _, partition in places}
        for record in read_to_end(settings, topic, list(latest)):
            key, value, partition = record.key(), record.value(), record.partition()
            if key is not None and partition is not None:
                if value is None:
                    latest[partition].pop(key, None)
                else:
                    latest[partition][key] = value
        for place in places:
            rows = latest.pop(place[1])
            yield Restored(place, rebuilt(wanted[place], rows), positions[place], len(rows))


def rebuilt(processor: Processor, rows: Mapping[bytes, bytes]) -> Any:
    """A state from its rows. Raises `Fatal` for one that cannot be read: going on without it would lose what it says."""
    state = processor.new()
    for key, value in rows.items():
        subject, _, record = key.decode().partition(SEPARATOR)
        try:
            kind, entry = codec.decode_wire(value)
            processor.restore(state, subject, record, kind, entry)
        except PoisonMessage as error:
            raise Fatal(
                f"a row of {processor.state} ({subject} · {record}) cannot be read: {error}",
                remedy="start the release that wrote it, or rebuild the state from the source topics",
            ) from error
    return state


class Restorer:
    """Runs `restore` in a thread; the engine's thread takes what is done. Only the last order counts."""

    def __init__(self, settings: KafkaSettings, group: str, *, timeout: float) -> None:
        """For this group; `timeout` is how long a pending transaction may take to be decided, in seconds."""
        self._settings, self._group, self._timeout = settings, group, timeout
        self._done: SimpleQueue[tuple[int, Restored | BaseException]] = SimpleQueue()

    def order(self, generation: int, wanted: Mapping[Partition, Processor], kept: Mapping[Partition, Kept]) -> None:
        """Begin to restore. `generation` marks what comes of it."""

        def work() -> None:
            try:
                for result in restore(self._settings, self._group, wanted, kept, timeout=self._timeout):
                    self._done.put((generation, result))
            except BaseException as error:  # noqa: BLE001  handed to the engine's thread, which raises it
                self._done.put((generation, error))

        if wanted:
            threading.Thread(target=work, name=f"restore-{generation}", daemon=True).start()

    def done(self, generation: int) -> list[Restored]:
        """What was restored for this generation since the last call. Raises what the restoring raised."""
        results: list[Restored] = []
        while not self._done.empty():
            asked, result = self._done.get()
            if asked != generation:
                continue
            if isinstance(result, BurnlineError):
                raise result
            if isinstance(result, BaseException):
                raise Fatal(
                    f"restoring failed: {result!r}", remedy="report it with the log: it is a defect"
                ) from result
            results.append(result)
        return results
