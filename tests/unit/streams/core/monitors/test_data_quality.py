"""Every flaw that a record can have: told, counted, and ended when it is mended. None of them stops anything."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.streams.core.world import Source, World, day, instant, key

NOON = instant("2026-03-30T12:00:00")
TODAY = day("2026-03-30")


def tick(minute: int = 0) -> tuple[str, Any]:
    return Source.tick(NOON + minute * 60_000_000)


def quality(world: World, company: int = 1) -> Any:
    return world.drain().measure("data-quality", key("res.company", company))


LINE = {"date": TODAY}


@pytest.mark.parametrize(
    ("good", "bad", "flaw"),
    [
        pytest.param(LINE, {**LINE, "minutes": -1}, "negative_time", id="negative hours"),
        pytest.param({**LINE, "minutes": 1440}, {**LINE, "minutes": 1441}, "absurd_time", id="more than a day has"),
        pytest.param(LINE, {**LINE, "employee_id": None}, "time_without_employee", id="nobody's line"),
        pytest.param(LINE, {**LINE, "project_id": None}, "time_without_project", id="a line on nothing"),
        pytest.param(LINE, {"date": 0}, "date_out_of_range", id="the first of January 1970"),
        pytest.param(LINE, {"date": day("2199-12-31")}, "date_out_of_range", id="in 2199"),
        pytest.param(
            {"date": TODAY + 1}, {"date": TODAY + 2}, "time_in_the_future", id="worked the day after tomorrow"
        ),
    ],
)
def test_flaws_of_time(good: dict[str, Any], bad: dict[str, Any], flaw: str) -> None:
    source, world = Source(), World()
    world.feed(source.timesheet(1, good, at=NOON), tick())
    assert ("data-quality", key("res.company", 1)) not in world.drain().encoded
    world.feed(source.timesheet(1, bad, at=NOON), tick(1))
    measured = quality(world)
    assert (measured["flaws"], measured["flaw_counts"], measured["flawed_records"]) == ([flaw], [1], 1)
    assert measured["examples"] == [f"{key('account.analytic.line', 1)}: {flaw}"]
    assert world.said("data_quality") == [("data_quality.flaw", flaw, "raised", 1)]
    world.feed(source.timesheet(1, good, at=NOON), tick(2))
    assert world.said("data_quality")[1:] == [("data_quality.flaw", flaw, "cleared", 1)]
    assert quality(world)["flawed_records"] == 0


@pytest.mark.parametrize(
    ("kind", "bad", "flaw"),
    [
        pytest.param("consultant", {"weekday_minutes": [0] * 7}, "calendar_without_hours", id="a calendar without hours"),
        pytest.param("consultant", {"weekday_minutes": [1500] + [0] * 6}, "absurd_calendar", id="a day of 25 hours"),
        pytest.param("consultant", {"timezone": "Mars/Olympus"}, "unknown_timezone", id="a time zone of elsewhere"),
        pytest.param("consultant", {"hourly_cost": 5, "currency": None}, "no_currency", id="cost in nothing"),
        pytest.param("project", {"budget_minutes": 0}, "budget_of_zero", id="a budget of zero"),
        pytest.param("project", {"budget_cost": -5}, "negative_budget", id="a budget below nothing"),
        pytest.param("invoice", {"company_total": 0}, "currency_without_rate", id="an invoice without a rate"),
        pytest.param("invoice", {"invoice_date": 0}, "date_out_of_range", id="an invoice of 1970"),
        pytest.param("contract", {"amount": 5, "company_amount": 0, "currency": "USD"}, "currency_without_rate", id="an order without a rate"),
    ],
)  # fmt: skip
def test_flaws_of_others(kind: str, bad: dict[str, Any], flaw: str) -> None:
    source, world = Source(), World()
    world.feed(getattr(source, kind)(1, at=NOON, **bad), tick())
    assert flaw in quality(world)["flaws"]
    world.feed(getattr(source, kind)(1, at=NOON), tick(1))
    assert quality(world)["flaws"] == []


def test_each_company_hears_of_its_own_and_a_deleted_record_is_none() -> None:
    source, world = Source(), World()
    world.feed(
        source.timesheet(1, {**LINE, "minutes": -1}, at=NOON),
        source.timesheet(2, {**LINE, "minutes": -1, "employee_id": None, "company_id": 2}, at=NOON),
        source.timesheet(3, {**LINE, "minutes": 2000, "company_id": None}, at=NOON),
        tick(),
    )
    assert [quality(world, company)["flawed_records"] for company in (1, 2, 0)] == [1, 1, 1]
    assert quality(world, 2)["flaws"] == ["negative_time", "time_without_employee"]
    assert quality(world, 0)["company_id"] is None
    world.feed(source.timesheet(1, None, at=NOON), tick(1))
    assert quality(world)["flawed_records"] == 0


def test_a_flawed_line_counts_all_the_same() -> None:
    source, world = Source(), World()
    world.feed(source.consultant(1), source.project(1), source.timesheet(1, {**LINE, "minutes": -60}, at=NOON), tick())
    assert (world.utilization()["worked_minutes"], world.burn()["actual_minutes"]) == (-60, -60)


def test_an_event_of_the_future_is_a_reason_until_its_day_has_come() -> None:
    source, world = Source(), World()
    ahead = instant("2026-04-03T09:00:00")
    world.feed(source.consultant(1), source.project(1), source.timesheet(1, LINE, at=ahead), tick())
    assert "recorded_in_the_future" in world.utilization()["reasons"]
    assert "recorded_in_the_future" in world.burn()["reasons"]
    world.feed(Source.tick(ahead))
    assert "recorded_in_the_future" not in world.utilization()["reasons"]
