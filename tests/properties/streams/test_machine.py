"""A firm that goes on while its streams are cut, replayed and restarted at any moment, held against one that nothing ever happened to.

Law: measures to the byte, alerts in their order and the rows that are remembered are the same.
"""

from __future__ import annotations

import random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.properties.streams.test_laws import DAY, POLICY, START, masters, published, records
from tests.unit.streams.core.world import Source, World

seeds = st.integers(0, 1 << 16)


class Firm(RuleBasedStateMachine):
    """The live streams, and all that was ever published."""

    def __init__(self) -> None:
        super().__init__()
        self.source, self.live = Source(), World(POLICY)
        self.events: list[tuple[str, Any]] = []
        self.now = START * DAY

    def tell(self, *events: tuple[str, Any]) -> None:
        self.events += events
        self.live.feed(*events)

    @initialize()
    def begins(self) -> None:
        self.tell(*masters(self.source), self.source.tick(self.now))

    @rule(record=records, pause=st.integers(0, 3 * DAY))
    def something_happens(self, record: tuple[str, int, Any], pause: int) -> None:
        self.now += pause
        self.tell(published(self.source, *record, at=self.now))

    @rule(hours=st.integers(1, 200))
    def time_passes(self, hours: int) -> None:
        self.now += hours * DAY // 24
        self.tell(Source.tick(self.now))

    @rule()
    def a_batch_ends(self) -> None:
        self.live.drain()

    @rule(seed=seeds)
    def the_worker_is_restarted(self, seed: int) -> None:
        self.live = self.live.drain().restarted(random.Random(seed))  # noqa: S311  an order, no secret

    @rule(length=st.integers(1, 30))
    def what_was_heard_is_heard_again(self, length: int) -> None:
        self.live.feed(*self.events[-length:])

    def teardown(self) -> None:
        undisturbed = World(POLICY).feed(*self.events).drain()
        self.live.drain()
        assert self.live.alerts == undisturbed.alerts
        assert self.live.encoded == undisturbed.encoded
        assert self.live.rows == undisturbed.rows


TestFirm = Firm.TestCase
TestFirm.settings = settings(max_examples=25, stateful_step_count=30)
