"""What this worker owns: which partitions are assigned, which of them are restored, and their states.

Rules
- A state is a function of its input up to a position, and every transaction that writes rows of a partition commits that
  partition's position too. So a state kept through a rebalance is current if, and only if, the group's committed position
  is still the one it stands at; else it is restored from its topic.
- A state of which somebody else may have written rows (a lost partition) is dropped at once.
- Nothing here is thread-safe: the engine's thread owns it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from streams.engine.batch import Partition
from streams.engine.topology import Processor


@dataclass(slots=True)
class Kept:
    """A state and the position of the input that it stands at (negative before the first commit)."""

    state: Any
    position: int


@dataclass(slots=True)
class Ownership:
    """The partitions of one worker. `generation` grows with each change, so that work begun before it is recognised."""

    processors: dict[str, Processor]
    generation: int = 0
    assigned: frozenset[Partition] | None = None
    ready: dict[Partition, tuple[Processor, Any]] = field(default_factory=dict)
    kept: dict[Partition, Kept] = field(default_factory=dict)
    _positions: dict[Partition, int] = field(default_factory=dict)
    _ends: dict[Partition, int] = field(default_factory=dict)

    def assign(self, partitions: Iterable[Partition]) -> None:
        """These partitions are ours from now on, all of them and no others; none is ready yet."""
        self.generation += 1
        self.assigned = frozenset(partitions)
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

    def restored(self, place: Partition, state: Any, position: int) -> None:
        """The state of an input partition stands at this position and may be stepped."""
        self.ready[place] = self.processors[place[0]], state
        self._positions[place] = position
        self.kept.pop(place, None)

    def committed(self, offsets: dict[Partition, int]) -> None:
        """A transaction moved the group to these positions."""
        self._positions.update(offsets)

    def reached(self, topic: str, partition: int, end: int) -> None:
        """Everything before this end was taken; what lies behind the last record are the marks of transactions."""
        self._ends[topic, partition] = end

    def unsaid_ends(self) -> dict[Partition, int]:
        """Ends that were reached and are not committed yet."""
        return {place: end for place, end in self._ends.items() if end > self._positions.get(place, -1)}

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
