"""Belgium's calendar, and when in a day things are written."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from infra.embedded_odoo.seed import TIMEZONE
from infra.embedded_odoo.values import stamp

_FIXED = (
    (1, 1, "New Year"),
    (5, 1, "Labour Day"),
    (7, 21, "National Day"),
    (8, 15, "Assumption"),
    (11, 1, "All Saints"),
    (11, 11, "Armistice"),
    (12, 25, "Christmas"),
)
_MOVING = ((1, "Easter Monday"), (39, "Ascension"), (50, "Whit Monday"))


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (the anonymous algorithm of 1876)."""
    century = year // 100
    golden = year % 19
    leap = century - century // 4 - (8 * century + 13) // 25
    epact = (19 * golden + leap + 15) % 30
    epact -= epact // 28 * (1 - epact // 28 * (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + epact + 2 - century + century // 4) % 7
    offset = epact - weekday
    month = 3 + (offset + 40) // 44
    return date(year, month, offset + 28 - 31 * (month // 4))


def holidays(first: date, last: date) -> dict[date, str]:
    """Belgium's public holidays between two days, both included."""
    found: dict[date, str] = {}
    for year in range(first.year, last.year + 1):
        found |= {date(year, month, day): name for month, day, name in _FIXED}
        found |= {easter(year) + timedelta(offset): name for offset, name in _MOVING}
    return {day: name for day, name in sorted(found.items()) if first <= day <= last}


def span(first: date, last: date) -> Iterator[date]:
    """Every day between two, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(offset)


def local(day: date, hour: float) -> str:
    """A time of a day where the firm lives, in UTC as the tables hold it."""
    at = datetime.combine(day, time(), ZoneInfo(TIMEZONE)) + timedelta(hours=hour)
    return stamp(at.astimezone(UTC))


def during(rng: Random, day: date, start: float, end: float, *, before: str) -> str:
    """Some moment between two hours of a day, but never after `before`."""
    return min(local(day, rng.uniform(start, end)), before)


def workdays_until(today: date, count: int) -> list[date]:
    """The last weekdays up to and including today, oldest first."""
    days = [today - timedelta(back) for back in range(2 * count + 2)]
    return [day for day in days if day.weekday() < 5][:count][::-1]
