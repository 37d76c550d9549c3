"""Units are the sum of their people's days: what changes hands, what ends, and what is no hierarchy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

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
