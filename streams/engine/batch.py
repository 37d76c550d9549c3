"""One batch from records to outputs, without Kafka: decode once, route, step, measure, encode.

Rules
- A contribution to a state that is near (on this worker, with nothing on its way to it) is stepped at once, in the same
  transaction as the record it came from; to any other it travels in a frame.
- Records of a partition count in their order; only measures are conflated, to the last of each subject in the batch.
- A row of state that is written several times in a batch is written once, as it was last.
- What cannot be decoded or breaks a rule becomes a dead letter in the same batch, and the batch goes on. Any other
  exception is a defect: it leaves with the place of its record, and nothing of the batch is committed.
- Outputs are bytes already, so that nothing can fail between the beginning of a transaction and its commit but Kafka.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Any, NoReturn, Protocol

from infra.dead_letters import parked
from infra.errors import BurnlineError, Fatal, PoisonMessage
from schemas import codec
from schemas.events import refuse_contradiction
from schemas.topics import Topic
from streams.core.contract import EVERYBODY, Contribution, Row
from streams.engine.failures import DefectError
from streams.engine.frames import FRAME, Frames, sealed
from streams.engine.publishing import Published
from streams.engine.topology import SEPARATOR, Partition, Processor, Topology, partition_of


class Record(Protocol):
    """The part of a Kafka message that a batch looks at."""

    def topic(self) -> str | None: ...
    def partition(self) -> int | None: ...
    def offset(self) -> int | None: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> Any: ...


@dataclass(slots=True)
class Outputs:
    """What one batch leads to. `rows` and `frames` go to the partition they name, `events` to that of their key.

    `stepped` are the input partitions whose state moved, with or without a record of their own: a state that moved has written rows.
    """

    offsets: dict[Partition, int] = field(default_factory=dict)
    stepped: frozenset[Partition] = frozenset()
    rows: list[tuple[Partition, list[dict[str, Any]]]] = field(default_factory=list)
    frames: list[tuple[str, int, bytes]] = field(default_factory=list)
    events: list[Published] = field(default_factory=list)
    dead_letters: int = 0
    entries: int = 0


Work = tuple[Processor, Any, dict[str, bytes | Row]]
"""A processor, one of its states, and the rows of it that this batch wrote, by key: their bytes where they are there already.

