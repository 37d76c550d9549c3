"""Units are the sum of their people's days: what changes hands, what ends, and what is no hierarchy."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from streams.core import route
from tests.unit.streams.core.world import Source, World, day, instant, key

EMPLOYED = instant("2026-01-01")
MONDAY = day("2026-03-02")


def at(text: str) -> tuple[str, Any]:
    return Source.tick(instant(f"{text}T12:00:00"))


def unit(world: World, model: str, number: int) -> Any:
    return world.drain().measure("utilization-rollup", key(model, number))


def test_a_unit_is_the_sum_of_its_people_and_not_the_mean_of_their_ratios() -> None:
    source, world = Source(), World()
    world.feed(
        source.consultant(1, at=EMPLOYED),
        source.consultant(2, at=EMPLOYED, weekday_minutes=[240] * 5 + [0, 0]),
        source.timesheet(1, {"date": MONDAY, "minutes": 160 * 60, "approved": True}),
        source.timesheet(2, {"date": MONDAY, "minutes": 20 * 60, "employee_id": 2, "billable": False}),
        at("2026-03-29"),
    )
    for model, number in (("hr.department", 7), ("hr.employee", 9), ("res.company", 1)):
        measured = unit(world, model, number)
        assert (measured["consultants"], measured["available_minutes"]) == (2, 240 * 60)
        assert measured["billable_utilization"] == Decimal("0.666666667")
        assert measured["total_utilization"] == Decimal("0.75")
        assert measured["approved_total_utilization"] == Decimal("0.666666667")
        assert measured["reasons"] == []
    assert unit(world, "hr.employee", 9)["kind"] == "manager"


def test_lines_stay_with_the_unit_of_their_day() -> None:
    source, world = Source(), World()
    world.feed(
        source.consultant(1, at=EMPLOYED),
        source.timesheet(1, {"date": MONDAY, "minutes": 480}),
        source.consultant(1, at=instant("2026-03-16T08:00:00"), department_id=8),
        source.timesheet(2, {"date": day("2026-03-16"), "minutes": 300}),
        at("2026-03-29"),
    )
    old, new = unit(world, "hr.department", 7), unit(world, "hr.department", 8)
    assert (old["available_minutes"], old["billable_minutes"], old["consultants"]) == (10 * 480, 480, 0)
    assert (new["available_minutes"], new["billable_minutes"], new["consultants"]) == (10 * 480, 300, 1)
    assert "nobody_left" in old["reasons"]
    world.feed(at("2026-06-20"))
    assert unit(world, "hr.department", 7)["available_minutes"] == 0


def test_a_unit_follows_at_the_next_tick_and_only_then() -> None:
    source, world = Source(), World()
    world.feed(source.consultant(1, at=EMPLOYED), at("2026-03-29")).drain()
    world.feed(source.timesheet(1, {"date": MONDAY, "minutes": 480}))
    assert unit(world, "res.company", 1)["billable_minutes"] == 0
    before = unit(world, "res.company", 1)["revision"]
    world.feed(Source.tick(instant("2026-03-29T12:01:00")))
    assert unit(world, "res.company", 1)["billable_minutes"] == 480
    assert unit(world, "res.company", 1)["revision"] == before + 1


def test_managers_in_a_circle_are_told_by_their_company() -> None:
    source, world = Source(), World()
    world.feed(
        source.consultant(1, at=EMPLOYED, manager_id=2),
        source.consultant(2, at=EMPLOYED, manager_id=3),
        source.consultant(3, at=EMPLOYED, manager_id=1),
        at("2026-03-29"),
    )
    assert unit(world, "res.company", 1)["reasons"] == ["management_cycle"]
    world.feed(source.consultant(3, manager_id=None), Source.tick(instant("2026-03-29T12:01:00")))
    assert unit(world, "res.company", 1)["reasons"] == []


def test_an_archived_consultant_is_no_member_any_more() -> None:
    source, world = Source(), World()
    world.feed(source.consultant(1, at=EMPLOYED), source.consultant(2, at=EMPLOYED), at("2026-03-29"))
    world.feed(source.consultant(2, active=False), Source.tick(instant("2026-03-29T12:01:00")))
    assert unit(world, "hr.department", 7)["consultants"] == 1


HOURS = 16 * 60
SOON = Source.tick(instant("2026-03-29T12:01:00"))


def chain(*managers: int | None) -> tuple[Source, World]:
    """Consultants 1, 2, 3, … who report to these, each with two days of work."""
    source, world = Source(), World()
    for number, manager in enumerate(managers, start=1):
        world.feed(source.consultant(number, at=EMPLOYED, manager_id=manager))
        world.feed(source.timesheet(number, {"date": MONDAY, "minutes": HOURS, "employee_id": number}))
    return source, world.feed(at("2026-03-29"))


def people(world: World, number: int) -> tuple[int, int, int]:
    """How many are below a manager, how many of them directly, and how many of them worked."""
    measured = unit(world, "hr.employee", number)
    return measured["consultants"], measured["direct_consultants"], measured["worked_minutes"] // HOURS


@pytest.mark.parametrize(
    ("managers", "below"),
    [
        pytest.param((2, 3, 4, None), {2: (1, 1, 1), 3: (2, 1, 2), 4: (3, 1, 3)}, id="a line of four"),
        pytest.param((3, 3, 4, None), {3: (2, 2, 2), 4: (3, 1, 3)}, id="two below one below one"),
        pytest.param((2, 3, 1), dict.fromkeys((1, 2, 3), (2, 1, 2)), id="a circle: each has the others, once"),
        pytest.param((2, 3, 2), {2: (2, 2, 2), 3: (2, 1, 2)}, id="below a circle"),
        pytest.param((1, 1), {1: (1, 1, 1)}, id="nobody is below themselves"),
        pytest.param((77, 1), {77: (2, 1, 2), 1: (1, 1, 1)}, id="a manager who is not measured"),
    ],
)
def test_a_managers_people_are_all_below(managers: tuple[int | None, ...], below: dict[int, Any]) -> None:
    _, world = chain(*managers)
    assert {number: people(world, number) for number in below} == below


def test_a_line_that_changes_leaves_the_former_managers_what_was_done_under_them() -> None:
    source, world = chain(2, 3, None, None)
    world.feed(source.consultant(2, at=instant("2026-03-16T08:00:00"), manager_id=4))
    world.feed(source.timesheet(9, {"date": day("2026-03-17"), "minutes": HOURS, "employee_id": 1}), SOON)
    assert (people(world, 3), people(world, 4)) == ((0, 0, 2), (2, 1, 1))
    assert unit(world, "hr.employee", 3)["available_minutes"] == 2 * 10 * 480
    assert people(world, 2) == (1, 1, 2)


def test_a_line_that_was_never_meant_leaves_nothing_behind() -> None:
    source, world = chain(2, 3, None, None)
    assert people(world, 3) == (2, 1, 2)
    world.feed(source.consultant(2, at=EMPLOYED, manager_id=4), SOON)
    assert (people(world, 3), people(world, 4)) == ((0, 0, 0), (2, 1, 2))
    assert "nobody_left" in unit(world, "hr.employee", 3)["reasons"]


def test_lines_are_known_again_after_a_restart() -> None:
    source, world = chain(2, 3, None)
    again = world.drain().restarted(random.Random(5))  # noqa: S311  an order, no secret
    more = (source.consultant(3, manager_id=4), SOON)
    assert again.feed(*more).drain().rows == world.feed(*more).drain().rows
    assert again.encoded == world.encoded
    assert people(again, 4) == (3, 1, 3)


def test_what_is_told_everywhere_of_a_consultant_is_ids_and_days() -> None:
    source = Source()
    topic, event = source.consultant(1, hourly_cost=80)
    everywhere = [one.entry for one in route(topic, event) if one.processor == "utilization" and not one.subject]
    nothing = {"hourly_cost", "currency", "department_id", "calendar_id", "employed_from", "employed_to"}
    assert [{name for name, value in entry.items() if value is None} for entry in everywhere] == [nothing]
    assert everywhere[0]["weekday_minutes"] == []
