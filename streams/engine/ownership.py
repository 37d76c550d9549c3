"""What this worker owns: which partitions are assigned, which of them are restored, and their states.

Rules
- Every transaction that steps a state commits the position of its input, with a mark that no other transaction has. So a state
  kept through a rebalance is current if, and only if, the group's committed position and mark are still those it stands at;
  else it is restored from its topic. A pending transaction that steps a state holds up whoever asks for its position.
- A state is near when its input was read to its end, and to behind the last frame that this worker sent: then nothing of this
  worker, nor of those before it, is on its way, and a contribution may be stepped without a frame.
- A state of which somebody else may have written rows (a lost partition) is dropped at once.
- A partition that is stopped stays so in this process, whatever is assigned: nothing is taken of it, and what is sent to it waits.
- Nothing here is thread-safe: the engine's thread owns it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.engine.topology import Partition, Processor


class Position(NamedTuple):
    """The next offset of an input (negative before the first commit), and the mark of the transaction that moved its state."""

    offset: int
    mark: str = ""


@dataclass(slots=True)
class Kept:
    """A state and the position of the input that it stands at."""

    state: Any
    position: Position


@dataclass(slots=True)
class Ownership:
    """The partitions of one worker. `generation` grows with each change, so that work begun before it is recognised."""

    processors: dict[str, Processor]
    generation: int = 0
    assigned: frozenset[Partition] | None = None
    ready: dict[Partition, tuple[Processor, Any]] = field(default_factory=dict)
    kept: dict[Partition, Kept] = field(default_factory=dict)
    _positions: dict[Partition, Position] = field(default_factory=dict)
    _ends: dict[Partition, int] = field(default_factory=dict)
    _sent: dict[Partition, int] = field(default_factory=dict)
    _flowing: bool = False
    stopped: set[Partition] = field(default_factory=set)

    def assign(self, partitions: Iterable[Partition]) -> None:
        """These partitions are ours from now on, all of them and no others; none is ready yet."""
        self.generation += 1
        self.assigned = frozenset(partitions)
        self._flowing = False
        self.kept = {place: kept for place, kept in self.kept.items() if place in self.assigned}

    def revoke(self, *, lost: bool) -> None:
        """Nothing is ours for now. States are kept for the next assignment, unless somebody else may have gone on."""
        self.generation += 1
        self.kept = {}
        if not lost:
            self.kept = {place: Kept(state, self._positions[place]) for place, (_, state) in self.ready.items()}
        self.assigned = None
        self.ready.clear()
        self._positions.clear()
        self._ends.clear()
        self._sent.clear()

    def restored(self, place: Partition, state: Any, position: Position) -> None:
        """The state of an input partition stands at this position and may be stepped."""
        self.ready[place] = self.processors[place[0]], state
        self._positions[place] = position
        self.kept.pop(place, None)

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

    def caught_up(self) -> bool:
        """True once in each assignment: when every state is ready and its input was read to the end."""
        if self._flowing or not self.complete or not self._ends.keys() >= self.ready.keys() - self.stopped:
            return False
        self._flowing = True
        return True

    def reached(self, topic: str, partition: int, end: int) -> None:
        """Everything before this end was taken; what lies behind the last record are the marks of transactions."""
        self._ends[topic, partition] = end

    def unsaid_ends(self) -> dict[Partition, int]:
        """Ends that were reached and are not committed yet."""
        nowhere = Position(-1)
        return {place: end for place, end in self._ends.items() if end > self._positions.get(place, nowhere).offset}

    def position(self, place: Partition) -> Position:
        """Where a ready state stands."""
        return self._positions[place]

    def going(self, places: Iterable[Partition]) -> list[Partition]:
        """Those of these partitions that were not stopped by a defect."""
        return [place for place in places if place not in self.stopped]

    def inputs(self) -> list[Partition]:
        """The assigned partitions that have a state, ready or not."""
        return sorted(place for place in self.assigned or () if place[0] in self.processors)

    def sources(self) -> list[Partition]:
        """The assigned partitions that have none."""
        return sorted(place for place in self.assigned or () if place[0] not in self.processors)

    @property
    def complete(self) -> bool:
        """True when there is an assignment and every state in it is ready."""
        return self.assigned is not None and len(self.ready) == len(self.inputs())