Most rows are an entry as it came. The entry itself is not kept: tens of thousands of them would not stay in the machine's caches.
"""


class Batch:
    """Works on one batch.

    `states` holds the state of each input partition that this worker owns and has restored; `near` says which of them
    may be stepped without a frame.
    """

    def __init__(
        self,
        topology: Topology,
        widths: Mapping[str, int],
        states: Mapping[Partition, tuple[Processor, Any]],
        at: datetime,
        near: Container[Partition] = frozenset(),
    ) -> None:
        """Begin at the time `at`, which only dead letters show."""
        self._topology, self._states, self._at = topology, states, at
        self._sources = {
            name: (expected, topology.decoders.get(name, codec.decode_plain))
            for name, expected in topology.sources.items()
        }
        self._frames = Frames(topology.processors, widths)
        self._works: dict[Partition, Work] = {}
        # what may be stepped at once is looked up for every contribution: by processor, then by the partition's number
        self._near: dict[str, list[Work | None]] = {
            name: [self._work(place) if place in near else None for place in places]
            for name, places in self._frames.lanes().items()
        }
        self._out = Outputs()
        self.decoding = 0.0
        """Seconds that were spent on decoding so far."""

    def take(self, records: Iterable[Record]) -> None:
        """Route and step these records, in their order. Raises `DefectError` that names the record at which something broke."""
        topic, partition, offset = "", -1, -1
        reached = self._out.offsets
        try:
            for record in records:
                topic, partition, offset = _where(record)
                reached[topic, partition] = offset + 1
                self._take(record, topic, partition, record.value())
        except BurnlineError:
            raise
        except Exception as error:
            raise DefectError((topic, partition), offset, error) from error

    def _take(self, record: Record, topic: str, partition: int, value: bytes | None) -> None:
        if value is None:
            return  # a tombstone erases what a record said of a person; it says nothing new
        try:
            source = self._sources.get(topic)
            if source is None:
                self._step(record, topic, partition, value)
                return
            expected, decode = source
            began = perf_counter()
            name, content = decode(value)
            self.decoding += perf_counter() - began
            if name != expected:
                _refuse(name, topic, expected, "find the producer that mixes up its topics")
            self._route(record, topic, partition, content)
        except PoisonMessage as error:
            self._park(record, error, "streams.decode")

    def _route(self, record: Record, topic: str, partition: int, content: Any) -> None:
        meta = content.get("meta")
        if meta is not None:
            refuse_contradiction(record.headers(), meta)
        try:
            contributions = list(self._topology.route(topic, content))
        except PoisonMessage as error:
            self._park(record, error, "streams.route")
            return
        self._hand_on(contributions, record, partition if topic == self._topology.clock else None)

    def _hand_on(self, contributions: list[Contribution], record: Record, only: int | None = None) -> None:
        """Step what is near, and let the rest travel."""
        data = b""
        for contribution in contributions:
            processor, subject = contribution.processor, contribution.subject
            lane = self._near.get(processor)
            if lane is not None and subject != EVERYBODY:  # nearly always: without asking for a list of places
                data = self._hand(contribution, record, partition_of(subject, len(lane)), data)
            else:
                for _, number in self._frames.places(contribution, only):
                    data = self._hand(contribution, record, number, data)

    def _hand(self, contribution: Contribution, record: Record, number: int, data: bytes) -> bytes:
        """Hand a contribution to one partition of its processor. Takes and returns its bytes, or none, for its twin's sake."""
        work = self._near[contribution.processor][number]
        if work is None:
            self._frames.add(self._frames.lanes()[contribution.processor][number], contribution, record)
            return data
        kind, entry = contribution.kind, contribution.entry
        try:
            if contribution.twin and data:
                data = codec.with_first_text(data, contribution.subject)
            else:
                data = sealed(kind, entry)
        except PoisonMessage as error:
            self._park(record, error, "streams.frame")
            return b""
        self._apply(work, kind, entry, data, record)
        return data

    def _step(self, record: Record, topic: str, partition: int, value: bytes) -> None:
        began = perf_counter()
        name, items = codec.decode_items(value)
        self.decoding += perf_counter() - began
        if name != FRAME:
            _refuse(name, topic, "frames", "find who else writes there")
        work = self._work((topic, partition))
        for kind, entry, data in items:
            self._apply(work, kind, entry, data, record)

    def _work(self, place: Partition) -> Work:
        work = self._works.get(place)
        if work is None:
            work = self._works[place] = *self._states[place], {}
        return work

    def _apply(self, work: Work, kind: str, entry: Any, data: bytes, record: Record) -> None:
        processor, state, written = work
        self._out.entries += 1
        try:
            done = processor.step(state, kind, entry)
        except PoisonMessage as error:
            key = entry.get("subject", "") + SEPARATOR + entry.get("record", kind)
            self._park(record, error, f"streams.{processor.name}", (key.encode(), data))
            return
        for row in done.rows:
            written[row.subject + SEPARATOR + row.record] = data if data and row.entry is entry else row
        for alert in done.alerts:
            self._emit(self._topology.alerts, alert)
        if done.contributions:
            self._hand_on(done.contributions, record)

    def _park(self, record: Record, error: PoisonMessage, stage: str, part: tuple[bytes, bytes] | None = None) -> None:
        """Park a record, or the `part` of it (key and value) that failed."""
        topic, partition, offset = record.topic() or "", record.partition(), record.offset()
        key, value = part or (record.key(), record.value())
        letter = parked(
            topic,
            -1 if partition is None else partition,
            -1 if offset is None else offset,
            key=key,
            value=value,
            headers=record.headers(),
            error=error,
            stage=stage,
            at=self._at,
        )
        self._emit(self._topology.dead_letters, letter)
        self._out.dead_letters += 1

    def _emit(self, topic: Topic, event: Any) -> None:
        self._out.events.extend(self._topology.published(topic, event))

    def finish(self) -> Outputs:
        """Take the measures and encode everything. Raises `Fatal` for an output that breaks its schema."""
        for processor, state, _ in self._works.values():
            for event in processor.measures(state):
                self._emit(processor.topic_of(event), event)
        self._out.frames, refused = self._frames.packed()
        for record, error in refused:
            self._park(record, error, "streams.frame")
        for (_, partition), (processor, _, rows) in self._works.items():
            if rows:
                written = [_message(key, row) for key, row in rows.items()]
                self._out.rows.append(((processor.state, partition), written))
        self._out.stepped = frozenset(place for place, (*_, rows) in self._works.items() if rows)
        return self._out


def _refuse(name: str, topic: str, held: str, remedy: str) -> NoReturn:
    raise PoisonMessage(f"a {name} stands on {topic}, which holds {held}", remedy=remedy, reason="wrong_record")


def _where(record: Record) -> tuple[str, int, int]:
    topic, partition, offset = record.topic(), record.partition(), record.offset()
    if topic is None or partition is None or offset is None:
        raise Fatal("a record came without its place", remedy="report it: the Kafka client is broken")
    return topic, partition, offset


def _message(key: str, row: bytes | Row) -> dict[str, Any]:
    if isinstance(row, bytes):
        return {"key": key.encode(), "value": row}
    try:
        return {"key": key.encode(), "value": codec.encode_wire(row.kind, row.entry)}
    except PoisonMessage as error:
        raise Fatal(f"a row of state is broken: {error}", remedy="mend the processor that made it") from error
