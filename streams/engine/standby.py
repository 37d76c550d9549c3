"""Warm copies of states that other workers own, so that a lane whose worker died is taken over without restoring it.

Rules
- Whose lanes are followed is worked out from the group as it stands (`streams.engine.group`); nobody is told, nothing is agreed upon.
- A state is followed like this: its topic is read, committed records alone, from the worker's own checkpoint or from the beginning,
  and each row is taken as in a restore. Rows are absolute, and a copy says up to which offset every row is in it.
- It is a head start and no more: who takes over waits for the group's position, and reads from the copy's offset to the end of all
  records, as from a checkpoint. So it does not matter to the result how far a copy is, or whether there is one.
- A deletion does not say what it took away: the state is read again from the beginning, deletions first.
- A state that goes to another worker in order stays here as a copy; of one that was lost, nothing is kept.
- Its thread owns the consumer; states change hands under the lock. A failure here is told, and costs the copies, never the worker.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import structlog
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from infra.errors import BurnlineError
from infra.kafka.clients import consumer
from infra.kafka.names import scratch_group
from infra.kafka.reader import end_offsets
from infra.settings import KafkaSettings
from streams.engine import metrics
from streams.engine.checkpoints import Checkpoints, Copy
from streams.engine.gathering import Gathering
from streams.engine.group import PATIENCE, Group, Watch
from streams.engine.keeping import Made
from streams.engine.ownership import Ownership
from streams.engine.restore import begun, fill, topic_ids
from streams.engine.topology import Partition, Processor

log = structlog.get_logger()
PAUSE = 2.0
"""Seconds to wait after a failure."""
CHUNK = 1000
"""Rows taken at once: some milliseconds of the interpreter, for which a batch of the worker waits at most."""
WAIT = 0.2
FIRST = 0
"""A state's topic is compacted and nothing else, so that its records begin here."""


@dataclass(slots=True)
class _Followed:
    """A copy, how far its topic was read, and the rows that are not taken yet: until `whole` they are gathered, as in a restore."""

    processor: Processor
    copy: Copy
    first: int
    whole: int
    position: int
    rows: Gathering

    @property
    def loaded(self) -> bool:
        return self.copy.offset >= self.whole


