"""When the clock ticks, pure.

Ticks fall on multiples of the period since 1970 (UTC), so that every clock, whenever it was started, ticks at the same instants.

After a gap the missed time is caught up in order, but not tick by tick: what depends on time depends on days, and every local day
begins within the hour. So one tick for each hour that was missed, and the newest, bring every state through all of its days; a year of
silence is 8,760 ticks and not half a million.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.events import meta
from schemas.records import TickEvent
from schemas.topics import topic

CLOCK = topic("ops.clock.v1")
SOURCE = "burnline"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def due(last: datetime | None, now: datetime, period: timedelta) -> list[datetime]:
    """The ticks to write now, oldest first; none when the newest was written, or when the clock was set back.

    Without a `last` tick there is one: the newest.
    """
    newest = _floor(now, period)
    if last is None:
        return [newest]
    ticks = set()
    hour = _floor(last, HOUR) + HOUR
    while hour <= newest:
        ticks.add(_floor(hour + period - timedelta.resolution, period))  # the first tick at or after the hour
        hour += max(HOUR, period)
    return [tick for tick in sorted(ticks | {newest}) if last < tick <= newest]


def following(now: datetime, period: timedelta) -> datetime:
    """The next instant at which a tick is due."""
    return _floor(now, period) + period


def tick_event(at: datetime, partition: int, period: timedelta) -> TickEvent:
    """The tick of one partition; the same partition and instant always give the same id."""
    seconds = timedelta(seconds=1)
    head = meta(
        CLOCK,
        "ticked",
        source=SOURCE,
        subject=f"clock:{partition}",
        version=(at - EPOCH) // seconds,
        occurred_at=at,
        recorded_at=at,
        mode="derived",
        tenant="",
        company_id=None,
    )
    return {"meta": head, "current": {"partition": partition, "at": at, "period_seconds": period // seconds}}


def _floor(moment: datetime, period: timedelta) -> datetime:
    return moment - (moment - EPOCH) % period
