"""Which ticks are due, and that every clock makes the same ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from producers.core.clock import due, tick_event

MINUTE = timedelta(minutes=1)


def at(text):
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "now", "period", "expected"),
    [
        pytest.param(None, "01T10:00:42", MINUTE, ["01T10:00:00"], id="a first clock begins with the present"),
        pytest.param("01T10:00:00", "01T10:00:59", MINUTE, [], id="the period has not passed"),
        pytest.param("01T10:00:00", "01T10:01:00", MINUTE, ["01T10:01:00"], id="exactly one period"),
        pytest.param(
            "01T10:00:00", "01T10:07:30", MINUTE, ["01T10:07:00"], id="minutes missed within an hour change no day"
        ),
        pytest.param(
            "01T22:30:00",
            "02T01:10:30",
            MINUTE,
            ["01T23:00:00", "02T00:00:00", "02T01:00:00", "02T01:10:00"],
            id="missed hours come in order: each day has its tick",
        ),
        pytest.param("01T10:00:00", "01T09:00:00", MINUTE, [], id="a clock set back writes nothing"),
        pytest.param(
            "01T00:00:00",
            "03T12:00:00",
            timedelta(days=1),
            ["02T00:00:00", "03T00:00:00"],
            id="a period longer than an hour is caught up by itself",
        ),
    ],
)
def test_ticks_that_are_due(last, now, period, expected):
    assert due(at(last) if last else None, at(now), period) == [at(text) for text in expected]


def test_the_same_tick_has_the_same_id_on_every_clock_and_another_in_every_partition():
    one, again, other = (tick_event(at("01T10:00:00"), p, MINUTE)["meta"]["event_id"] for p in (0, 0, 1))
    assert one == again != other
