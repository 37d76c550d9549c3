"""The half of a rebuild that remembers nothing: records are read, decoded, routed and encoded as rows, in any number of processes.

What comes of a record are its entries: each with the place of its state, by its number among all, and with its bytes as a row, which
are needed anyway. Those bytes, and nothing else, go to the half that steps, in this process or in another.

Invariant: a record has the entries that `Batch` would step for it, in that order; what a batch would park has none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from schemas import codec
from schemas.errors import BurnlineError, PoisonMessage
from schemas.events import refuse_contradiction
from streams.core.contract import EVERYBODY, Contribution
from streams.engine.batch import Record
from streams.engine.failures import DefectError
from streams.engine.frames import Frames, sealed
from streams.engine.topology import Partition, Topology, partition_of
from streams.rebuild.history import Ordered

Entry = tuple[int, bytes]
"""The number of the state that it is for, and the entry as a row's value: what it says is in there."""
Read = tuple[int, int, list[Entry]]
"""A record: its place in the order of time, its offset, and its entries."""


class Places:
    """The states of a topology by number, and which of them a contribution is for."""

    def __init__(self, topology: Topology, widths: Mapping[str, int], only: Collection[str] | None = None) -> None:
        """With `only`, the states of these processors are all there is; what others would hear is left out."""
        self._frames = Frames(topology.processors, widths)
        self._only = only
        self.every: list[Partition] = [place for places in self._frames.lanes().values() for place in places]
        self._numbers = {place: number for number, place in enumerate(self.every)}
        self._lanes = {
            name: (self._numbers[places[0]], len(places))
            for name, places in self._frames.lanes().items()
            if only is None or name in only
        }

    def entries(self, contributions: list[Contribution], clock: int | None = None) -> list[Entry]:
        """The entries of contributions that come together, in order; one that could not travel is left out.

        `clock` is the partition of the clock's record that they come from. Raises `Fatal` for a processor that is not there.
        """
        out: list[Entry] = []
        data = b""
        for contribution in contributions:
            subject = contribution.subject
            lane = self._lanes.get(contribution.processor)
            if lane is not None and subject != EVERYBODY:  # nearly always
                data = _add(out, lane[0] + partition_of(subject, lane[1]), contribution, data)
                continue
            for place in self._frames.places(contribution, clock):
                if lane is not None:
                    data = _add(out, self._numbers[place], contribution, data)
        return out


def _add(out: list[Entry], number: int, contribution: Contribution, data: bytes) -> bytes:
    """Add a contribution's entry. Takes and returns its bytes, or none, for its twin's sake."""
    try:
        data = (
            codec.with_first_text(data, contribution.subject)
            if contribution.twin and data
            else sealed(contribution.kind, contribution.entry)
        )
    except PoisonMessage:
        return b""  # a worker has parked it
    out.append((number, data))
    return data


class Reading:
    """Reads records of a topology's sources."""

    def __init__(self, topology: Topology, places: Places) -> None:
        """Say what records mean to these places."""
        self._places, self._clock, self._route = places, topology.clock, topology.route
        self._sources = {
            topic: (expected, topology.decoders.get(topic, codec.decode_wire))
            for topic, expected in topology.sources.items()
        }

    def read(self, page: list[Ordered]) -> list[Read]:
        """What these records say; those that say nothing are passed over. Raises `DefectError` that names the record at which something broke."""
        out: list[Read] = []
        for order, record in page:
            topic, partition, offset = record.topic() or "", record.partition() or 0, record.offset() or 0
            try:
                entries = self._entries(record, topic, partition)
            except PoisonMessage:
                continue  # a worker has parked it
            except BurnlineError:
                raise
            except Exception as error:
                raise DefectError((topic, partition), offset, error) from error
            if entries:
                out.append((order, offset, entries))
        return out

    def _entries(self, record: Record, topic: str, partition: int) -> list[Entry]:
        value = record.value()
        if value is None:
            return []
        expected, decode = self._sources[topic]
        name, content = decode(value)
        if name != expected:
            return []
        meta = content.get("meta")
        if meta is not None:
            refuse_contradiction(record.headers(), meta)
        contributions = list(self._route(topic, content))
        return self._places.entries(contributions, partition if topic == self._clock else None)
