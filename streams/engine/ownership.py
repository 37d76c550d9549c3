"""What this worker owns: which partitions are assigned, which of them are restored, and their states.

Rules
- Partitions come and go one lane at a time, and those that stay are not touched by it. What was read of a partition before it went
  is not worked on, even if it is back already: `held` tells.
- Every transaction that steps a state commits the position of its input, with a mark that no other transaction has. So a copy of a
  state is what the group has committed if, and only if, the group's position and mark are still those it stands at. A pending
  transaction that steps a state holds up whoever asks for its position.
- A state is near when its input was read to its end, and to behind the last frame that this worker sent: then nothing of this
  worker, nor of those before it, is on its way, and a contribution may be stepped without a frame.
- The state of a partition that goes is dropped with it: between two batches, so that its last transaction has ended.
- A partition that is stopped stays so in this process, whatever is assigned: nothing is taken of it, and what is sent to it waits.
- Nothing here is thread-safe: the engine's thread owns it. Others may ask how much of it is ready, and get what was true a moment ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.engine.topology import Partition, Processor

NEVER = 1 << 62


class Position(NamedTuple):
    """The next offset of an input (negative before the first commit), and the mark of the transaction that moved its state."""

    offset: int
    mark: str = ""


@dataclass(slots=True)
class Ownership:
    """The partitions of one worker. `generation` grows with each change; `since` tells with which of them each partition came."""

    processors: dict[str, Processor]
    generation: int = 0
    since: dict[Partition, int] = field(default_factory=dict)
    ready: dict[Partition, tuple[Processor, Any]] = field(default_factory=dict)
    member: bool = False
    _positions: dict[Partition, Position] = field(default_factory=dict)
    _ends: dict[Partition, int] = field(default_factory=dict)
    _sent: dict[Partition, int] = field(default_factory=dict)
    _ordered: int = 0
    _waiting: set[Partition] = field(default_factory=set)
    _held_up: bool = False
    stopped: set[Partition] = field(default_factory=set)

    def assign(self, partitions: Iterable[Partition]) -> None:
        """These partitions are ours, too, from now on; none of them is ready yet."""
        self.generation += 1
        self.member = True
        new = dict.fromkeys(partitions, self.generation)
        self.since |= new
        self._waiting.update(place for place in new if place[0] not in self.processors)

    def revoke(self, partitions: Iterable[Partition], *, lost: bool = False) -> None:
        """These partitions are not ours any more. With `lost` we are no member of the group, until something is assigned again."""
        self.generation += 1
        self.member = not lost
        for place in partitions:
            self._waiting.discard(place)
            for known in (self.since, self.ready, self._positions, self._ends, self._sent):
                known.pop(place, None)

    def held(self, place: Partition, generation: int) -> bool:
        """Whether a partition has been ours ever since then, without a break."""
        return self.since.get(place, NEVER) <= generation

    def to_restore(self) -> list[Partition]:
        """The inputs that came since this was last asked."""
        new = sorted(place for place, since in self.since.items() if since > self._ordered)
        self._ordered = self.generation
        return [place for place in new if place[0] in self.processors]

    def restored(self, place: Partition, state: Any, position: Position) -> None:
        """The state of an input partition stands at this position and may be stepped."""
        self.ready[place] = self.processors[place[0]], state
        self._positions[place] = position

    def moved(
        self, offsets: Mapping[Partition, int], stepped: Iterable[Partition], mark: str
    ) -> dict[Partition, Position]:
        """The positions that a transaction has to commit which took records up to these offsets and stepped these states."""
        positions = {place: Position(offset) for place, offset in offsets.items()}
        for place in stepped:
            # without a record of its own it is near, so that its end is known and everything before it was taken
            offset = offsets.get(place) or max(self._ends[place], self._positions[place].offset)
            positions[place] = Position(offset, mark)
        return positions

    def committed(self, positions: Mapping[Partition, Position], sent: Mapping[Partition, int]) -> None:
        """A transaction moved the group to these positions, and sent frames up to these offsets of inputs."""
        self._positions.update(positions)
        self._sent.update(sent)

    def near(self) -> frozenset[Partition]:
        """The states that may be stepped without a frame."""
        return frozenset(place for place in self.ready if self._ends.get(place, -1) > self._sent.get(place, -1))

    def to_hold_up(self) -> list[Partition]:
        """Sources that have to wait, once every state is ready: what they brought would be framed, and keep the new states from getting near."""
        if self._held_up or not self._waiting or not self.complete:
            return []
        self._held_up = True
        flowing = [place for place in self.sources() if place not in self._waiting]
        self._waiting.update(flowing)
        return flowing

    def to_let_go(self) -> list[Partition]:
        """Sources that waited until every state was ready and near, and need not any more."""
        if not self._waiting or not self.complete or not self.near() >= self.ready.keys() - self.stopped:
            return []
        going, self._waiting, self._held_up = self.going(sorted(self._waiting)), set(), False
        return going

    def reached(self, place: Partition, end: int) -> None:
        """Everything before this end was taken; what lies behind the last record are the marks of transactions."""
        self._ends[place] = end

    def unsaid_ends(self) -> dict[Partition, int]:
        """Ends that were reached and are not committed yet."""
        nowhere = Position(-1)
        return {place: end for place, end in self._ends.items() if end > self._positions.get(place, nowhere).offset}

    def position(self, place: Partition) -> Position:
        """Where a ready state stands."""
        return self._positions[place]

    def taken(self, place: Partition) -> int:
        """Up to where records of a partition were taken."""
        return max(self._ends.get(place, 0), self._positions.get(place, Position(0)).offset)

    def standing(self) -> dict[Partition, Position]:
        """Where the group stands in the partitions of which this worker knows it."""
        return {place: position for place, position in self._positions.items() if position.offset >= 0}

    def going(self, places: Iterable[Partition]) -> list[Partition]:
        """Those of these partitions that were not stopped by a defect."""
        return [place for place in places if place not in self.stopped]

    def inputs(self) -> list[Partition]:
        """The assigned partitions that have a state, ready or not."""
        return sorted(place for place in tuple(self.since) if place[0] in self.processors)

    def sources(self) -> list[Partition]:
        """The assigned partitions that have none."""
        return sorted(place for place in tuple(self.since) if place[0] not in self.processors)

    @property
    def complete(self) -> bool:
        """True for a member of the group whose every state is ready; one that has no partitions has none to wait for."""
        return self.member and len(self.ready) == len(self.inputs())
