"""A consultant's utilization as it is told: its measure, and the main values that alerts bear. The definitions stand at the head of `utilization`."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import cast

from schemas.records import Band, Utilization
from streams.core import days
from streams.core.consultant_state import ConsultantState
from streams.core.policy import UtilizationPolicy
from streams.core.processor import Stamp
from streams.core.ratios import Quality, as_share

_NOTHING = (0, 0, 0, 0)


def utilization_figures(
    subject: ConsultantState, policy: UtilizationPolicy, stamp: Stamp, formula: str, band: Band
) -> Utilization | None:
    """The measure; nothing of a consultant whose own record is not known. `band` is the one in force."""
    head, as_of = subject.head, stamp.as_of
    if head is None:
        return None
    quality = Quality()
    if not head["present"]:
        quality.note("deleted")
    elif not head["active"]:
        quality.note("archived")
    if not days.is_zone(head["timezone"]):
        quality.note("unknown_timezone")
    if not any(head["weekday_minutes"]):
        quality.note("calendar_without_hours")
    if head["manager_id"] == head["consultant_id"]:
        quality.note("own_manager")
    worked, billable, available, long = subject.worked, subject.billable, subject.in_window, subject.long
    monday = days.monday(days.iso_week(as_of))
    week = subject.sums(monday, as_of)
    in_week = subject.available_between(monday, as_of)
    lacking = "no_available_time"
    return {
        "consultant_id": head["consultant_id"],
        "company_id": head["company_id"],
        "department_id": head["department_id"],
        "manager_id": head["manager_id"],
        "window_days": policy.window_days,
        "available_minutes": available,
        "worked_minutes": worked,
        "billable_minutes": billable,
        "approved_minutes": subject.approved,
        "approved_billable_minutes": subject.approved_billable,
        "billable_utilization": quality.ratio(billable, available, lacking),
        "total_utilization": quality.ratio(worked, available, lacking),
        "approved_billable_utilization": quality.ratio(subject.approved_billable, available, lacking),
        "approved_total_utilization": quality.ratio(subject.approved, available, lacking),
        "target": _target(policy.target),
        "delta": quality.share(Fraction(billable, available) - Fraction(policy.target)) if available else None,
        "long_window_days": policy.long_window_days,
        "long_billable_utilization": quality.ratio(long[1], subject.in_long, "no_available_time_in_long_window"),
        "long_total_utilization": quality.ratio(long[0], subject.in_long, "no_available_time_in_long_window"),
        "long_approved_billable_utilization": quality.ratio(
            long[3], subject.in_long, "no_available_time_in_long_window"
        ),
        "long_approved_total_utilization": quality.ratio(long[2], subject.in_long, "no_available_time_in_long_window"),
        "week_available_minutes": in_week,
        "week_worked_minutes": week[0],
        "week_billable_minutes": week[1],
        "week_billable_utilization": _share(quality, week[1], in_week),
        "week_total_utilization": _share(quality, week[0], in_week),
        "compliance": quality.ratio(*compliance(subject, days.iso_week(as_of) - 1), "no_available_time_in_last_week"),
        "band": band,
        "as_of": days.to_date(as_of),
        "revision": stamp.revision,
        "formula": formula,
        "moved_by": stamp.moved_by,
        "reasons": quality.reasons(),
    }


def utilization_values(subject: ConsultantState, policy: UtilizationPolicy) -> dict[str, str]:
    """The window's sums and ratios, as text."""
    available = subject.in_window
    out = {
        "available_minutes": str(available),
        "worked_minutes": str(subject.worked),
        "billable_minutes": str(subject.billable),
        "target": str(policy.target),
    }
    if available:
        out["billable_utilization"] = str(as_share(Fraction(subject.billable, available)))
        out["total_utilization"] = str(as_share(Fraction(subject.worked, available)))
    if subject.as_of is not None and subject.available:
        week = closed_week(subject.as_of, turned=subject.turned)
        kept, due = compliance(subject, week)
        out["closed_week"] = days.to_date(days.monday(week)).isoformat()
        out["missing_minutes"] = str(due - kept)
        if due:
            out["compliance"] = str(as_share(Fraction(kept, due)))
    return out


@lru_cache
def _target(target: Decimal) -> Decimal:
    return cast("Decimal", as_share(Fraction(target)))


def _share(quality: Quality, numerator: int, denominator: int) -> Decimal | None:
    """A ratio that is null without a reason where nothing was available: a week may well begin with a holiday."""
    return quality.share(Fraction(numerator, denominator)) if denominator else None


def closed_week(as_of: int, *, turned: bool) -> int:
    """The ISO week closed last."""
    return days.iso_week(as_of) - (1 if turned or days.weekday(as_of) > 0 else 2)


def compliance(subject: ConsultantState, week: int) -> tuple[int, int]:
    """Σ min(worked, available) and Σ available of an ISO week."""
    start = days.monday(week)
    span = range(start, start + days.WEEK)
    available = subject.available
    kept = sum([min(max(0, subject.by_day.get(day, _NOTHING)[0]), available[day]) for day in span])
    return kept, sum([available[day] for day in span])
