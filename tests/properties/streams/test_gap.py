"""Law: a clock that was down tells, once it has caught up, what one that never stopped had told, in the same order.

Also over the nights on which clocks are changed, and where days begin at half past an hour elsewhere.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from producers.core.clock import due
from tests.unit.streams.core.world import SECOND, Source, World, day, instant, values

MINUTES = timedelta(minutes=10)


def firm(zone: str, begins: str) -> tuple[Source, World]:
    """A dispute that enters its bucket, a budget that is used up, and weeks that nobody logged, all within the days looked at."""
    source, world = Source(), World()
    first, at = day(begins), instant(f"{begins}T00:00:00")
    world.feed(
        source.consultant(1, at=at - 90 * 86_400 * SECOND, timezone=zone),
        source.project(1, at=at, timezone=zone, budget_minutes=100),
        source.timesheet(1, {"date": first - 3, "minutes": 95}, at=at),
        source.invoice(1, at=at - 60 * 86_400 * SECOND, timezone=zone),
        source.dispute(1, {"opened_on": first - 29}, at=at - 29 * 86_400 * SECOND),
        source.approval(1, {"requested_at": at}, at=at),
    )
    return source, world


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        pytest.param("Europe/Brussels", "2026-03-26", id="over the night that lacks an hour"),
        pytest.param("Europe/Brussels", "2026-10-22", id="over the night that has an hour twice"),
        pytest.param("Asia/Kolkata", "2026-03-26", id="where days begin at half past an hour"),
        pytest.param("America/Sao_Paulo", "2018-11-01", id="where a day began at one o'clock"),
    ],
)
def test_what_is_caught_up_is_what_would_have_been_told(zone: str, begins: str) -> None:
    start = datetime.fromisoformat(f"{begins}T00:10:00").replace(tzinfo=UTC)
    end = start + timedelta(days=7, hours=5, minutes=10)
    always = [start + number * MINUTES for number in range((end - start) // MINUTES + 1)]
    missed = [start, *due(start, end, MINUTES)]
    assert missed == sorted(missed)
    assert len(missed) < len(always) / 4
    steady, caught_up = (_told(zone, begins, ticks) for ticks in (always, missed))
    assert [_word(alert) for alert in caught_up.alerts] == [_word(alert) for alert in steady.alerts] != []
    assert values(caught_up, ("moved_by",)) == values(steady, ("moved_by",))


def _told(zone: str, begins: str, ticks: list[datetime]) -> World:
    _, world = firm(zone, begins)
    for tick in ticks:
        world.feed(Source.tick(round(tick.timestamp()) * SECOND)).drain()
    return world


def _word(alert: Any) -> Any:
    """What an alert says, its own id included; it is told when the tick comes, which may be up to an hour after the day began."""
    return alert["current"]
