"""Law: however many read history, and wherever what they read is cut, a rebuild has the rows and alerts of one batch that saw all of it in order."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from streams.engine.batch import Batch
from streams.engine.topology import Processor
from streams.rebuild.pages import Page, in_order
from streams.rebuild.readers import dumped, loaded
from streams.rebuild.reading import Places, Reading
from streams.rebuild.recompute import Recomputation
from streams.wiring import topology
from tests.properties.streams.test_bad_input import Raw, base, event
from tests.properties.streams.test_laws import DAY, POLICY, START, masters, published, records
from tests.unit.streams.core.world import Source

TOPOLOGY = topology(POLICY)
LANES = 2
WIDTHS = dict.fromkeys([*TOPOLOGY.sources, *(processor.input for processor in TOPOLOGY.processors)], LANES)
AT = datetime(2026, 3, 30, tzinfo=UTC)
PLACES = Places(TOPOLOGY, WIDTHS)
wild = st.sampled_from(sorted(TOPOLOGY.sources)).flatmap(event)
ticks = st.integers(1, 200)
happens = st.lists(st.one_of(records, records, records, ticks, wild), min_size=5, max_size=30)


class Message(Raw):
    """A record of one partition or the other."""

    def __init__(self, topic: str, value: bytes, offset: int, partition: int) -> None:
        super().__init__(topic, value, offset)
        self._partition = partition

    def partition(self) -> int:
        return self._partition


def tick(at: int) -> tuple[str, Any]:
    event = base(TOPOLOGY.clock)
    event["current"]["at"] = at
    return TOPOLOGY.clock, event


def history(happened: list[Any], chance: random.Random) -> list[Message]:
    source, now = Source(), START * DAY
    told = [*masters(source), tick(now)]
    for one in happened:
        now += DAY // 8
        match one:
            case int(hours):
                now += hours * DAY // 24
                told.append(tick(now))
            case (str(), dict()):
                told.append(one)
            case _:
                told.append(published(source, *one, at=now))
    messages = []
    for topic, said in told:
        value = codec.encode_wire(TOPOLOGY.sources[topic], said)
        lanes = range(LANES) if topic == TOPOLOGY.clock else [chance.randrange(LANES)]
        messages += [Message(topic, value, len(messages) + lane, lane) for lane in lanes]
    return messages


def live(messages: list[Message]) -> tuple[dict[Any, dict[bytes, bytes]], int]:
    states = {(p.input, n): (p, p.new()) for p in TOPOLOGY.processors for n in range(LANES)}
    batch = Batch(TOPOLOGY, WIDTHS, states, AT, near=states)
    batch.take(messages)
    outputs = batch.finish()
    rows = {place: {row["key"]: row["value"] for row in written} for place, written in outputs.rows}
    return rows, sum(published.topic == TOPOLOGY.alerts.name for published in outputs.events)


def rebuilt(
    messages: list[Message], readers: int, chance: random.Random, places: Places = PLACES
) -> tuple[dict[Any, Any], Counter[Any]]:
    made = Recomputation(TOPOLOGY, places, {(TOPOLOGY.clock, 0): 0})
    owner = {(topic, lane): chance.randrange(readers) for topic in TOPOLOGY.sources for lane in range(LANES)}
    pages: list[list[Any]] = [[] for _ in range(readers)]
    for number, mine in enumerate(pages):
        held: list[tuple[int, Message]] = []
        for order, message in enumerate(messages):
            if owner[message.topic(), message.partition()] == number:
                held.append((order, message))
            if chance.random() < 0.2 or order == len(messages) - 1:
                read = Page(len(held), order, Reading(TOPOLOGY, places).read(held))
                mine.append(loaded(dumped(read)))
                held = []
    for page in in_order([iter(mine) for mine in pages]):
        made.take(page.reads)
    rows = {place: dict(rows) for place, rows in made.rows().items() if rows}
    return rows, sum(map(made.alerts, TOPOLOGY.processors), Counter())


@settings(max_examples=60)
@given(happens, st.integers(0, 1 << 16))
def test_readers_and_cuts_are_not_to_be_seen(happened: list[Any], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  an order, no secret
    messages = history(happened, chance)
    rows, alerts = live(messages)
    one = rebuilt(messages, 1, chance)
    assert one[0] == rows
    assert one[1].total() == alerts
    assert rebuilt(messages, 2, chance) == one
    assert rebuilt(messages, 3, chance) == one


@settings(max_examples=40)
@given(happens, st.sampled_from(TOPOLOGY.processors), st.integers(0, 1 << 16))
def test_one_processor_needs_no_more_than_those_that_it_hears(happened: list[Any], one: Processor, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  an order, no secret
    messages = history(happened, chance)
    every, _ = rebuilt(messages, 1, chance)
    alone, _ = rebuilt(messages, 2, chance, Places(TOPOLOGY, WIDTHS, TOPOLOGY.behind(one.name)))
    assert {p: rows for p, rows in alone.items() if p[0] == one.state} == {
        p: rows for p, rows in every.items() if p[0] == one.state
    }
