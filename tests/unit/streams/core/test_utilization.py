"""Utilization beyond the worked example: schedules, bands, weeks, and what is missing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.streams.core.world import MONDAY_TO_FRIDAY, SECOND, Source, World, day, instant, key

MONDAY = day("2026-03-02")
LAST = "2026-03-29T12:00:00"
EMPLOYED = instant("2026-01-01")


def consulting(**fields: Any) -> tuple[Source, World]:
    source, world = Source(), World()
    world.feed(source.consultant(1, at=EMPLOYED, **fields), source.tick(instant(LAST)))
    return source, world


@pytest.mark.parametrize(
    ("fields", "absence", "days"),
    [
        pytest.param({}, None, 20, id="four weeks of five days"),
        pytest.param({"employed_from": MONDAY + 7}, None, 15, id="not before employment"),
        pytest.param({"employed_to": MONDAY + 6}, None, 5, id="not after employment"),
        pytest.param({}, {"first_day": MONDAY - 9, "last_day": MONDAY}, 19, id="leave counts within the window"),
        pytest.param({}, {"first_day": MONDAY, "last_day": MONDAY, "minutes": 240}, 19.5, id="half a day of leave"),
        pytest.param({}, {"first_day": MONDAY, "last_day": MONDAY, "minutes": 900}, 19, id="never below nothing"),
        pytest.param(
            {}, {"first_day": MONDAY, "last_day": MONDAY, "status": "refused"}, 20, id="refused leave is work"
        ),
        pytest.param(
            {},
            {"first_day": MONDAY, "last_day": MONDAY, "kind": "public_holiday", "calendar_id": 1},
            19,
            id="my calendar",
        ),
        pytest.param(
            {}, {"first_day": MONDAY, "last_day": MONDAY, "kind": "public_holiday", "calendar_id": 2}, 20, id="not mine"
        ),
        pytest.param(
            {},
            {"first_day": MONDAY, "last_day": MONDAY, "kind": "public_holiday", "company_id": 2},
            20,
            id="not my company",
        ),
        pytest.param({}, {"first_day": MONDAY + 5, "last_day": MONDAY + 6}, 20, id="leave on a weekend takes nothing"),
    ],
)
def test_available_time(fields: dict[str, Any], absence: dict[str, Any] | None, days: float) -> None:
    source, world = consulting(**fields)
    if absence is not None:
        world.feed(source.absence(1, absence))
    assert world.utilization()["available_minutes"] == days * 480


def test_a_changed_calendar_counts_from_its_day_on() -> None:
    source, world = consulting()
    half = [240, 240, 240, 240, 240, 0, 0]
    world.feed(source.consultant(1, at=instant("2026-03-16T08:00:00"), weekday_minutes=half, calendar_id=2))
    assert world.utilization()["available_minutes"] == 10 * 480 + 10 * 240
    world.feed(source.absence(1, {"first_day": MONDAY, "last_day": MONDAY, "kind": "public_holiday", "calendar_id": 2}))
    assert world.utilization()["available_minutes"] == 10 * 480 + 10 * 240


def test_a_history_does_not_grow_where_nothing_that_counts_changed() -> None:
    source, world = consulting()
    for name in ("Ann", "Anne", "Anna"):
        world.feed(source.consultant(1, name=name, user_id=len(name)))
    assert [record for _, subject, record in world.rows if subject == key("hr.employee", 1) and "@" in record] == [
        f"{key('hr.employee', 1)}@1"
    ]
    assert world.utilization()["revision"] == 4 + 4  # the version reached, and the versions known


@pytest.mark.parametrize(
    ("billable", "internal", "band"),
    [
        pytest.param(0, 0, "bench", id="nothing"),
        pytest.param(79, 0, "bench", id="below half"),
        pytest.param(80, 0, "under", id="half"),
        pytest.param(103, 0, "under", id="just below target minus ten points"),
        pytest.param(104, 0, "on_target", id="65 percent"),
        pytest.param(160, 0, "on_target", id="all of it is not above it"),
        pytest.param(161, 0, "hot", id="above all"),
        pytest.param(10, 151, "hot", id="internal work overloads too"),
        pytest.param(0, 185, "overloaded", id="above 115 percent"),
    ],
)
def test_bands(billable: int, internal: int, band: str) -> None:
    source, world = Source(), World()
    world.feed(
        source.consultant(1, at=EMPLOYED),
        source.timesheet(1, {"date": MONDAY, "minutes": billable * 60}),
        source.timesheet(2, {"date": MONDAY, "minutes": internal * 60, "billable": False}),
        source.tick(instant(LAST)),
    )
    assert world.utilization()["band"] == band
    assert [level for _, level, _, _ in world.said("utilization.band")] == ([] if band == "on_target" else [band])


@pytest.mark.parametrize(
    ("hours", "bands"),
    [
        pytest.param([110, 101], ["on_target", "on_target"], id="63.1 percent is kept"),
        pytest.param([110, 100], ["on_target", "under"], id="62.5 percent is left"),
        pytest.param([90, 107], ["under", "under"], id="66.9 percent is kept"),
        pytest.param([90, 108], ["under", "on_target"], id="67.5 percent is left"),
        pytest.param([110, 163, 165], ["on_target", "on_target", "hot"], id="102 percent is kept on target"),
        pytest.param([165, 158, 156], ["hot", "hot", "on_target"], id="98.8 percent is kept hot"),
        pytest.param([90, 40, 83, 84], ["under", "bench", "bench", "under"], id="bench is left at 52 percent"),
        pytest.param([110, 200], ["on_target", "overloaded"], id="a jump passes over hot"),
    ],
)
def test_a_band_is_left_only_beyond_its_edge(hours: list[int], bands: list[str]) -> None:
    source, world = Source(), World()
    world.feed(source.consultant(1, at=EMPLOYED), source.timesheet(1, {"date": MONDAY, "minutes": hours[0] * 60}))
    world.feed(source.tick(instant(LAST)))
    seen = [world.utilization()["band"]]
    for logged in hours[1:]:
        world.feed(source.timesheet(1, {"date": MONDAY, "minutes": logged * 60}))
        seen.append(world.utilization()["band"])
    assert seen == bands


def test_an_alert_says_what_who_and_why() -> None:
    source, world = consulting()
    world.feed(source.timesheet(1, {"date": MONDAY, "minutes": 185 * 60}, at=instant("2026-03-29T14:00:00")))
    cleared, raised = [alert for alert in world.alerts if alert["current"]["rule"] == "utilization.band"][-2:]
    assert (cleared["current"]["level"], cleared["current"]["status"]) == ("bench", "cleared")
    current = raised["current"]
    assert current["level"] == "overloaded"
    assert current["value"] == Decimal("1.156250000")
    assert current["threshold"] == Decimal("1.15")
    assert current["owner"] == "people-operations"
    assert current["runbook"] == "docs/runbooks/utilization.band.md"
    assert current["values"]["worked_minutes"] == str(185 * 60)
    assert raised["meta"]["event_type"] == "governance.alert.raised.v1"
    assert raised["meta"]["causation_id"] == current["caused_by"][-1]
    assert raised["meta"]["occurred_at"].isoformat() == "2026-03-29T14:00:00+00:00"
    assert raised["meta"]["version"] == cleared["meta"]["version"] + 1


def test_compliance_looks_at_each_day_of_the_last_closed_week() -> None:
    source, world = consulting()  # a Sunday: the last closed week is 03-16 … 03-22
    world.feed(
        source.timesheet(1, {"date": day("2026-03-16"), "minutes": 900}),
        source.timesheet(2, {"date": day("2026-03-17"), "minutes": 240}),
        source.timesheet(3, {"date": day("2026-03-23"), "minutes": 480}),
    )
    measured = world.utilization()
    assert measured["compliance"] == Decimal("0.3")
    assert (measured["week_worked_minutes"], measured["week_available_minutes"]) == (480, 2400)
    assert measured["week_total_utilization"] == measured["week_billable_utilization"] == Decimal("0.2")


def test_approved_time_is_told_apart() -> None:
    source, world = consulting()
    world.feed(
        source.timesheet(1, {"date": MONDAY, "minutes": 600, "approved": True}),
        source.timesheet(2, {"date": MONDAY, "minutes": 300, "approved": True, "billable": False}),
        source.timesheet(3, {"date": MONDAY - 1, "minutes": 960}),
    )
    measured = world.utilization()
    assert (measured["approved_minutes"], measured["approved_billable_minutes"]) == (900, 600)
    assert measured["approved_billable_utilization"] == Decimal("0.062500000")
    assert measured["approved_total_utilization"] == Decimal("0.093750000")
    assert measured["long_approved_total_utilization"] == Decimal("0.028846154")
    assert measured["long_approved_billable_utilization"] == Decimal("0.019230769")
    assert measured["long_billable_utilization"] == Decimal("0.05")  # 65 working days in 91


def test_nothing_available_is_null_with_a_reason_and_no_band() -> None:
    source, world = consulting(weekday_minutes=[0] * 7)
    world.feed(source.timesheet(1, {"date": MONDAY, "minutes": 600}))
    measured = world.utilization()
    assert (measured["billable_utilization"], measured["compliance"], measured["band"]) == (None, None, "unknown")
    assert "no_available_time" in measured["reasons"]
    assert world.said("utilization") == []


def test_an_archived_consultant_stays_measured_without_alerts() -> None:
    source, world = consulting()
    assert world.said("utilization.band") == [("utilization.band", "bench", "raised", 1)]
    world.feed(source.consultant(1, active=False))
    assert world.said("utilization.band")[1:] == [("utilization.band", "bench", "cleared", 1)]
    assert world.said("utilization.compliance")[-1][2] == "cleared"
    assert world.utilization()["reasons"] == ["archived"]
    world.feed(source.consultant(1))
    assert world.said("utilization.band")[2:] == [("utilization.band", "bench", "raised", 2)]


def test_a_deleted_consultant_stays_measured_as_last_known_without_alerts() -> None:
    source, world = consulting()
    world.feed(source.publish("people.consultant.v1", key("hr.employee", 1), None))
    assert world.said("utilization.band")[1:] == [("utilization.band", "bench", "cleared", 1)]
    measured = world.utilization()
    assert (measured["reasons"], measured["band"], measured["available_minutes"]) == (["deleted"], "unknown", 20 * 480)


def test_without_master_data_or_tick_there_is_no_measure() -> None:
    source, world = Source(), World()
    world.feed(source.timesheet(1, {"date": MONDAY}, at=instant(LAST))).drain()
    world.feed(source.tick(instant(LAST))).drain()
    assert world.encoded == {}
    early = World().feed(Source().consultant(1)).drain()
    assert early.encoded == {}


def test_a_day_ends_in_the_consultants_time_zone() -> None:
    source, world = Source(), World()
    world.feed(
        source.consultant(1, timezone="Pacific/Auckland"),
        source.consultant(2, timezone="America/Los_Angeles", weekday_minutes=MONDAY_TO_FRIDAY),
        source.tick(instant("2026-03-29T12:00:00")),
    )
    assert [str(world.utilization(number)["as_of"]) for number in (1, 2)] == ["2026-03-30", "2026-03-29"]


def test_the_same_day_ticking_again_measures_nothing() -> None:
    source, world = consulting()
    world.drain().encoded.clear()
    world.feed(source.tick(instant(LAST) + 1_000_000)).drain()
    assert world.encoded == {}
    world.feed(source.tick(instant("2026-03-30T00:00:00"))).drain()
    assert [subject for name, subject in world.encoded if name == "utilization"] == [key("hr.employee", 1)]


WEEK = day("2026-03-16")
"""The Monday of the week that is closed on Monday, 2026-03-23."""


def full_weeks(source: Source, *, less: int = 0) -> list[Any]:
    """Everything logged in four weeks, but so many minutes on the last Monday."""
    lines = [(WEEK - 14 + offset, 480) for offset in range(21) if (WEEK - 14 + offset + 3) % 7 < 5]
    return [
        source.timesheet(100 + number, {"date": date_, "minutes": minutes - (less if date_ == WEEK else 0)})
        for number, (date_, minutes) in enumerate(lines)
    ]


def monday(time: str) -> tuple[str, Any]:
    """A tick on the Monday after the week, at a time in Brussels before daylight saving."""
    return Source.tick(instant(f"2026-03-23T{time}:00") - 3600 * SECOND)


COMPLIANCE = "utilization.compliance"


def test_an_incomplete_week_is_told_when_it_is_closed_and_goes_up_by_working_days() -> None:
    source, world = Source(), World()
    world.feed(source.consultant(1, at=EMPLOYED), *full_weeks(source, less=241), monday("11:59"))
    assert world.said(COMPLIANCE) == []
    world.feed(monday("12:00"))
    week = (WEEK + 3) // 7
    assert world.said(COMPLIANCE) == [(COMPLIANCE, "consultant", "raised", week)]
    current = world.alerts[-1]["current"]
    assert (current["owner"], current["severity"], current["threshold"]) == ("consultant", "notice", Decimal("0.90"))
    assert current["value"] == Decimal("0.899583333")
    assert (current["values"]["closed_week"], current["values"]["missing_minutes"]) == ("2026-03-16", "241")
    world.feed(Source.tick(instant("2026-03-24T10:59:00")))
    assert len(world.said(COMPLIANCE)) == 1
    world.feed(Source.tick(instant("2026-03-24T11:00:00")), Source.tick(instant("2026-03-25T12:00:00")))
    assert [level for _, level, _, _ in world.said(COMPLIANCE)] == ["consultant", "line-manager"]
    world.feed(Source.tick(instant("2026-03-26T11:00:00")))
    assert [level for _, level, _, _ in world.said(COMPLIANCE)] == ["consultant", "line-manager", "people-operations"]
    assert [alert["current"]["severity"] for alert in world.alerts if alert["current"]["rule"] == COMPLIANCE] == [
        "notice",
        "warning",
        "critical",
    ]


def test_a_week_exactly_at_the_share_is_complete_and_one_made_complete_ends_its_alerts() -> None:
    source, world = Source(), World()
    world.feed(source.consultant(1, at=EMPLOYED), *full_weeks(source, less=240), monday("12:00"))
    assert world.said(COMPLIANCE) == []
    other, late = Source(), World()
    late.feed(other.consultant(1, at=EMPLOYED), *full_weeks(other, less=480), monday("12:00"))
    late.feed(other.timesheet(1, {"date": WEEK, "minutes": 300}))
    assert len(late.said(COMPLIANCE)) == 1  # the clock decides, so the next tick says so
    late.feed(monday("12:01"))
    assert [status for _, _, status, _ in late.said(COMPLIANCE)] == ["raised", "cleared"]


def test_a_holiday_puts_the_steps_off() -> None:
    source, world = Source(), World()
    holiday = {"kind": "public_holiday", "employee_id": None, "first_day": WEEK + 8, "last_day": WEEK + 8}
    world.feed(source.consultant(1, at=EMPLOYED), source.absence(1, holiday), *full_weeks(source, less=480))
    world.feed(monday("12:00"), Source.tick(instant("2026-03-24T15:00:00")))
    assert [level for _, level, _, _ in world.said(COMPLIANCE)] == ["consultant"]
    world.feed(Source.tick(instant("2026-03-25T11:00:00")))
    assert [level for _, level, _, _ in world.said(COMPLIANCE)] == ["consultant", "line-manager"]


def test_each_week_is_an_episode_of_its_own() -> None:
    source, world = Source(), World()
    world.feed(source.consultant(1, at=EMPLOYED), *full_weeks(source, less=480), monday("12:00"))
    world.feed(Source.tick(instant("2026-03-30T08:00:00")))  # the next Monday, before the week is closed
    assert [said[1:3] for said in world.said(COMPLIANCE)] == [
        ("consultant", "raised"),
        ("people-operations", "raised"),
    ]
    assert world.alerts[-1]["current"]["passed"] == ["line-manager"]
    world.feed(Source.tick(instant("2026-03-30T10:00:00")))  # 12:00 in summer time: nothing was logged in that week
    week = (WEEK + 3) // 7
    assert world.said(COMPLIANCE)[2:] == [
        (COMPLIANCE, "consultant", "cleared", week),
        (COMPLIANCE, "people-operations", "cleared", week),
        (COMPLIANCE, "consultant", "raised", week + 1),
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"weekday_minutes": [0] * 7}, "calendar_without_hours", id="nobody can be measured by no hours"),
        pytest.param({"manager_id": 1}, "own_manager", id="who manages themselves"),
    ],
)
def test_bad_master_data_is_a_reason(fields: dict[str, Any], reason: str) -> None:
    _, world = consulting(**fields)
    assert reason in world.utilization()["reasons"]
