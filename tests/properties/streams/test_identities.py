"""An event's id stands for what the event says: whoever has seen it needs no other with the same id, in whatever order records came."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas import codec
from tests.properties.streams.test_laws import DAY, POLICY, START, firms, laws
from tests.unit.streams.core.world import Source, World


class Told:
    """What was ever told under an id, and under a revision of a subject's day; raises where that was something else."""

    def __init__(self) -> None:
        self.of_id: dict[str, Any] = {}

    def follow(self, events: list[tuple[str, Any]]) -> World:
        """Let a firm's processors hear these events, one by one, and look at all that they publish."""
        world, of_revision, heard = World(POLICY), dict[Any, Any](), 0
        for event in events:
            world.feed(event).drain()
            for place, data in world.encoded.items():
                measured = codec.decode(data).value
                meta = measured["meta"]
                self._same(meta["event_id"], measured)
                revision = (*place, measured["current"]["as_of"], meta["version"])
                assert of_revision.setdefault(revision, measured) == measured
            for alert in world.alerts[heard:]:
                self._same(alert["meta"]["event_id"], alert)
            heard = len(world.alerts)
        return world

    def _same(self, identity: str, content: Any) -> None:
        assert self.of_id.setdefault(identity, content) == content


@given(firms, st.randoms(use_true_random=False))
@laws
def test_an_id_stands_for_one_content_in_whatever_order_versions_come(
    events: list[tuple[str, Any]], shuffle: random.Random
) -> None:
    """And a worker that heard something new of what it published tells it under a higher revision."""
    mixed = list(events)
    shuffle.shuffle(mixed)
    told, last = Told(), Source.tick((START + 100) * DAY)
    told.follow([*events, last])
    told.follow([*mixed, last])
