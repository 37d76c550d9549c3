"""Cases that went through by themselves, those that did not, and where they cluster."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.unit.streams.core.world import Source, World, instant

NOON = instant("2026-03-30T12:00:00")


def tick(text: str = "2026-03-30T12:00:00") -> tuple[str, Any]:
    return Source.tick(instant(text))


def rate(world: World, process: str = "vendor-to-pay") -> Any:
    return world.drain().measure("straight-through", f"odoo:db:process:{process}")


def expenses(source: Source, *histories: tuple[str, ...]) -> list[tuple[str, Any]]:
    return [
        source.expense(number, {"status": status})
        for number, history in enumerate(histories, start=1)
        for status in history
    ]


def test_a_case_that_was_refused_and_then_paid_did_not_go_straight() -> None:
    source, world = Source(), World()
    world.feed(*expenses(source, ("submitted", "approved", "paid"), ("submitted", "refused", "submitted", "paid")))
    world.feed(source.expense(3, {"status": "submitted"}), tick("2025-01-02T12:00:00"))
    measured = rate(world)
    assert (measured["cases"], measured["straight"], measured["rate"]) == (2, 1, Decimal("0.5"))
    assert (measured["clusters"], measured["cluster_counts"]) == (["expense: refused"], [1])


def test_a_case_counts_for_the_window_after_its_end_and_a_deleted_one_never_did() -> None:
    source, world = Source(), World()
    world.feed(*expenses(source, ("paid",), ("refused",)), tick("2025-01-02T12:00:00"))
    assert rate(world)["cases"] == 2
    world.feed(source.expense(2, None), tick("2025-01-03T12:00:00"))
    assert (rate(world)["cases"], rate(world)["rate"], rate(world)["clusters"]) == (1, 1, [])
    world.feed(tick("2025-04-02T12:00:00"))
    assert (rate(world)["rate"], rate(world)["reasons"]) == (None, ["no_cases"])


def test_a_low_rate_is_told_once_there_are_enough_cases() -> None:
    source, world = Source(), World()
    world.feed(*expenses(source, *[("paid",)] * 6, *[("refused",)] * 3), tick("2025-01-02T12:00:00"))
    assert world.said("straight_through") == []
    world.feed(source.expense(10, {"status": "refused"}), tick("2025-01-02T12:01:00"))
    assert world.said("straight_through") == [("straight_through.rate", "below", "raised", 1)]
    current = world.alerts[-1]["current"]
    assert (current["value"], current["threshold"], current["values"]["expense: refused"]) == (
        Decimal("0.6"),
        Decimal("0.70"),
        "4",
    )
    world.feed(*(source.expense(number, {"status": "paid"}) for number in range(11, 15)), tick("2025-01-02T12:02:00"))
    assert world.said("straight_through")[-1][2] == "cleared"


def test_every_process_has_its_own_cases() -> None:
    source, world = Source(), World()
    world.feed(
        source.contract(1),
        source.approval(1, {"status": "approved", "delegated_from_id": 9}),
        source.change_request(1, {"status": "rejected"}),
        source.milestone(1, {"deadline": 5, "reached_on": 6}),
        source.absence(1, {"first_day": 1, "last_day": 2}),
        source.invoice(1, payment_status="paid", overdue=True),
        source.dispute(1, {"status": "escalated"}),
        source.dispute(1, {"status": "resolved"}),
        tick("2025-01-02T12:00:00"),
    )
    assert rate(world, "quote-to-cash")["clusters"] == ["invoice: overdue"]
    assert (rate(world, "quote-to-cash")["cases"], rate(world, "quote-to-cash")["straight"]) == (2, 1)
    assert rate(world, "operations")["clusters"] == ["approval: delegated"]
    assert rate(world, "project-to-revenue")["clusters"] == ["change-request: rejected", "milestone: late"]
    assert rate(world, "issue-to-resolution")["clusters"] == ["dispute: escalated"]
    assert rate(world, "resource-to-timesheet")["rate"] == 1
