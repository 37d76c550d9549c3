"""Available minutes of a consultant, day by day.

available(day) = scheduled minutes of the weekday − public holidays − approved leave, not below 0, only within employment.
The schedule is the one in force on the day; a public holiday counts where its calendar and company are those of the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from schemas.wire import AbsenceEntry, ConsultantEntry
from streams.core.contract import EVERYBODY
from streams.core.days import weekday
from streams.core.history import Run


def available_minutes(
    head: ConsultantEntry, terms: list[Run], absences: list[AbsenceEntry], period: range
) -> dict[int, int]:
    """Available minutes of each day of a period. `head` tells the employment, `terms` the schedule by the day it begins."""
    employed_from, employed_to = head["employed_from"], head["employed_to"]
    off = _days_off(absences, period)
    out: dict[int, int] = {}
    index = 0
    for day in period:
        while index + 1 < len(terms) and terms[index + 1].day <= day:
            index += 1
        term = cast("ConsultantEntry", terms[index].entry)
        employed = (employed_from is None or employed_from <= day) and (employed_to is None or day <= employed_to)
        minutes = term["weekday_minutes"][weekday(day)] if employed else 0
        for absence in off.get(day, ()):
            if absence["subject"] != EVERYBODY or _concerns(absence, term):
                minutes = 0 if absence["minutes"] is None else max(0, minutes - absence["minutes"])
        out[day] = minutes
    return out


def public_holidays(terms: list[Run], holidays: list[AbsenceEntry], period: range) -> frozenset[int]:
    """Days of a period that are public holidays under the terms of the day, whole or in part."""
    return frozenset(
        day
        for day, absences in _days_off(holidays, period).items()
        if any(_concerns(absence, _term(terms, day)) for absence in absences)
    )


def company_holidays(holidays: Iterable[Mapping[str, Any]], company: int | None, period: range) -> frozenset[int]:
    """Days of a period that are holidays of a whole company: those of one calendar say nothing of the others."""
    days: set[int] = set()
    for holiday in holidays:
        everywhere = holiday["calendar_id"] is None and holiday["minutes"] is None
        if everywhere and holiday["company_id"] in {None, company} and holiday["present"] and holiday["approved"]:
            days |= set(range(max(period.start, holiday["first_day"]), min(period.stop - 1, holiday["last_day"]) + 1))
    return frozenset(days)


def _term(terms: list[Run], day: int) -> ConsultantEntry:
    """The terms in force on a day; the first hold from ever."""
    in_force = terms[0]
    for term in terms:
        if term.day <= day:
            in_force = term
    return cast("ConsultantEntry", in_force.entry)


def _concerns(holiday: AbsenceEntry, term: ConsultantEntry) -> bool:
    """A public holiday is limited to a company and a calendar, where it names them."""
    calendar, company = holiday["calendar_id"], holiday["company_id"]
    return (calendar is None or calendar == term["calendar_id"]) and (company is None or company == term["company_id"])


def _days_off(absences: list[AbsenceEntry], period: range) -> dict[int, list[AbsenceEntry]]:
    out: dict[int, list[AbsenceEntry]] = {}
    for absence in absences:
        if absence["present"] and absence["approved"]:
            first, last = max(period.start, absence["first_day"]), min(period.stop - 1, absence["last_day"])
            for day in range(first, last + 1):
                out.setdefault(day, []).append(absence)
    return out
