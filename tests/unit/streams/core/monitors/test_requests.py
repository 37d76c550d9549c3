"""Approvals and change requests: when they are late, who is told next, and what ends it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.unit.streams.core.world import Source, World, day, instant, key

THURSDAY = instant("2026-03-26T09:00:00")
APPROVAL = "approval.overdue"


def at(text: str) -> tuple[str, Any]:
    return Source.tick(instant(f"{text}T12:00:00"))


def request(world: World, subject: str = "n8n:approval:1") -> Any:
    return world.drain().measure("request-aging", subject)


def test_an_approval_that_nobody_decides_goes_up_step_by_step() -> None:
    source, world = Source(), World()
    world.feed(source.approval(1, {"requested_at": THURSDAY}, at=THURSDAY), at("2026-03-30"))
    measured = request(world)
    assert (measured["due_on"], measured["overdue"], measured["business_days_open"]) == (date(2026, 3, 30), False, 2)
    assert world.said(APPROVAL) == []
    world.feed(at("2026-03-31"))
    assert world.said(APPROVAL) == [(APPROVAL, "approver", "raised", 1)]
    assert request(world)["business_days_overdue"] == 1
    world.feed(at("2026-04-01"), at("2026-04-02"))
    assert world.said(APPROVAL)[1:] == [(APPROVAL, "alternate", "raised", 1)]
    world.feed(at("2026-04-03"))
    assert world.said(APPROVAL)[-1] == (APPROVAL, "operations", "raised", 1)
    current = world.alerts[-1]["current"]
    assert (current["values"]["approver_id"], current["values"]["alternate_ids"]) == ("5", "[6]")
    assert (current["owner"], current["severity"], current["subject_kind"]) == ("operations", "critical", "request")
    assert world.alerts[-1]["meta"]["tenant"] == "db"
    decided = {"requested_at": THURSDAY, "status": "approved", "decided_at": instant("2026-04-03T15:00:00")}
    world.feed(source.approval(1, decided), at("2026-04-04"))
    assert [said[2] for said in world.said(APPROVAL)].count("cleared") == 3
    measured = request(world)
    assert (measured["decided_on"], measured["days_open"], measured["overdue"]) == (date(2026, 4, 3), 8, True)


def test_what_a_tick_measured_is_told_though_nothing_is_left_of_it_at_the_next() -> None:
    worlds = World(), World()
    for world, between in zip(worlds, (True, False), strict=True):
        source = Source()
        world.feed(source.approval(1, {"requested_at": THURSDAY}, at=THURSDAY), at("2026-03-30"))
        if between:
            world.drain()
        world.feed(source.approval(1, None), at("2026-03-31")).drain()
    several, one = worlds
    assert one.encoded == several.encoded
    assert ("request-aging", "n8n:approval:1") in one.encoded


@pytest.mark.parametrize(
    ("fields", "late"),
    [
        pytest.param({"due_at": instant("2026-04-10T08:00:00")}, False, id="a later day was agreed"),
        pytest.param({"due_at": instant("2026-03-27T08:00:00")}, True, id="an earlier day was agreed"),
        pytest.param({"status": "rejected", "decided_at": THURSDAY}, False, id="a rejection is a decision"),
        pytest.param({"status": "cancelled"}, False, id="called off, nobody knows when"),
    ],
)
def test_lateness(fields: dict[str, Any], late: bool) -> None:
    source, world = Source(), World()
    world.feed(source.approval(1, {"requested_at": THURSDAY, **fields}), at("2026-03-30"))
    assert bool(world.said(APPROVAL)) is late


def test_a_public_holiday_is_no_day_to_decide_on() -> None:
    source, world = Source(), World()
    holiday = {
        "kind": "public_holiday",
        "employee_id": None,
        "first_day": day("2026-03-27"),
        "last_day": day("2026-03-27"),
    }
    world.feed(source.absence(1, holiday), source.approval(1, {"requested_at": THURSDAY}), at("2026-03-31"))
    assert (request(world)["due_on"], world.said(APPROVAL)) == (date(2026, 3, 31), [])


def test_a_change_request_ages_until_it_is_decided_or_gone() -> None:
    source, world = Source(), World()
    world.feed(
        source.change_request(1, {"raised_at": THURSDAY, "due_on": day("2026-03-27"), "amount": 500}), at("2026-03-28")
    )
    measured = request(world, key("sale.order", 1))
    assert (measured["kind"], measured["amount"], measured["project_id"]) == ("change_request", 500, 1)
    assert world.said("change_request.overdue") == [("change_request.overdue", "approver", "raised", 1)]
    world.feed(source.change_request(1, None), at("2026-03-29"))
    assert world.said("change_request.overdue")[-1][2] == "cleared"


def test_a_request_of_the_future_is_a_reason() -> None:
    source, world = Source(), World()
    world.feed(source.approval(1, {"requested_at": instant("2026-05-01")}), at("2026-03-30"))
    measured = request(world)
    assert (measured["days_open"], measured["reasons"]) == (0, ["asked_in_the_future"])


def test_a_delegated_request_that_is_late_says_who_is_to_decide_now() -> None:
    source, world = Source(), World()
    world.feed(source.approval(1, {"requested_at": THURSDAY}, at=THURSDAY), at("2026-03-31"))
    delegated = {"requested_at": THURSDAY, "approver_id": 8, "delegated_from_id": 5}
    world.feed(source.approval(1, delegated), at("2026-04-01"))
    assert world.said(APPROVAL)[:2] == [(APPROVAL, "approver", "raised", 1), (APPROVAL, "approver", "changed", 1)]
    assert [alert["current"]["values"]["approver_id"] for alert in world.alerts[:2]] == ["5", "8"]
