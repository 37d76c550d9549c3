"""The functions that drive a processor, apart from what it measures."""

from __future__ import annotations

import pytest

from schemas.errors import Fatal
from streams.core import NOTHING, PartitionState, kinds, look_up, measures, processors, route, step
from tests.unit.streams.core.world import SECOND, Source, World, day, instant, key

NOON = instant("2026-03-29T12:00:00")
SUBJECT = key("hr.employee", 1)


def test_a_duplicate_an_older_version_and_a_past_tick_lead_to_nothing() -> None:
    source, processor, partition = Source(), processors()["utilization"], PartitionState()
    old, new = (
        next(c for c in route(*source.timesheet(1, {"minutes": minutes})) if c.processor == "utilization")
        for minutes in (60, 90)
    )
    assert len(step(processor, partition, new.kind, new.entry).rows) == 1
    assert step(processor, partition, new.kind, new.entry) is NOTHING
    assert step(processor, partition, old.kind, old.entry) is NOTHING
    assert len(step(processor, partition, kinds.TICK, {"at": NOON}).rows) == 1
    assert step(processor, partition, kinds.TICK, {"at": NOON}) is NOTHING
    assert step(processor, partition, kinds.TICK, {"at": NOON - SECOND}) is NOTHING


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("utilization", kinds.PROJECT),
        ("budget-burn", kinds.CONSULTANT),
        ("dispute-aging", kinds.TIME),
        ("client-exposure", kinds.INVOICE),
    ],
)
def test_a_foreign_kind_stops_the_engine(name: str, kind: str) -> None:
    entry = {"subject": "odoo:db:x:1", "record": "r", "version": 1}
    with pytest.raises(Fatal, match=f"{name} takes no {kind}"):
        step(processors()[name], PartitionState(), kind, entry)


def test_what_moved_a_measure_are_its_three_newest_records() -> None:
    source, world = Source(), World()
    published = [
        source.consultant(1, at=NOON),
        *(source.timesheet(line, {"date": day("2026-03-23")}, at=NOON + line * SECOND) for line in (4, 2, 3, 1)),
    ]
    world.feed(*published, source.tick(NOON))
    ids = {event["meta"]["recorded_at"]: event["meta"]["event_id"] for _, event in published}
    assert world.utilization()["moved_by"] == [ids[NOON + line * SECOND] for line in (2, 3, 4)]
    late = source.timesheet(
        4, {"date": day("2026-03-23"), "minutes": 1}, at=NOON - SECOND
    )  # written before what it replaces
    world.feed(late)
    assert world.utilization()["moved_by"] == [ids[NOON + line * SECOND] for line in (1, 2, 3)]


def test_what_concerns_everybody_moves_every_measure() -> None:
    source, world = Source(), World()
    world.feed(source.consultant(1, at=NOON), source.consultant(2, at=NOON), source.tick(NOON)).drain()
    holiday = source.absence(1, {"first_day": 0, "last_day": 0, "kind": "public_holiday"}, at=NOON + SECOND)
    world.feed(holiday)
    assert {world.utilization(number)["moved_by"][-1] for number in (1, 2)} == {holiday[1]["meta"]["event_id"]}


def test_a_revision_is_the_sum_of_the_versions_and_of_those_known_of_a_history() -> None:
    source, world = Source(), World()
    world.feed(source.consultant(1), source.tick(NOON))
    world.feed(
        *(source.timesheet(1, {"date": 0, "minutes": minutes}) for minutes in (1, 2, 3)),
        source.timesheet(2, {"date": 0}),
    )
    holiday = {"first_day": 0, "last_day": 0, "kind": "public_holiday"}
    world.feed(source.timesheet(2, None), source.absence(1, holiday))
    assert world.utilization()["revision"] == (1 + 1) + 3 + 2 + 1


def test_a_measure_is_the_same_whether_its_batch_ends_before_or_after_another_tick_of_the_day() -> None:
    published = [Source().consultant(1, at=NOON - SECOND), Source.tick(NOON)]
    before, after = World().feed(*published).drain(), World().feed(*published, Source.tick(NOON + SECOND)).drain()
    assert before.feed(Source.tick(NOON + SECOND)).drain().encoded == after.encoded
    assert ("utilization", SUBJECT) in after.encoded


def test_looking_up_a_subject_takes_nothing_away() -> None:
    world = World().feed(Source().consultant(1, at=NOON - SECOND), Source.tick(NOON))
    processor, partition = world.processors["utilization"], world.partitions["utilization"]
    seen = look_up(processor, partition, SUBJECT)
    assert list(measures(processor, partition)) == [seen] == [look_up(processor, partition, SUBJECT)]
    assert look_up(processor, partition, key("hr.employee", 2)) is None
