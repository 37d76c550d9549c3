"""Working calendars: scheduled minutes of each weekday, and how much of a day a public holiday takes.

Rules, as Odoo 19 means them
- A break (`day_period` lunch) and a section heading (`display_type`) are no working time.
- A two-week calendar has lines for odd and even weeks: a weekday's minutes are the mean of both, rounded half up.
- A calendar of durations counts its lines' hours, not their clock times.
- Flexible hours say only how many hours a day and a week: days are filled from Monday on until the week is full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from producers.core.values import Row, local_day, minutes, ref, text, zone

WEEKDAYS = 7
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Calendar:
    """One calendar. `spans` are the working spans of each weekday in minutes since midnight; none where only durations count."""

    timezone: str | None
    weekday_minutes: tuple[int, ...]
    spans: tuple[tuple[Span, ...], ...]
    two_weeks: bool = False


def calendars(rows: Iterable[Row], lines: Iterable[Row]) -> dict[int, Calendar]:
    """Calendars by id, from resource.calendar rows and all attendance lines."""
    of: dict[int, list[Row]] = defaultdict(list)
    for line in lines:
        calendar_id = ref(line.get("calendar_id"))
        if calendar_id is not None and not line.get("display_type") and line.get("day_period") != "lunch":
            of[calendar_id].append(line)
    return {row["id"]: _calendar(row, of[row["id"]]) for row in rows}


def _calendar(row: Row, lines: list[Row]) -> Calendar:
    two_weeks = bool(row.get("two_weeks_calendar"))
    by_duration = bool(row.get("duration_based"))
    if row.get("flexible_hours"):
        scheduled = _flexible(row)
        return Calendar(text(row.get("tz")), scheduled, ((),) * WEEKDAYS)
    totals, spans = [0] * WEEKDAYS, [list[Span]() for _ in range(WEEKDAYS)]
    for line in lines:
        weekday = int(line["dayofweek"])
        start, end = minutes(line.get("hour_from")), minutes(line.get("hour_to"))
        hours = line.get("duration_hours")
        totals[weekday] += minutes(hours) if by_duration and hours else max(0, end - start)
        if not by_duration:
            spans[weekday].append((start, end))
    if two_weeks:
        totals = [(total + 1) // 2 for total in totals]
    return Calendar(text(row.get("tz")), tuple(totals), tuple(tuple(sorted(s)) for s in spans), two_weeks)


def _flexible(row: Row) -> tuple[int, ...]:
    a_day = minutes(row.get("hours_per_day"))
    left = minutes(row.get("hours_per_week")) or minutes(row.get("full_time_required_hours")) or 5 * a_day
    days = []
    for _ in range(WEEKDAYS):
        today = min(a_day, left)
        days.append(today)
        left -= today
    return tuple(days)


def holiday_minutes(begin: datetime, end: datetime, calendar: Calendar | None, timezone: str) -> int | None:
    """Working minutes that a holiday within one day takes; None where it takes the whole day, or several."""
    day = local_day(begin, timezone)
    if calendar is None or local_day(end, timezone) != day:
        return None
    scheduled, spans = calendar.weekday_minutes[day.weekday()], calendar.spans[day.weekday()]
    if not scheduled or not spans:
        return None
    first, last = (_minute_of_day(at, timezone) for at in (begin, end))
    taken = sum(max(0, min(last, stop) - max(first, start)) for start, stop in spans)
    if calendar.two_weeks:
        taken = (taken + 1) // 2
    return taken if taken < scheduled else None


def _minute_of_day(at: datetime, timezone: str) -> int:
    local = at.astimezone(zone(timezone))
    return local.hour * 60 + local.minute
