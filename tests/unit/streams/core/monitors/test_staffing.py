"""Room against plans, certificates against demands, ends and benches: what is told, when, and what ends it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.streams.core.world import Source, World, day, instant, key

TODAY = day("2026-03-29")  # a Sunday: the horizon is four whole weeks
JANUARY = instant("2026-01-01")


def noon(text: str = "2026-03-29") -> tuple[str, Any]:
    return Source.tick(instant(f"{text}T12:00:00"))


def hired(**fields: Any) -> tuple[Source, World]:
    source, world = Source(), World()
    world.feed(source.consultant(1, at=JANUARY, **fields))
    return source, world


def staffing(world: World) -> Any:
    return world.drain().measure("staffing", key("hr.employee", 1))


def raised(world: World) -> list[tuple[str, str]]:
    """What is in force of the monitor."""
    standing: dict[tuple[str, str], None] = {}
    for rule, level, status, _ in world.said("staffing."):
        standing.pop((rule, level), None)
        if status == "raised":
            standing[rule, level] = None
    return list(standing)


@pytest.mark.parametrize(
    ("plan", "minutes"),
    [
        pytest.param({"planned_minutes": 4800, "starts_on": TODAY + 1, "ends_on": TODAY + 14}, 4800, id="all within"),
        pytest.param({"planned_minutes": 4800, "starts_on": TODAY + 15, "ends_on": TODAY + 42}, 2400, id="half of it"),
        pytest.param({"planned_minutes": 4800, "starts_on": TODAY + 29, "ends_on": TODAY + 42}, 0, id="later"),
        pytest.param({"planned_minutes": 4800, "starts_on": TODAY - 28, "ends_on": TODAY + 7}, 4800, id="what is left"),
        pytest.param({"planned_minutes": 1000}, 1000, id="without days it is spread over the horizon"),
        pytest.param({"planned_minutes": 500, "starts_on": TODAY + 6, "ends_on": TODAY + 7}, 0, id="a weekend"),
        pytest.param({"planned_minutes": 500, "status": "done"}, 0, id="what is done plans nothing"),
    ],
)
def test_planned_time_is_spread_over_its_working_days(plan: dict[str, Any], minutes: int) -> None:
    source, world = hired()
    world.feed(source.assignment(1, 1, plan), noon())
    assert staffing(world)["assigned_minutes"] == minutes


def test_more_assigned_than_there_is_room_for() -> None:
    source, world = hired()
    leave = {"first_day": TODAY + 1, "last_day": TODAY + 1}
    holiday = {"kind": "public_holiday", "employee_id": None, "first_day": TODAY + 2, "last_day": TODAY + 2}
    world.feed(
        source.absence(1, leave),
        source.absence(2, holiday),
        source.assignment(1, 1, {"planned_minutes": 18 * 480}),
        noon(),
    )
    measured = staffing(world)
    assert (measured["capacity_minutes"], measured["load"], measured["conflicts"]) == (18 * 480, 1, [])
    world.feed(source.assignment(2, 1, {"planned_minutes": 432}), Source.tick(instant("2026-03-29T12:01:00")))
    assert raised(world) == [("staffing.capacity", "above")]
    assert world.alerts[-1]["current"]["threshold"] == 1
    world.feed(source.assignment(2, 1, None), source.assignment(1, 1, {"planned_minutes": 60}), noon("2026-03-31"))
    assert raised(world) == []


@pytest.mark.parametrize(
    ("held", "level"),
    [
        pytest.param(None, "missing", id="never held"),
        pytest.param({"valid_to": TODAY - 1}, "expired", id="run out yesterday"),
        pytest.param({"valid_from": TODAY + 1}, "missing", id="not yet"),
        pytest.param({"valid_to": TODAY}, "expiring", id="the last day"),
        pytest.param({"valid_to": TODAY + 30}, "expiring", id="ends in a month"),
        pytest.param({"valid_to": TODAY + 31}, None, id="ends later"),
        pytest.param({}, None, id="for ever"),
    ],
)
def test_what_a_task_demands_must_be_held(held: dict[str, Any] | None, level: str | None) -> None:
    source, world = hired()
    world.feed(source.assignment(1, 1, {"required_skill_ids": [7]}))
    if held is not None:
        world.feed(source.skill(7, held))
    world.feed(noon())
    assert raised(world) == ([] if level is None else [("staffing.certification", level)])
    if level:
        assert staffing(world)[f"{level}_skill_ids"] == [7]
        assert world.alerts[-1]["current"]["values"][f"{level}_skill_ids"] == "[7]"


def test_a_certificate_that_was_renewed_and_a_task_that_is_done_end_the_alert() -> None:
    source, world = hired()
    world.feed(source.skill(7, {"valid_to": TODAY - 1}), source.assignment(1, 1, {"required_skill_ids": [7]}), noon())
    world.feed(source.skill(7, {"valid_to": TODAY + 400}), noon("2026-03-30"))
    assert raised(world) == []


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        pytest.param([TODAY + 14], ["ends"], id="in two weeks"),
        pytest.param([TODAY + 15], [], id="later"),
        pytest.param([TODAY + 3, None], [], id="one without an end goes on"),
        pytest.param([TODAY + 3, TODAY + 60], [], id="another one after it"),
        pytest.param([TODAY - 1], ["free"], id="ended: free"),
        pytest.param([], ["free"], id="nothing assigned: free"),
    ],
)
def test_ends_and_benches(ends: list[int | None], told: list[str]) -> None:
    source, world = hired()
    world.feed(*(source.assignment(task, 1, {"ends_on": end}) for task, end in enumerate(ends)), noon())
    assert [level for _, level in raised(world)] == told
    assert staffing(world)["conflicts"] == told


def test_who_left_or_has_no_working_hours_is_on_no_bench() -> None:
    for fields in ({"active": False}, {"employed_to": TODAY - 1}, {"weekday_minutes": [0] * 7}):
        _, world = hired(**fields)
        world.feed(noon())
        assert raised(world) == []
    assert "no_capacity" in staffing(world)["reasons"]


def test_a_plan_without_time_is_a_reason() -> None:
    source, world = hired()
    world.feed(source.assignment(1, 1, {"ends_on": TODAY + 20}), noon())
    measured = staffing(world)
    assert (measured["load"], measured["reasons"]) == (Decimal(0), ["assignment_without_plan"])
    assert measured["last_assignment_ends_on"] == date(2026, 4, 18)


def test_an_alert_says_so_when_it_is_about_something_else() -> None:
    source, world = hired()
    plan = {"required_skill_ids": [1], "ends_on": TODAY + 10}
    world.feed(source.assignment(1, 1, plan), noon("2026-03-29"))
    world.feed(source.assignment(1, 1, {**plan, "required_skill_ids": [1, 2]}), noon("2026-03-30"))
    world.feed(
        source.assignment(1, 1, {**plan, "required_skill_ids": [1, 2], "ends_on": TODAY + 12}), noon("2026-03-31")
    )
    assert world.said("staffing.certification") == [
        ("staffing.certification", "missing", "raised", 1),
        ("staffing.certification", "missing", "changed", 1),
    ]
    ends = [a["current"] for a in world.alerts if a["current"]["rule"] == "staffing.assignment_ends"]
    assert [(one["status"], one["value"], one["threshold"]) for one in ends] == [
        ("raised", 10, 14),
        ("changed", 10, 14),
    ]
