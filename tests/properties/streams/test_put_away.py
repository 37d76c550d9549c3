"""A worker that may hold hardly anything in memory says the same, to the byte, as one that holds everything."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from streams.core import Contribution
from streams.engine.checkpoints import Checkpoints, Copy
from streams.engine.restore import fill
from streams.engine.shelves import Shelves
from streams.engine.topology import SEPARATOR
from streams.wiring import topology
from tests.properties.streams.test_laws import POLICY
from tests.properties.streams.test_machine import Firm, seeds
from tests.unit.streams.core.world import World

PROCESSORS = {processor.name: processor for processor in topology(POLICY).processors}
bounds = st.sampled_from([0, 5_000, 12_000, 30_000])
"""Bytes: of no subject, of one, of a few, of half of the firm."""


class Bounded(World):
    """A world whose states have shelves, and copies on a disk."""

    def __init__(self, folder: Path, most: int) -> None:
        super().__init__(POLICY)
        self.folder, self.most = folder, most
        self.shelves = Shelves(folder, most)
        self.checkpoints = Checkpoints(folder, "this", self.shelves)
        for partition in self.partitions.values():
            self.shelves.fit(partition)

    def fresh(self) -> World:
        return Bounded(self.folder, self.most)

    def apply(self, contribution: Contribution) -> None:
        super().apply(contribution)
        self.shelves.settle(self.partitions.values(), 1)

    def save(self) -> None:
        for name, partition in self.partitions.items():
            self.checkpoints.save(name, "id", 0, Copy(partition, 0))

    def back(self, rows: dict[tuple[str, str, str], tuple[str, bytes]], most: int) -> World:
        """A new process that takes its copies, and the rows that were written since."""
        fresh = Bounded(self.folder, most)
        fresh.rows, fresh.alerts, fresh.encoded = dict(self.rows), list(self.alerts), dict(self.encoded)
        for name, processor in PROCESSORS.items():
            copy = fresh.checkpoints.load(name, "id", 0)
            assert copy is not None
            fresh.partitions[name] = copy.state
            newer = fresh.shelves.gathering(1, 1)
            for (owner, subject, record), row in self.rows.items():
                if owner == name and rows.get((owner, subject, record)) != row:
                    newer.add(f"{subject}{SEPARATOR}{record}".encode(), row[1])
            fill(processor, copy.state, newer)
        return fresh


class Tidy(Firm):
    """The firm whose live worker puts away what nothing moves, and comes back from its copies."""

    copied: dict[tuple[str, str, str], tuple[str, bytes]] | None = None

    def world(self) -> World:
        self.folder = tempfile.TemporaryDirectory(prefix="burnline-put-away-")
        return Bounded(Path(self.folder.name), 0)

    @initialize(most=bounds)
    def begins(self, most: int = 0) -> None:
        self.live = Bounded(Path(self.folder.name), most)
        super().begins()

    @rule()
    def a_copy_is_made(self) -> None:
        live = self.bounded()
        live.drain()
        live.save()
        self.copied = dict(live.rows)

    @precondition(lambda self: self.copied is not None)
    @rule(most=bounds)
    def the_worker_comes_back_from_its_copy(self, most: int) -> None:
        self.live = self.bounded().back(self.copied or {}, most)

    def bounded(self) -> Bounded:
        assert isinstance(self.live, Bounded)
        self.live.drain()
        return self.live

    def teardown(self) -> None:
        super().teardown()
        assert isinstance(self.live, Bounded)
        if self.live.most == 0:
            assert not any(partition.subjects for partition in self.live.partitions.values()), "all is put away"
        self.folder.cleanup()


TestTidy = Tidy.TestCase
TestTidy.settings = settings(max_examples=25, stateful_step_count=30)
