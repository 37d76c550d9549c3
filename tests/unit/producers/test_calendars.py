"""Scheduled minutes of working calendars, and what a public holiday takes of a day."""

from datetime import UTC, datetime
from typing import Any

import pytest

from producers.core.calendars import calendars, holiday_minutes


def line(weekday: int, begin: float, end: float, **more: Any) -> dict[str, Any]:
    return {
        "calendar_id": 1,
        "dayofweek": str(weekday),
        "hour_from": begin,
        "hour_to": end,
        "day_period": "morning",
        **more,
    }


def minutes_of(row: dict[str, Any], *lines: dict[str, Any]) -> list[int]:
    return list(calendars([{"id": 1, "tz": "Europe/Brussels", **row}], lines)[1].weekday_minutes)


OFFICE = [line(d, *span) for d in range(5) for span in ((8, 12), (13, 17))]


@pytest.mark.parametrize(
    ("row", "lines", "expected"),
    [
        pytest.param({}, OFFICE, [480] * 5 + [0, 0], id="forty hours"),
        pytest.param(
            {},
            [line(0, 8, 12), line(0, 12, 13, day_period="lunch"), line(0, 13, 16.6)],
            [456, 0, 0, 0, 0, 0, 0],
            id="a break is no working time",
        ),
        pytest.param(
            {},
            [line(0, 0, 0, display_type="line_section"), line(0, 8, 12)],
            [240, 0, 0, 0, 0, 0, 0],
            id="a heading is no working time",
        ),
        pytest.param(
            {"two_weeks_calendar": True},
            [line(0, 8, 16, week_type="0"), line(1, 8, 12, week_type="0"), line(1, 8, 12.25, week_type="1")],
            [240, 248, 0, 0, 0, 0, 0],
            id="two weeks are averaged, half a minute up",
        ),
        pytest.param(
            {"duration_based": True},
            [line(0, 0, 0, day_period="full_day", duration_hours=7.6)],
            [456, 0, 0, 0, 0, 0, 0],
            id="a calendar of durations has no clock times",
        ),
        pytest.param(
            {"flexible_hours": True, "hours_per_day": 8.0, "hours_per_week": 36.0},
            [],
            [480, 480, 480, 480, 240, 0, 0],
            id="flexible hours fill the week from Monday on",
        ),
        pytest.param(
            {"flexible_hours": True, "hours_per_day": 7.6},
            [],
            [456] * 5 + [0, 0],
            id="flexible without hours a week means five days",
        ),
        pytest.param({}, [], [0] * 7, id="no lines, no hours"),
    ],
)
def test_weekday_minutes(row: dict[str, Any], lines: list[dict[str, Any]], expected: list[int]) -> None:
    assert minutes_of(row, *lines) == expected


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        pytest.param((5, 0), (17, 0), None, id="around all working hours: the whole day"),
        pytest.param((12, 0), (16, 0), 240, id="the afternoon, 13 to 17 in Brussels: four hours"),
        pytest.param((10, 30), (12, 30), 60, id="half an hour before and after the break"),
        pytest.param((20, 0), (21, 0), 0, id="after hours: nothing is taken"),
    ],
)
def test_a_holiday_takes_the_working_minutes_it_covers(
    begin: tuple[int, int], end: tuple[int, int], expected: int | None
) -> None:
    calendar = calendars([{"id": 1, "tz": "Europe/Brussels"}], OFFICE)[1]
    at = [datetime(2026, 2, 13, *clock, tzinfo=UTC) for clock in (begin, end)]
    assert holiday_minutes(at[0], at[1], calendar, "Europe/Brussels") == expected
