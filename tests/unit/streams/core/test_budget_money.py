"""What a project may cost by who is assigned, what it earns by its orders, and what is left: the margin and its alert."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.streams.core.world import Source, World, day, instant, key

TODAY = day("2026-03-30")
NOON = instant("2026-03-30T12:00:00")
MARGIN = "budget_burn.margin"


def running(**fields: Any) -> tuple[Source, World]:
    source, world = Source(), World()
    world.feed(source.project(1, at=instant("2026-01-01"), **fields), source.tick(NOON))
    return source, world


def test_a_budget_of_cost_follows_from_the_mean_of_the_assigned_consultants() -> None:
    source, world = running(budget_minutes=6000)
    world.feed(
        source.consultant(1, hourly_cost=50),
        source.consultant(2, hourly_cost=100),
        source.assignment(1, 1, {}),
        source.assignment(2, 1, {}),
        source.assignment(2, 2, {}),
        source.timesheet(1, {"date": TODAY, "minutes": 60, "cost": 900, "employee_id": 3}),
    )
    assert world.burn()["budget_cost"] == 100 * Decimal(75)  # each once, and not what somebody else's line costs
    assert world.burn()["reasons"] == ["no_progress", "no_rate", "no_revenue_budget"]
    world.feed(source.consultant(2, hourly_cost=150))
    assert world.burn()["budget_cost"] == 100 * Decimal(100)
    world.feed(source.assignment(2, 2, None))
    assert world.burn()["budget_cost"] == 100 * Decimal(50)
    world.feed(source.consultant(1, hourly_cost=50, active=False))
    assert world.burn()["budget_cost"] == 100 * Decimal(900)  # nobody is assigned: those with lines stand in


def test_an_assignment_that_moves_to_another_project_takes_its_rate_along() -> None:
    source, world = running(budget_minutes=600)
    world.feed(source.project(2, budget_minutes=600), source.consultant(1, hourly_cost=60))
    world.feed(source.assignment(1, 1, {}))
    assert (world.burn(1)["budget_cost"], world.burn(2)["budget_cost"]) == (600, None)
    world.feed(source.assignment(1, 1, {"project_id": 2}))
    assert (world.burn(1)["budget_cost"], world.burn(2)["budget_cost"]) == (None, 600)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"hourly_cost": None}, id="nobody may read what an hour costs"),
        pytest.param({"hourly_cost": 70, "currency": "USD"}, id="an hour in other money"),
    ],
)
def test_an_assigned_consultant_without_a_usable_rate_is_a_reason(fields: dict[str, Any]) -> None:
    source, world = running(budget_minutes=600)
    world.feed(source.consultant(1, hourly_cost=50), source.consultant(2, **fields))
    world.feed(source.assignment(1, 1, {}), source.assignment(1, 2, {}))
    assert world.burn()["budget_cost"] == 500
    assert "assigned_without_rate" in world.burn()["reasons"]


def test_rates_are_told_once_through_a_restart() -> None:
    source, world = running(budget_minutes=600)
    world.feed(source.consultant(1, hourly_cost=50), source.assignment(1, 1, {})).drain()
    again = world.restarted(random.Random(3))  # noqa: S311  an order, no secret
    news = source.timesheet(1, {"date": TODAY}), source.consultant(1, hourly_cost=50, name="Other")
    assert again.feed(*news).drain().encoded == world.feed(*news).drain().encoded
    assert again.rows == world.rows


def test_revenue_is_what_confirmed_orders_are_worth_at_their_rate() -> None:
    source, world = running(budget_cost=1000)
    world.feed(
        source.contract(1, amount=900, lines=[(1, 600, {}), (2, 300, {})]),
        source.contract(2, amount=500, company_amount=400, currency="USD", project_id=1, lines=[(None, 500, {})]),
        source.contract(3, amount=99, status="sent", lines=[(1, 99, {})]),
        source.contract(4, amount=50, lines=[(1, 50, {"kind": "down_payment"})]),
    )
    assert world.burn()["revenue_budget"] == 600 + 400
    world.feed(source.contract(1, amount=900, status="cancelled", lines=[(1, 600, {}), (2, 300, {})]))
    assert world.burn()["revenue_budget"] == 400


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        pytest.param({"currency": "USD", "company_amount": 0}, "no_exchange_rate", id="a currency without rate"),
        pytest.param({"company_currency": None}, "no_exchange_rate", id="nobody knows the company's currency"),
        pytest.param({"company_currency": "USD", "currency": "USD"}, "mixed_currencies", id="another company's order"),
        pytest.param({"company_amount": None}, "no_exchange_rate", id="a signature without an order"),
    ],
)
def test_an_order_that_cannot_be_added_makes_revenue_null(order: dict[str, Any], reason: str) -> None:
    source, world = running(budget_cost=1000)
    world.feed(source.contract(1, amount=900, lines=[(1, 900, {})]), source.milestone(1, {"share": "0.5"}))
    world.feed(source.contract(2, amount=100, lines=[(1, 100, {})], **order))
    measured = world.burn()
    assert (measured["revenue_budget"], measured["recognised_revenue"], measured["margin"]) == (None, None, None)
    assert reason in measured["reasons"]


def test_the_margin_is_what_recognised_revenue_leaves_and_tells_when_it_is_thin() -> None:
    source, world = running(budget_cost=100_000)
    world.feed(
        source.contract(1, amount=20_000, lines=[(1, 20_000, {})]),
        source.milestone(1, {"share": "0.5"}),
        source.timesheet(1, {"date": TODAY, "cost": 8000}),
    )
    measured = world.burn()
    assert (measured["recognised_revenue"], measured["margin"]) == (10_000, Decimal("0.2"))
    assert measured["margin_target"] == Decimal("0.3")
    assert world.said(MARGIN) == []  # exactly the target minus 10 points
    world.feed(source.timesheet(2, {"date": TODAY, "cost": "0.0001"}))
    assert world.said(MARGIN) == [(MARGIN, "below_target", "raised", 1)]
    assert world.alerts[-1]["current"]["values"]["recognised_revenue"] == "10000.0000"
    world.feed(source.timesheet(1, {"date": TODAY, "cost": 7900}))
    assert len(world.said(MARGIN)) == 1  # 21 %: better, and within the hysteresis
    world.feed(source.timesheet(1, {"date": TODAY, "cost": "7799.9999"}))
    assert world.said(MARGIN)[1:] == [(MARGIN, "below_target", "cleared", 1)]  # exactly 22 %
    world.feed(source.timesheet(1, {"date": TODAY, "cost": 9000}), source.milestone(1, None))
    assert [said[2] for said in world.said(MARGIN)] == ["raised", "cleared", "raised", "cleared"]
    assert world.burn()["margin"] is None


def test_a_project_deleted_with_records_left_says_so() -> None:
    source, world = running(budget_minutes=600)
    world.feed(source.publish("delivery.project.v1", key("project.project", 1), None))
    assert "deleted_with_records_left" not in world.burn()["reasons"]
    world.feed(source.timesheet(1, {"date": TODAY}))
    assert "deleted_with_records_left" in world.burn()["reasons"]


def test_without_shares_of_milestones_progress_is_the_planned_time_of_done_tasks() -> None:
    source, world = running(budget_cost=1000)
    world.feed(
        source.task(1, {"planned_minutes": 600, "status": "done"}),
        source.task(2, {"planned_minutes": 1800}),
        source.task(3, {"planned_minutes": 999, "status": "cancelled"}),
        source.task(4, {}),
        source.task(5, {"planned_minutes": 999, "active": False}),
    )
    assert (world.burn()["progress"], world.burn()["earned_value"]) == (Decimal("0.25"), 250)
    world.feed(source.task(2, {"planned_minutes": 1800, "project_id": 2}))
    assert world.burn()["progress"] == 1
    world.feed(source.milestone(1, {"share": "0.1"}))
    assert world.burn()["progress"] == Decimal("0.1")
    world.feed(source.milestone(1, None), source.task(1, None))
    assert world.burn()["progress"] is None


def test_a_posted_bill_counts_for_what_no_order_tells() -> None:
    source, world = running(budget_cost=1000)
    bill = {"move_type": "in_invoice", "shares": [(1, 100, 30), (1, 50, 0), (2, 7, 0), (None, 9, 0)]}
    world.feed(source.invoice(1, status="draft", **bill))
    assert world.burn()["actual_cost"] == 0
    world.feed(source.invoice(1, **bill))
    assert world.burn()["actual_cost"] == 120
    world.feed(source.invoice(2, move_type="in_refund", shares=[(1, 20, 0)]))
    assert world.burn()["actual_cost"] == 100
    world.feed(source.invoice(1, **{**bill, "status": "cancelled"}))
    assert world.burn()["actual_cost"] == -20


@pytest.mark.parametrize(
    "spent",
    [
        pytest.param(lambda s: s.timesheet(9, {"date": TODAY, "cost": 5, "currency": "USD"}), id="time"),
        pytest.param(lambda s: s.expense(9, {"amount": 5, "currency": "USD"}), id="an expense"),
        pytest.param(
            lambda s: s.purchase(9, {"amount": 5, "billed_amount": 5, "company_currency": "USD"}),
            id="an order to a vendor",
        ),
        pytest.param(
            lambda s: s.invoice(9, move_type="in_invoice", company_currency="USD", shares=[(1, 5, 0)]), id="a bill"
        ),
    ],
)
def test_cost_in_another_currency_cannot_be_added(spent: Callable[[Source], tuple[str, Any]]) -> None:
    source, world = running(budget_cost=100)
    world.feed(source.timesheet(1, {"date": TODAY, "cost": 95}), source.milestone(1, {"share": "0.5"}))
    world.feed(source.contract(1, amount=100, lines=[(1, 100, {})]))
    before = world.burn()
    assert (before["burn_cost"], before["eac"], before["margin"]) == (Decimal("0.95"), 190, Decimal("-0.9"))
    world.feed(spent(source))
    measured = world.burn()
    unknown = ("burn_cost", "burn_committed", "cpi", "eac", "vac", "tcpi", "margin")
    assert [measured[name] for name in unknown] == [None] * len(unknown)
    assert (measured["actual_cost"], measured["earned_value"], "mixed_currencies" in measured["reasons"]) == (
        95,
        50,
        True,
    )
    in_force = Counter(said[0] for said in world.said() if said[2] == "raised")
    in_force.subtract(said[0] for said in world.said() if said[2] == "cleared")
    assert not +in_force
    again = world.restarted(random.Random(1))  # noqa: S311  an order, no secret
    assert again.drain().feed(source.timesheet(2, {"date": TODAY})).burn()["actual_cost"] == 95
    world.feed(source.project(1, budget_cost=100, currency=None))
    assert world.burn()["actual_cost"] == 100  # nothing can be told apart, which is said
    assert "no_currency" in world.burn()["reasons"]


def test_when_what_was_foreign_is_corrected_all_is_known_again() -> None:
    source, world = running(budget_cost=100)
    world.feed(source.timesheet(1, {"date": TODAY, "cost": 95}))
    world.feed(source.timesheet(2, {"date": TODAY, "cost": 3, "currency": "USD"}))
    assert world.said("budget_burn.cost")[-1] == ("budget_burn.cost", "90", "cleared", 1)
    world.feed(source.timesheet(2, {"date": TODAY, "cost": 2, "currency": "EUR"}))
    assert (world.burn()["burn_cost"], "mixed_currencies" in world.burn()["reasons"]) == (Decimal("0.97"), False)
    assert world.said("budget_burn.cost")[-1] == ("budget_burn.cost", "90", "raised", 2)
    world.feed(source.project(1, budget_cost=100, currency="USD"))
    assert (world.burn()["actual_cost"], world.burn()["burn_cost"]) == (0, None)


def test_a_line_without_a_currency_is_taken_for_the_projects() -> None:
    source, world = running(budget_cost=100)
    world.feed(source.timesheet(1, {"date": TODAY, "cost": 95, "currency": None}))
    assert world.burn()["burn_cost"] == Decimal("0.95")


@pytest.mark.parametrize("currency", ["E", "euro", "é" * 1_000_000])
def test_what_is_no_currency_is_told_apart_and_not_remembered(currency: str) -> None:
    source, world = running(budget_cost=100)
    world.feed(source.timesheet(1, {"date": TODAY, "cost": 5, "currency": currency}))
    assert "mixed_currencies" in world.burn()["reasons"]
    assert max(len(data) for _, data in world.rows.values()) < 1000