class Standbys:
    """The copies of one worker. `each` is how many workers follow a lane beside the one that has it; with 0 nothing happens here."""

    def __init__(
        self,
        settings: KafkaSettings,
        checkpoints: Checkpoints,
        processors: Mapping[str, Processor],
        *,
        watch: Watch,
        own: Ownership,
        instance: str,
        each: int,
    ) -> None:
        """Follow nothing before it is entered. `processors` are known by their topics of states."""
        self._settings, self._checkpoints, self._processors = settings, checkpoints, processors
        self._watch, self._own, self._instance, self._each = watch, own, instance, each
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._followed: dict[Partition, _Followed] = {}
        self._refused: set[Partition] = set()
        self._read: frozenset[Partition] = frozenset()
        self._again = False
        self._thread = threading.Thread(target=self._run, name="standbys", daemon=True)

    def __enter__(self) -> Self:
        """Begin to follow."""
        if self._each:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Follow no more."""
        self._stop.set()
        if self._each:
            self._thread.join(PATIENCE)

    def take(self, place: Partition) -> Copy | None:
        """The copy of a state, which is followed no more; None where there is none, or it was never read to an end."""
        with self._lock:
            found = self._followed.pop(place, None)
            return found.copy if found is not None and found.loaded else None

    def keep(self, copies: Iterable[Made]) -> None:
        """Go on with states that another worker will own."""
        with self._lock:
            for topic, partition, copy in copies:
                processor, at = self._processors[topic], copy.offset
                self._followed[topic, partition] = _Followed(processor, copy, FIRST, at, at, self._few())
                self._again = True

    def _run(self) -> None:
        seen: Group | None = None
        reader: Consumer | None = None
        try:
            while not self._stop.is_set():
                try:
                    # its own states come first: restoring takes the same interpreter
                    if (group := self._watch.now) is not None and group is not seen and self._own.complete:
                        self._follow(group)
                        seen = group
                    if reader is None and not self._followed:  # who is alone needs none
                        self._stop.wait(WAIT)
                        continue
                    reader = reader or self._reader()
                    self._assign(reader)
                    self._take_in(reader.consume(CHUNK, WAIT) if self._read else self._nothing())
                    self._tell(reader)
                except BurnlineError as error:
                    log.warning("standbys_troubled", error=str(error), remedy=error.remedy)
                    self._stop.wait(PAUSE)
        except Exception:
            log.exception("standbys_ended", remedy="the worker goes on without; report it with the log: it is a defect")
        finally:
            with self._lock:
                self._followed.clear()
            if reader is not None:
                reader.close()

    def _reader(self) -> Consumer:
        return consumer(self._settings, group=scratch_group("standby"), enable_partition_eof=True)

    def _nothing(self) -> list[Message]:
        self._stop.wait(WAIT)
        return []

    def _follow(self, group: Group) -> None:
        """Follow the lanes that are ours to follow. A copy of what nobody has just now, or of what has become ours, may be about to be taken."""
        lanes = group.standby(self._instance, self._each)
        wanted = {(topic, lane) for topic in self._processors for lane in lanes} - self._refused
        with self._lock:
            for place in self._followed.keys() - wanted:
                if group.owner_of(place[1]) not in {None, self._instance}:
                    del self._followed[place]
            new = wanted - self._followed.keys()
        ids = topic_ids(self._settings, {topic for topic, _ in new})
        for topic in ids:
            for lane, bounds in end_offsets(self._settings, topic, [n for name, n in new if name == topic]).items():
                processor = self._processors[topic]
                copy = begun(self._checkpoints.load(topic, ids[topic], lane), processor, bounds)
                with self._lock:
                    rows = self._checkpoints.shelves.gathering(bounds[1] - copy.offset, len(wanted))
                    found = _Followed(processor, copy, bounds[0], bounds[1], copy.offset, rows)
                    self._followed.setdefault((topic, lane), found)
                    self._again = True  # the reader may be further on, from when this was followed before

    def _assign(self, reader: Consumer) -> None:
        """Read what is followed, each from where it stands."""
        with self._lock:
            places = frozenset(self._followed)
            if places == self._read and not self._again:
                return
            self._read, self._again = places, False
            positions = [TopicPartition(*place, found.position) for place, found in self._followed.items()]
        reader.assign(positions)

    def _take_in(self, records: list[Message]) -> None:
        with self._lock:
            moved = set()
            for record in records:
                place = record.topic() or "", -1 if (number := record.partition()) is None else number
                found, offset, error = self._followed.get(place), record.offset(), record.error()
                if found is None or offset is None or offset < found.position:
                    continue
                if error is None:
                    found.rows.add(record.key() or b"", record.value())
                    found.position = offset + 1
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's public name for it
                    found.position = offset
                else:
                    log.warning("standby_troubled", topic=place[0], partition=place[1], error=error.str())
                moved.add(place)
            due = {place: self._followed[place] for place in moved}
        for place, found in due.items():
            self._fold(place, found)

    def _fold(self, place: Partition, found: _Followed) -> None:
        if found.position < found.whole:
            return
        if found.copy.offset > found.first and found.rows.deleted:
            self._begin_again(found)
        elif not found.loaded:  # which may take a while, and it is nobody's to take yet
            self._filled(place, found)
        else:
            with self._lock:
                if self._followed.get(place) is found:
                    self._filled(place, found)

    def _filled(self, place: Partition, found: _Followed) -> None:
        try:
            fill(found.processor, found.copy.state, found.rows)
        except BurnlineError as error:
            log.warning("standby_refused", topic=place[0], partition=place[1], error=str(error), remedy=error.remedy)
            self._refused.add(place)
            self._followed.pop(place, None)
            return
        found.rows = self._few()
        found.copy.offset = found.position

    def _few(self) -> Gathering:
        """Where what is new since the last time is gathered."""
        return self._checkpoints.shelves.gathering(0, len(self._followed) or 1)

    def _begin_again(self, found: _Followed) -> None:
        with self._lock:
            found.copy, found.whole = Copy(found.processor.new(), found.first), found.position
            found.position = found.first
            found.rows = self._checkpoints.shelves.gathering(found.whole - found.first, len(self._followed) or 1)
            self._again = True

    def _tell(self, reader: Consumer) -> None:
        """How far the copies are behind what is committed, as of the last answer of the broker."""
        with self._lock:
            positions = {place: found.position for place, found in self._followed.items()}
        behind = 0
        for place, position in positions.items():
            if place in self._read:
                _, end = reader.get_watermark_offsets(TopicPartition(*place), cached=True)
                behind += max(0, end - position)
        metrics.STANDBYS.set(len(positions))
        metrics.STANDBY_BEHIND.set(behind)
