"""What can be billed, to the cent and by age, and what stands in the way of the rest."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.streams.core.world import Source, World, day, instant, key

TODAY = day("2026-03-30")
JANUARY = instant("2026-01-01")
LINE = 100
"""The first line of the first order."""


def noon(text: str = "2026-03-30") -> tuple[str, Any]:
    return Source.tick(instant(f"{text}T12:00:00"))


def sold(**fields: Any) -> tuple[Source, World]:
    """A project with an order for time at 120 an hour, 10 % off."""
    source, world = Source(), World()
    line = (1, 0, {"unit_price": 120, "discount": "0.1"})
    world.feed(source.project(1, at=JANUARY), source.contract(1, **{"lines": [line], **fields}))
    return source, world


def work(source: Source, number: int, age: int, minutes: int = 60, **fields: Any) -> tuple[str, Any]:
    state = {"date": TODAY - age, "minutes": minutes, "order_line_id": LINE, "approved": True, **fields}
    return source.timesheet(number, state)


def billing(world: World) -> Any:
    return world.drain().measure("billing", key("project.project", 1))


def test_approved_work_that_nobody_billed_by_age_and_worth() -> None:
    source, world = sold()
    world.feed(
        work(source, 1, 0, 90),
        work(source, 2, 30),
        work(source, 3, 31),
        work(source, 4, 95, 30),
        work(source, 5, 10, approved=False),
        work(source, 6, 10, billable=False),
        work(source, 7, 10, invoice_id=8),
        work(source, 8, 10, order_line_id=None),
        noon(),
    )
    measured = billing(world)
    assert measured["unbilled_minutes"] == 240
    assert measured["unbilled_amount"] == 4 * Decimal(108)
    assert measured["buckets"] == ["0-30", "31-60", "61-90", "91+"]
    assert measured["bucket_minutes"] == [150, 60, 0, 30]
    assert measured["bucket_amounts"] == [270, 108, 0, 54]
    assert measured["oldest_unbilled_on"] == date(2025, 12, 25)
    assert (measured["waiting_minutes"], measured["waiting_amount"]) == (60, 108)
    assert (measured["ready_amount"], measured["blockers"]) == (432, ["time_not_approved"])


def test_work_that_grows_old_is_told_once_a_step_and_ends_when_it_is_billed() -> None:
    source, world = sold()
    world.feed(work(source, 1, 30), noon())
    assert world.said("billing.unbilled") == []
    world.feed(noon("2026-03-31"))
    assert world.said("billing.unbilled") == [("billing.unbilled", "31-60", "raised", 1)]
    assert world.alerts[-1]["current"]["owner"] == "project-manager"
    world.feed(noon("2026-06-01"))
    assert world.said("billing.unbilled")[1:] == [("billing.unbilled", "91+", "raised", 1)]
    assert world.alerts[-1]["current"]["passed"] == ["61-90"]
    world.feed(work(source, 1, 30, invoice_id=5), noon("2026-06-02"))
    assert [said[1:3] for said in world.said("billing.unbilled")[2:]] == [("31-60", "cleared"), ("91+", "cleared")]
    assert billing(world)["unbilled_minutes"] == 0


def test_what_was_sold_otherwise_is_ready_as_far_as_it_is_delivered() -> None:
    lines = [
        (1, 5000, {"kind": "milestones", "quantity": 1, "delivered": "0.6", "invoiced": "0.25", "unit_price": 5000}),
        (1, 300, {"kind": "expense", "quantity": 1, "delivered": 1, "invoiced": 1, "unit_price": 300}),
    ]
    _, world = sold(lines=lines)
    world.feed(noon())
    assert (billing(world)["other_amount"], billing(world)["ready_amount"]) == (1750, 1750)


@pytest.mark.parametrize(
    ("order", "work_", "blockers"),
    [
        pytest.param({"status": "sent"}, {}, ["order_not_confirmed"], id="the order is an offer still"),
        pytest.param({}, {"order_line_id": 999}, ["order_not_confirmed"], id="nobody knows the order"),
        pytest.param({}, {"approved": False}, ["time_not_approved"], id="nobody approved it"),
        pytest.param({"lines": [(1, 0, {"unit": "Units"})]}, {}, ["no_price"], id="a unit that is no time"),
        pytest.param(
            {"currency": "USD", "amount": 10, "company_amount": 0}, {}, ["no_price"], id="a currency without a rate"
        ),
    ],
)
def test_blockers(order: dict[str, Any], work_: dict[str, Any], blockers: list[str]) -> None:
    source, world = sold(**order)
    world.feed(work(source, 1, 15, **work_), noon())
    measured = billing(world)
    assert measured["blockers"] == blockers
    assert world.said("billing.blocked") == [("billing.blocked", blockers[0], "raised", 1)]
    world.feed(work(source, 1, 14, **work_), noon("2026-03-31"), source.timesheet(1, None), noon("2026-04-01"))
    assert world.said("billing.blocked")[-1][2] == "cleared"


def test_a_day_is_eight_hours_and_a_foreign_order_counts_at_its_rate() -> None:
    line = (1, 0, {"unit_price": 1000, "unit": "Days"})
    source, world = sold(lines=[line], currency="USD", amount=2000, company_amount=1800)
    world.feed(work(source, 1, 1, 240), noon())
    assert billing(world)["unbilled_amount"] == 450


def test_expenses_and_milestones_that_wait_are_blockers() -> None:
    source, world = sold()
    world.feed(
        source.expense(1, {"status": "submitted", "date": TODAY - 3}),
        source.milestone(1, {"reached": False, "deadline": TODAY - 1}),
        source.milestone(2, {"reached": False, "deadline": TODAY}),
        noon(),
    )
    assert billing(world)["blockers"] == ["expense_not_approved", "milestone_not_reached"]
    assert world.said("billing.blocked") == []  # young
    world.feed(
        source.expense(1, {"status": "approved", "date": TODAY - 3}), source.milestone(1, {}), noon("2026-03-31")
    )
    assert billing(world)["blockers"] == ["milestone_not_reached"]  # the other one's day has passed


def test_a_deleted_project_is_watched_no_more() -> None:
    source, world = sold()
    world.feed(work(source, 1, 40), noon())
    world.feed(source.publish("delivery.project.v1", key("project.project", 1), None), noon("2026-03-31"))
    assert world.said("billing.unbilled")[-1][2] == "cleared"
