"""A firm in memory whose states may hold little of it: the rest is put away, and copies of them lie on a disk."""

from __future__ import annotations

from pathlib import Path

from streams.core import Contribution, Measures
from streams.engine.checkpoints import Checkpoints, Copy
from streams.engine.restore import fill
from streams.engine.shelves import Shelves
from streams.engine.topology import SEPARATOR
from streams.wiring import topology
from tests.unit.streams.core.world import World

Rows = dict[tuple[str, str, str], tuple[str, bytes]]


class Bounded(World):
    """A world whose states take about `most` bytes."""

    def __init__(self, folder: Path, most: int, policy: Measures | None = None) -> None:
        super().__init__(policy)
        self.folder, self.most = folder, most
        self.shelves = Shelves(folder, most)
        self.checkpoints = Checkpoints(folder, "this", self.shelves)
        for partition in self.partitions.values():
            self.shelves.fit(partition)

    def fresh(self) -> World:
        return Bounded(self.folder, self.most, self.policy)

    def apply(self, contribution: Contribution) -> None:
        with self.shelves.work(self.partitions.values()):
            super().apply(contribution)
            self.shelves.wrote(1)

    def save(self) -> Rows:
        """Make copies of all states; returns the rows that are in them."""
        for name, partition in self.partitions.items():
            self.checkpoints.save(name, "id", 0, Copy(partition, 0))
        return dict(self.rows)

    def back(self, rows: Rows, most: int) -> Bounded:
        """A new process that takes the copies, which have these rows, and the rows that were written since."""
        fresh = Bounded(self.folder, most, self.policy)
        fresh.rows, fresh.alerts, fresh.encoded = dict(self.rows), list(self.alerts), dict(self.encoded)
        for processor in topology(self.policy or Measures()).processors:
            name = processor.name
            copy = fresh.checkpoints.load(name, "id", 0)
            assert copy is not None
            fresh.partitions[name] = copy.state
            newer = fresh.shelves.gathering(1, 1)
            for (owner, subject, record), row in self.rows.items():
                if owner == name and rows.get((owner, subject, record)) != row:
                    newer.add(f"{subject}{SEPARATOR}{record}".encode(), row[1])
            fill(processor, copy.state, newer)
        return fresh
