"""Clients, managers and companies by their active projects: sums of those with a budget, in one money, and what has left."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.unit.streams.core.world import Source, World, day, instant, key

TODAY = day("2026-03-30")
JANUARY = instant("2026-01-01")


def noon(second: int = 0) -> tuple[str, Any]:
    return Source.tick(instant(f"2026-03-30T12:00:{second:02}"))


def unit(world: World, model: str, number: int) -> Any:
    return world.drain().measure("burn-rollup", key(model, number))


def test_a_unit_sums_budgets_and_what_was_used_of_them() -> None:
    source, world = Source(), World()
    world.feed(
        source.project(1, at=JANUARY, budget_minutes=1000, budget_cost=500),
        source.project(2, at=JANUARY, budget_minutes=3000, budget_cost=1500),
        source.project(3, at=JANUARY, budget_minutes=None),
        source.timesheet(1, {"date": TODAY, "minutes": 900, "cost": 450}),
        source.timesheet(2, {"date": TODAY, "minutes": 500, "cost": 250, "project_id": 2}),
        source.timesheet(3, {"date": TODAY, "minutes": 77, "cost": 30, "project_id": 3}),
        source.purchase(1, {"amount": 100, "ordered_minutes": 600}),
        source.milestone(1, {"share": "0.8"}),
        source.contract(1, amount=1000, lines=[(1, 1000, {})]),
        noon(),
    )
    for model, number in (("res.partner", 3), ("res.users", 4), ("res.company", 1)):
        measured = unit(world, model, number)
        assert (measured["projects"], measured["projects_without_budget"]) == (3, 1)
        assert (measured["budget_minutes"], measured["actual_minutes"]) == (4000, 1477)
        assert measured["burn_hours"] == Decimal("0.35")
        assert (measured["committed_minutes"], measured["burn_committed_hours"]) == (2077, Decimal("0.5"))
        assert (measured["budget_cost"], measured["actual_cost"], measured["committed_cost"]) == (2000, 730, 830)
        assert (measured["burn_cost"], measured["burn_committed"]) == (Decimal("0.35"), Decimal("0.4"))
        assert (measured["earned_value"], measured["cpi"]) == (400, Decimal("0.888888889"))
        assert (measured["recognised_revenue"], measured["margin"]) == (800, Decimal("0.4375"))
        assert measured["reasons"] == ["no_budget"]


def test_a_project_that_changes_hands_or_closes_leaves_its_unit() -> None:
    source, world = Source(), World()
    world.feed(source.project(1, at=JANUARY), source.project(2, at=JANUARY), noon())
    world.feed(source.project(1, manager_id=5), source.project(2, active=False), noon(1))
    assert [unit(world, "res.users", number)["projects"] for number in (4, 5)] == [0, 1]
    assert unit(world, "res.users", 4)["reasons"] == ["no_active_project"]
    assert unit(world, "res.partner", 3)["projects"] == 1
    world.feed(source.project(1, manager_id=4), noon(2))
    assert [unit(world, "res.users", number)["projects"] for number in (4, 5)] == [1, 0]


def test_unlike_money_is_not_added() -> None:
    source, world = Source(), World()
    world.feed(
        source.project(1, at=JANUARY, budget_cost=100),
        source.project(2, at=JANUARY, budget_cost=100, currency="USD", company_id=2),
        noon(),
    )
    client = unit(world, "res.partner", 3)
    assert (client["budget_cost"], client["currency"], client["burn_cost"]) == (None, None, None)
    assert client["budget_minutes"] == 24_000
    assert client["reasons"] == ["mixed_currencies"]
    assert unit(world, "res.company", 1)["budget_cost"] == 100
