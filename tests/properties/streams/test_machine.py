"""A firm that goes on while its streams are cut, replayed and restarted at any moment, held against one that nothing ever happened to.

Laws: measures to the byte, alerts in their order and the rows that are remembered are the same. Where the post brings records late, twice
and in any order, what is summed and aged is the same; which bands, levels and episodes were crossed on the way depends on the way.
"""

from __future__ import annotations

import random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.properties.streams.test_laws import DAY, POLICY, START, masters, published, records
from tests.unit.streams.core.world import Source, World, values

seeds = st.integers(0, 1 << 16)
OF_THE_WAY = ("revision", "moved_by", "band", "levels")
"""What a measure says of how it came about: its restatements, and what has a hysteresis."""
SUMS = {"client-exposure": ("disputed_invoices", "disputed_amount", "receivable_amount", "share", "client_tier")}
"""Measures of which the rest tells of the record that was heard last."""
BELONGS = ("disputed_invoices", "disputed_amount", "receivable_amount", "client_tier")
"""What of a client's exposure says that it has any."""


class Firm(RuleBasedStateMachine):
    """The live streams, those that the post reaches late, and all that was ever published."""

    def __init__(self) -> None:
        super().__init__()
        self.source, self.live, self.late = Source(), self.world(), World(POLICY)
        self.events: list[tuple[str, Any]] = []
        self.post: list[tuple[str, Any]] = []
        self.now = START * DAY

    def world(self) -> World:
        """The live streams, of which nothing has come yet."""
        return World(POLICY)

    def tell(self, *events: tuple[str, Any]) -> None:
        self.events += events
        self.live.feed(*events)
        self.post += events

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

    @rule(seed=seeds, share=st.floats(0.2, 1))
    def some_post_comes_in_any_order(self, seed: int, share: float) -> None:
        order = random.Random(seed)  # noqa: S311  an order, no secret
        order.shuffle(self.post)
        came = round(share * len(self.post))
        self.late.feed(*self.post[:came], *order.sample(self.post[:came], came // 3))
        self.post = self.post[came:]

    @rule(seed=seeds)
    def the_worker_that_hears_late_is_restarted(self, seed: int) -> None:
        self.late = self.late.drain().restarted(random.Random(seed))  # noqa: S311  an order, no secret

    def teardown(self) -> None:
        undisturbed = World(POLICY).feed(*self.events).drain()
        self.live.drain()
        assert self.live.alerts == undisturbed.alerts
        assert self.live.encoded == undisturbed.encoded
        assert self.live.rows == undisturbed.rows
        last = Source.tick(self.now + DAY)
        late = self.late.feed(*self.post, last).drain()
        assert _summed(late) == _summed(undisturbed.feed(last).drain())


def _summed(world: World) -> dict[tuple[str, str], Any]:
    """What is summed and aged. A client that nothing belongs to may be known to one and not to the other, which never heard that something had."""
    return {
        place: {name: measured[name] for name in SUMS.get(place[0], tuple(measured))}
        for place, measured in values(world, OF_THE_WAY).items()
        if place[0] != "client-exposure" or any(measured[name] for name in BELONGS)
    }


TestFirm = Firm.TestCase
TestFirm.settings = settings(max_examples=25, stateful_step_count=30)
