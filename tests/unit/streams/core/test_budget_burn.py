"""Budget burn beyond the worked example: budgets, costs, forecasts, and what is missing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.streams.core.world import Source, World, day, instant

TODAY = day("2026-03-30")
NOON = instant("2026-03-30T12:00:00")


def running(**fields: Any) -> tuple[Source, World]:
    source, world = Source(), World()
    world.feed(source.project(1, at=instant("2026-01-01"), **fields), source.tick(NOON))
    return source, world


def test_a_budget_of_cost_follows_from_the_mean_of_the_consultants_own_rates() -> None:
    source, world = running(budget_minutes=6000)
    world.feed(
        source.timesheet(1, {"date": TODAY, "minutes": 60, "cost": 50, "employee_id": 1}),
        source.timesheet(2, {"date": TODAY, "minutes": 180, "cost": 300, "employee_id": 2}),
        source.timesheet(3, {"date": TODAY, "minutes": 60, "cost": 10, "employee_id": None}),
    )
    measured = world.burn()
    assert measured["budget_cost"] == 100 * Decimal(75)  # 50 and 100 an hour, whoever worked more
    assert measured["actual_cost"] == 360
    assert measured["burn_cost"] == Decimal("0.048")
    assert measured["burn_hours"] == Decimal("0.05")


def test_a_rate_without_an_end_is_rounded_once() -> None:
    source, world = running(budget_minutes=7)
    world.feed(
        source.timesheet(1, {"date": TODAY, "minutes": 3, "cost": "1", "employee_id": 1}),
        source.timesheet(2, {"date": TODAY, "minutes": 7, "cost": "1", "employee_id": 2}),
    )
    assert world.burn()["budget_cost"] == Decimal("1.6667")  # 7 × (1/3 + 1/7) / 2
    assert world.burn()["burn_cost"] == Decimal("1.2")


def test_time_that_is_ordered_is_committed_and_raises_no_level_of_its_own() -> None:
    source, world = running(budget_minutes=1000)
    world.feed(
        source.timesheet(1, {"date": TODAY, "minutes": 300}),
        source.purchase(1, {"ordered_minutes": 600, "billed_minutes": 100}),
    )
    measured = world.burn()
    assert (measured["actual_minutes"], measured["committed_minutes"]) == (300, 800)
    assert (measured["burn_hours"], measured["burn_committed_hours"]) == (Decimal("0.3"), Decimal("0.8"))
    assert measured["levels"] == []
    world.feed(source.purchase(1, None))
    assert world.burn()["committed_minutes"] == 300
    world.feed(source.project(1, budget_minutes=None))
    assert world.burn()["burn_committed_hours"] is None


def test_costs_come_from_time_expenses_and_purchases() -> None:
    source, world = running(budget_cost=1000)
    world.feed(
        source.timesheet(1, {"date": TODAY, "cost": 100}),
        source.expense(1, {"amount": 200, "shares": [(1, "0.5")]}),
        source.purchase(1, {"amount": 400, "billed_amount": 150}),
    )
    measured = world.burn()
    assert (measured["actual_cost"], measured["committed_cost"]) == (350, 600)
    assert (measured["burn_cost"], measured["burn_committed"]) == (Decimal("0.35"), Decimal("0.6"))
    assert measured["levels"] == ["committed:50"]
    world.feed(source.purchase(1, {"amount": 400, "status": "cancelled"}), source.expense(1, None))
    assert world.burn()["committed_cost"] == 100
    assert world.said()[-1] == ("budget_burn.committed", "50", "cleared", 1)


@pytest.mark.parametrize(
    ("budget", "reasons"),
    [
        pytest.param({"budget_minutes": None}, ["no_budget", "no_progress", "no_revenue_budget"], id="no hours"),
        pytest.param(
            {"budget_minutes": 0},
            ["budget_of_zero", "no_budget", "no_progress", "no_revenue_budget"],
            id="none is not zero",
        ),
        pytest.param(
            {"budget_minutes": 600},
            ["no_cost_rate", "no_progress", "no_rate", "no_revenue_budget"],
            id="no rate without lines",
        ),
    ],
)
def test_what_is_missing_is_said(budget: dict[str, Any], reasons: list[str]) -> None:
    _, world = running(**budget)
    measured = world.burn()
    assert measured["reasons"] == reasons
    assert measured["burn_cost"] is None
    assert measured["eac"] is None


def test_a_missing_budget_is_one_alert_until_there_is_one() -> None:
    source, world = running(budget_minutes=None)
    world.feed(source.timesheet(1, {"date": TODAY}), source.project(1, budget_minutes=0))
    assert world.said() == [("budget_burn.no_budget", "missing", "raised", 1)]
    world.feed(source.project(1, budget_minutes=600))
    assert world.said()[1:] == [("budget_burn.no_budget", "missing", "cleared", 1)]


def test_a_jump_raises_the_highest_level_and_passes_the_others() -> None:
    source, world = running(budget_minutes=600)
    world.feed(source.timesheet(1, {"date": TODAY, "minutes": 700}))
    (alert,) = [a["current"] for a in world.alerts]
    assert (alert["rule"], alert["level"], alert["severity"]) == ("budget_burn.hours", "110", "critical")
    assert alert["passed"] == ["50", "75", "90", "100"]
    assert world.burn()["levels"] == ["hours:50", "hours:75", "hours:90", "hours:100", "hours:110"]
    world.feed(source.project(1, budget_minutes=1000))
    assert world.burn()["levels"] == ["hours:50"]
    assert world.said()[-1] == ("budget_burn.hours", "110", "cleared", 1)


@pytest.mark.parametrize(
    ("percent", "severity"), [(50, "info"), (75, "notice"), (90, "warning"), (100, "critical"), (110, "critical")]
)
def test_severity_grows_with_the_level(percent: int, severity: str) -> None:
    source, world = running(budget_minutes=100)
    world.feed(source.timesheet(1, {"date": TODAY, "minutes": percent}))
    assert world.alerts[-1]["current"]["severity"] == severity


def test_the_forecast_warns_before_the_overspend_and_only_then() -> None:
    source, world = running(budget_cost=1000)
    world.feed(source.milestone(1, {"share": "0.5"}), source.timesheet(1, {"date": TODAY, "cost": 490}))
    assert world.said("budget_burn.forecast") == []
    assert world.burn()["eac"] == 980
    world.feed(source.timesheet(1, {"date": TODAY, "cost": 510}))
    assert world.said("budget_burn.forecast") == [("budget_burn.forecast", "eac", "raised", 1)]
    world.feed(source.timesheet(1, {"date": TODAY, "cost": 495}))
    assert len(world.said("budget_burn.forecast")) == 1
    world.feed(source.milestone(1, {"share": "0.6"}))
    assert world.said("budget_burn.forecast")[1:] == [("budget_burn.forecast", "eac", "cleared", 1)]
    late, spent = running(budget_cost=1000)
    spent.feed(late.milestone(1, {"share": "0.5"}), late.timesheet(1, {"date": TODAY, "cost": 950}))
    assert spent.said("budget_burn.forecast") == []


@pytest.mark.parametrize(
    ("ordered", "share", "costs", "rule"),
    [
        pytest.param(0, "0.6", (590, 610), "budget_burn.forecast", id="the forecast, between two levels of cost"),
        pytest.param(
            450, None, (10, 60), "budget_burn.committed", id="a level of committed cost, far below one of cost"
        ),
    ],
)
def test_a_line_of_time_alone_can_cross(ordered: int, share: str | None, costs: tuple[int, int], rule: str) -> None:
    source, world = running(budget_cost=1000)
    world.feed(source.purchase(1, {"amount": ordered}), source.milestone(1, {"share": share}))
    world.feed(source.timesheet(1, {"date": TODAY, "cost": costs[0]}))
    assert world.said(rule) == []
    world.feed(source.timesheet(1, {"date": TODAY, "cost": costs[1]}))
    assert [said[2] for said in world.said(rule)] == ["raised"]
    world.feed(source.timesheet(1, {"date": TODAY, "cost": 0}))
    assert [said[2] for said in world.said(rule)] == ["raised", "cleared"]


@pytest.mark.parametrize(
    ("cost", "share", "expected", "reason"),
    [
        pytest.param(
            0, "0.5", {"cpi": None, "eac": None, "tcpi": Decimal("0.5")}, "no_actual_cost", id="nothing spent"
        ),
        pytest.param(100, "0", {"cpi": 0, "eac": None, "vac": None}, "no_earned_value", id="nothing earned"),
        pytest.param(1000, "0.5", {"cpi": Decimal("0.5"), "tcpi": None}, "budget_spent", id="nothing left to spend"),
        pytest.param("0.0001", "1", {"cpi": 10_000_000, "eac": Decimal("0.0001")}, None, id="hardly anything spent"),
        pytest.param(
            1000, "0.000000001", {"eac": 10**12, "cpi": Decimal("0.000000001")}, None, id="hardly anything earned"
        ),
    ],
)
def test_no_denominator_of_zero_becomes_a_number(
    cost: Any, share: str, expected: dict[str, Any], reason: str | None
) -> None:
    source, world = running(budget_cost=1000)
    world.feed(source.milestone(1, {"share": share}), source.timesheet(1, {"date": TODAY, "cost": cost}))
    measured = world.burn()
    assert {name: measured[name] for name in expected} == expected
    assert reason is None or reason in measured["reasons"]


def test_a_value_too_large_for_its_schema_is_null_with_a_reason() -> None:
    source, world = running(budget_minutes=1, budget_cost="0.0001")
    world.feed(source.timesheet(1, {"date": TODAY, "minutes": 2_000_000_000, "cost": 10**9}))
    measured = world.burn()
    assert (measured["burn_hours"], measured["burn_cost"]) == (None, None)
    assert "out_of_range" in measured["reasons"]
    far, slow = running(budget_minutes=999_999_999)
    slow.feed(far.timesheet(1, {"date": TODAY - 7, "minutes": 4}))
    assert slow.burn()["exhausted_on"] is None
    assert "out_of_range" in slow.burn()["reasons"]


def test_a_spent_budget_has_no_weeks_left() -> None:
    source, world = running(budget_minutes=60)
    world.feed(source.timesheet(1, {"date": TODAY - 7, "minutes": 60}))
    measured = world.burn()
    assert (measured["weeks_left"], measured["exhausted_on"]) == (None, None)
    assert "budget_spent" in measured["reasons"]


def test_archived_and_deleted_projects_stay_measured_without_alerts() -> None:
    source, world = running(budget_minutes=600)
    world.feed(
        source.timesheet(1, {"date": TODAY, "minutes": 600}), source.project(1, budget_minutes=600, active=False)
    )
    assert world.said()[-1] == ("budget_burn.hours", "100", "cleared", 1)
    measured = world.burn()
    assert (measured["burn_hours"], measured["levels"], measured["reasons"][0]) == (1, [], "archived")
    world.feed(source.publish("delivery.project.v1", "odoo:db:project.project:1", None))
    assert "deleted" in world.burn()["reasons"]


def test_milestones_without_shares_tell_no_progress() -> None:
    source, world = running(budget_cost=1000)
    world.feed(source.milestone(1, {}), source.milestone(2, {"reached": False}))
    assert world.burn()["progress"] is None
    world.feed(source.milestone(2, {"reached": False, "share": "0.4"}))
    assert world.burn()["progress"] == 0
    world.feed(source.milestone(1, {"share": "0.25"}), source.milestone(2, None))
    assert world.burn()["progress"] == Decimal("0.25")
