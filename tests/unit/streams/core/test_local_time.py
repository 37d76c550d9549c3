"""Days and their turning hour in a place's own time, on the days on which clocks are changed, too."""

from __future__ import annotations

import pytest

from streams.core.days import business_day_after, business_days, local_time
from streams.core.state import PartitionState
from tests.unit.streams.core.world import day, instant


@pytest.mark.parametrize(
    ("moment", "zone", "date", "hour"),
    [
        pytest.param("2026-03-28T22:59:59", "Europe/Brussels", "2026-03-28", 23, id="the last second of winter's days"),
        pytest.param("2026-03-28T23:00:00", "Europe/Brussels", "2026-03-29", 0, id="the day of 23 hours begins"),
        pytest.param("2026-03-29T21:59:59", "Europe/Brussels", "2026-03-29", 23, id="and ends an hour early"),
        pytest.param("2026-03-29T22:00:00", "Europe/Brussels", "2026-03-30", 0, id="in summer time"),
        pytest.param("2026-10-25T22:59:59", "Europe/Brussels", "2026-10-25", 23, id="the day of 25 hours ends late"),
        pytest.param("2026-10-25T23:00:00", "Europe/Brussels", "2026-10-26", 0, id="in winter time again"),
        pytest.param("2026-06-01T18:30:00", "Asia/Kolkata", "2026-06-02", 0, id="half an hour apart from everybody"),
        pytest.param("2026-06-01T12:00:00", "Nowhere/Nothing", "2026-06-01", 12, id="an unknown place lives in UTC"),
    ],
)
def test_the_day_and_hour_of_an_instant(moment: str, zone: str, date: str, hour: int) -> None:
    assert local_time(instant(moment), zone) == (day(date), hour)


def test_a_day_turns_at_its_hour_by_the_clock_on_the_wall() -> None:
    state = PartitionState(12)
    state.advance(instant("2026-03-29T09:59:00"))
    assert state.local("Europe/Brussels") == (day("2026-03-29"), False)
    assert state.advance(instant("2026-03-29T10:00:00"))  # 12:00 since last night
    assert state.local("Europe/Brussels") == (day("2026-03-29"), True)
    assert not state.advance(instant("2026-03-29T15:00:00"))


@pytest.mark.parametrize(
    ("start", "number", "off", "end"),
    [
        pytest.param("2026-03-27", 0, (), "2026-03-27", id="none after it"),
        pytest.param("2026-03-27", 1, (), "2026-03-30", id="over the weekend"),
        pytest.param("2026-03-27", 1, ("2026-03-30",), "2026-03-31", id="over a holiday"),
        pytest.param("2026-03-28", 2, ("2026-03-29",), "2026-03-31", id="a holiday on a Sunday takes nothing"),
    ],
)
def test_business_days_forwards_and_counted_back(start: str, number: int, off: tuple[str, ...], end: str) -> None:
    holidays = frozenset(map(day, off))
    assert business_day_after(day(start), number, holidays) == day(end)
    assert business_days(day(start), day(end), holidays) == number
