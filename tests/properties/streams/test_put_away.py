"""A worker that may hold hardly anything in memory says the same, to the byte, as one that holds everything."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.properties.streams.test_laws import POLICY
from tests.properties.streams.test_machine import Firm
from tests.unit.streams.core.world import World
from tests.unit.streams.engine.bounded import Bounded, Rows

bounds = st.sampled_from([0, 5_000, 12_000, 30_000])
"""Bytes: of no subject, of one, of a few, of half of the firm."""


class Tidy(Firm):
    """The firm whose live worker puts away what nothing moves, and comes back from its copies."""

    copied: Rows | None = None

    def world(self) -> World:
        self.folder = tempfile.TemporaryDirectory(prefix="burnline-put-away-")
        return Bounded(Path(self.folder.name), 0, POLICY)

    @initialize(most=bounds)
    def begins(self, most: int = 0) -> None:
        self.live = Bounded(Path(self.folder.name), most, POLICY)
        super().begins()

    @rule()
    def a_copy_is_made(self) -> None:
        self.copied = self.bounded().save()

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
        with self.live.shelves.work(self.live.partitions.values()):
            self.live.shelves.wrote(1)
        if self.live.most == 0:
            assert not any(partition.subjects for partition in self.live.partitions.values()), "all is put away"
        self.folder.cleanup()


TestTidy = Tidy.TestCase
TestTidy.settings = settings(max_examples=25, stateful_step_count=30)
