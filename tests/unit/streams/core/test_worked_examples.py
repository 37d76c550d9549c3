"""The worked examples of the measures' definition, to the cent and the digit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D  # noqa: N817  figures read better

from tests.unit.streams.core.world import Source, World, day, instant


def at(text: str) -> tuple[str, object]:
    return Source.tick(instant(f"{text}T12:00:00"))


def test_utilization() -> None:
    source, world = Source(), World()
    world.feed(
        source.consultant(1),
        source.consultant(2),
        source.absence(
            1,
            {
                "kind": "public_holiday",
                "employee_id": None,
                "first_day": day("2026-03-25"),
                "last_day": day("2026-03-25"),
            },
        ),
        source.absence(2, {"first_day": day("2026-03-12"), "last_day": day("2026-03-13")}),
        source.absence(3, {"first_day": day("2026-03-20"), "last_day": day("2026-03-20"), "status": "requested"}),
        source.timesheet(1, {"date": day("2026-03-02"), "minutes": 96 * 60}),
        source.timesheet(2, {"date": day("2026-03-29"), "minutes": 20 * 60, "billable": False}),
        source.timesheet(3, {"date": day("2026-03-12"), "minutes": 16 * 60, "leave": True}),
        source.timesheet(4, {"date": day("2026-03-01"), "minutes": 600}),
        at("2026-03-29"),
    )
    measured = world.utilization()
    assert measured["available_minutes"] == 136 * 60
    assert (measured["worked_minutes"], measured["billable_minutes"]) == (116 * 60, 96 * 60)
    assert measured["billable_utilization"] == D("0.705882353")
    assert measured["total_utilization"] == D("0.852941176")
    assert measured["delta"] == D("-0.044117647")
    assert measured["band"] == "on_target"
    assert measured["as_of"] == date(2026, 3, 29)
    assert world.said("utilization.band") == [
        ("utilization.band", "bench", "raised", 1)
    ]  # the second consultant logged nothing

    late = {"date": day("2026-03-05"), "minutes": 6 * 60}
    world.feed(source.timesheet(5, late))
    restated = world.utilization()
    assert restated["billable_utilization"] == D("0.750000000")
    assert restated["delta"] == 0
    assert restated["revision"] == measured["revision"] + 1

    world.feed(source.timesheet(5, {**late, "minutes": 4 * 60}))
    assert world.utilization()["billable_minutes"] == 100 * 60
    world.feed(source.timesheet(5, {**late, "minutes": 4 * 60, "employee_id": 2}))
    assert world.utilization()["billable_minutes"] == 96 * 60
    assert world.utilization(2)["billable_minutes"] == 4 * 60
    world.feed(source.timesheet(5, None))
    assert world.utilization(2)["billable_minutes"] == 0

    world.feed(source.timesheet(6, late), at("2026-04-02"))
    assert world.utilization()["billable_minutes"] == 0 * 60  # the window is 03-06 … 04-02, and 03-02 is outside too
    assert world.utilization()["worked_minutes"] == 20 * 60


def test_budget_burn() -> None:
    source, world = Source(), World()
    weeks = {"2026-03-02": 30, "2026-03-09": 40, "2026-03-16": 35, "2026-03-23": 45}
    world.feed(
        source.project(1, budget_minutes=200 * 60, budget_cost=20_000),
        source.milestone(1, {"share": "0.6"}),
        source.milestone(2, {"share": "0.4", "reached": False}),
        at("2026-03-30"),
        *(
            source.timesheet(line, {"date": day(monday), "minutes": hours * 60, "cost": hours * 100})
            for line, (monday, hours) in enumerate(weeks.items())
        ),
    )
    measured = world.burn()
    assert measured["burn_hours"] == D("0.75")
    assert measured["rate_minutes_per_week"] == D(2250)  # 37.5 h
    assert measured["weeks_left"] == D("1.333333333")
    assert measured["exhausted_on"] == date(2026, 4, 8)
    assert measured["budget_cost"] == 20_000
    assert measured["actual_cost"] == 15_000
    assert measured["progress"] == D("0.6")
    assert measured["earned_value"] == 12_000
    assert measured["cpi"] == D("0.8")
    assert measured["eac"] == 25_000
    assert measured["vac"] == -5_000
    assert measured["tcpi"] == D("1.6")
    assert "hours:75" in measured["levels"]
    assert ("budget_burn.hours", "75", "raised", 1) in world.said()
    assert world.said("budget_burn.forecast") == [("budget_burn.forecast", "eac", "raised", 1)]

    line = {"date": day("2026-03-30"), "minutes": 32 * 60}
    world.feed(source.timesheet(9, line))
    assert world.burn()["burn_hours"] == D("0.91")
    world.feed(source.timesheet(9, {**line, "minutes": 2 * 60}))
    assert world.burn()["burn_hours"] == D("0.76")
    world.feed(source.timesheet(9, {**line, "minutes": 35 * 60}))
    assert [said[1:] for said in world.said("budget_burn.hours") if said[1] == "90"] == [
        ("90", "raised", 1),
        ("90", "cleared", 1),
        ("90", "raised", 2),
    ]
    ids = [a["current"]["alert_id"] for a in world.alerts if a["current"]["level"] == "90"]
    assert ids[0] == ids[1] != ids[2]


def test_dispute_aging() -> None:
    source, world = Source(), World()
    opened = {"opened_on": day("2026-02-10"), "amount": 4000}
    due = {"due_date": day("2026-01-31")}
    world.feed(
        source.invoice(1, at=instant("2026-01-01"), **due),
        source.dispute(1, opened, at=instant("2026-02-10T09:00:00")),
        source.dispute(1, {**opened, "status": "awaiting_customer"}, at=instant("2026-02-20T09:00:00")),
        source.dispute(1, opened, at=instant("2026-03-02T09:00:00")),
        at("2026-03-12"),
    )
    measured = world.aging()
    assert (measured["days_open"], measured["bucket_open"]) == (30, "0-30")
    assert (measured["days_past_due"], measured["bucket_past_due"]) == (40, "31-60")
    assert measured["business_days_open"] == 22
    assert world.said("dispute_aging.bucket") == []
    assert world.exposure()["disputed_amount"] == 4000
    assert world.exposure()["share"] == D("0.4")

    world.feed(at("2026-03-13"))
    measured = world.aging()
    assert (measured["days_open"], measured["bucket_open"], measured["sla_days"]) == (31, "31-60", 21)
    assert world.said("dispute_aging.bucket") == [("dispute_aging.bucket", "31-60", "raised", 1)]
    assert world.alerts[-1]["current"]["owner"] == "account-manager"

    world.feed(at("2026-03-15"), source.invoice(1, at=instant("2026-03-15T10:00:00"), residual=3000, **due))
    assert world.aging()["amount"] == 3000
    assert world.exposure()["disputed_amount"] == 3000
    assert world.exposure()["share"] == 1

    resolved = {**opened, "status": "resolved", "closed_on": day("2026-03-20")}
    world.feed(at("2026-03-20"), source.dispute(1, resolved, at=instant("2026-03-20T11:00:00")))
    assert world.exposure()["disputed_amount"] == 0
    raised = {said[:2] for said in world.said() if said[2] == "raised"}
    assert raised == {said[:2] for said in world.said() if said[2] == "cleared"}
    before = world.said("dispute_aging.bucket")

    world.feed(at("2026-04-02"), source.dispute(1, opened, at=instant("2026-04-02T08:00:00")))
    measured = world.aging()
    assert (measured["episode"], measured["days_open"], measured["bucket_open"]) == (1, 51, "31-60")
    assert measured["sla_days"] == 28  # 10 and 18 days before it closed; the 13 closed ones do not count
    assert world.said("dispute_aging.bucket") == before
    assert world.said("dispute_aging.reopened") == [("dispute_aging.reopened", "reopened", "raised", 1)]
