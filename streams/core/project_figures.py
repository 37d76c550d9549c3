"""A project's burn as it is told: its measure, and the main values that alerts bear. The definitions stand at the head of `budget_burn`."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import cast

from schemas.records import BudgetBurn
from streams.core import days
from streams.core.earned_value import earn
from streams.core.policy import BudgetBurnPolicy
from streams.core.processor import Stamp
from streams.core.project_quality import positive, quality_of, recognised_revenue
from streams.core.project_state import ProjectState
from streams.core.ratios import OUT_OF_RANGE, Quality, as_share, money


def burn_figures(
    subject: ProjectState, policy: BudgetBurnPolicy, stamp: Stamp, formula: str, levels: list[str]
) -> BudgetBurn | None:
    """The measure; nothing of a project whose own record is not known. `levels` are those in force."""
    head = subject.head
    if head is None:
        return None
    quality = quality_of(subject, head)
    hours, bac = positive(head["budget_minutes"]), subject.cost_budget()
    committed, known = subject.cost + subject.committed, None if subject.foreign else bac
    if hours is None:
        quality.note("no_budget")
    elif bac is None:
        quality.note("no_cost_rate")
    weeks = policy.rate_weeks
    this_week = days.iso_week(stamp.as_of)
    recent = sum(subject.weeks.get(week, 0) for week in range(this_week - weeks, this_week))
    weeks_left = _weeks_left(quality, hours, subject.minutes, Fraction(recent, weeks))
    earned = earn(quality, bac, subject.cost, subject.progress(), spent_is_known=not subject.foreign)
    revenue, recognised = subject.revenue(), recognised_revenue(subject)
    if revenue is None:
        quality.note("no_revenue_budget")
    return {
        "project_id": head["project_id"],
        "company_id": head["company_id"],
        "client_id": head["client_id"],
        "manager_id": head["manager_id"],
        "budget_minutes": hours,
        "actual_minutes": subject.minutes,
        "approved_minutes": subject.approved,
        "burn_hours": None if hours is None else quality.share(Fraction(subject.minutes, hours)),
        "budget_cost": quality.amount(bac),
        "actual_cost": money(subject.cost),
        "committed_cost": money(committed),
        "currency": head["currency"],
        "burn_cost": None if known is None else quality.share(subject.cost / known),
        "burn_committed": None if known is None else quality.share(committed / known),
        "rate_minutes_per_week": cast("Decimal", quality.share(Fraction(recent, weeks))),
        "weeks_left": quality.share(weeks_left),
        "exhausted_on": _exhausted_on(quality, stamp.as_of, weeks_left),
        "progress": quality.share(subject.progress()),
        "earned_value": quality.amount(earned.value),
        "cpi": quality.share(earned.cpi),
        "eac": quality.amount(earned.eac),
        "vac": quality.amount(earned.vac),
        "tcpi": quality.share(earned.tcpi),
        "levels": levels,
        "committed_minutes": subject.minutes + subject.committed_minutes,
        "burn_committed_hours": None
        if hours is None
        else quality.share(Fraction(subject.minutes + subject.committed_minutes, hours)),
        "revenue_budget": None if revenue is None else money(revenue),
        "recognised_revenue": quality.amount(recognised),
        "margin": None
        if not recognised or subject.foreign
        else quality.share((recognised - subject.cost) / recognised),
        "margin_target": as_share(Fraction(policy.margin_target)),
        "as_of": days.to_date(stamp.as_of),
        "revision": stamp.revision,
        "formula": formula,
        "moved_by": stamp.moved_by,
        "reasons": quality.reasons(),
    }


def burn_values(subject: ProjectState) -> dict[str, str]:
    """Budgets, actuals and the burns, as text."""
    bac, hours = subject.cost_budget(), None if subject.head is None else positive(subject.head["budget_minutes"])
    out = {
        "actual_minutes": str(subject.minutes),
        "actual_cost": str(money(subject.cost)),
        "committed_cost": str(money(subject.cost + subject.committed)),
    }
    if hours is not None:
        out["budget_minutes"] = str(hours)
        out["burn_hours"] = str(as_share(Fraction(subject.minutes, hours)))
    if bac is not None:
        quality = Quality()
        earned = earn(quality, bac, subject.cost, subject.progress(), spent_is_known=not subject.foreign)
        out["budget_cost"] = str(quality.amount(bac))
        if not subject.foreign:
            out["burn_cost"] = str(as_share(subject.cost / bac))
        if earned.eac is not None:
            out["eac"] = str(quality.amount(earned.eac))
    recognised = recognised_revenue(subject)
    if recognised:
        out["recognised_revenue"] = str(Quality().amount(recognised))
    if recognised and not subject.foreign:
        out["margin"] = str(as_share((recognised - subject.cost) / recognised))
    return out


def _weeks_left(quality: Quality, budget: int | None, actual: int, rate: Fraction) -> Fraction | None:
    if budget is None:
        return None
    if actual >= budget:
        quality.note("budget_spent")
        return None
    if rate <= 0:
        quality.note("no_rate")
        return None
    return (budget - actual) / rate


def _exhausted_on(quality: Quality, as_of: int, weeks_left: Fraction | None) -> date | None:
    """as_of + weeks left, rounded down to the day."""
    if weeks_left is None:
        return None
    day = as_of + math.floor(weeks_left * days.WEEK)
    if not days.is_date(day):
        quality.note(OUT_OF_RANGE)
        return None
    return days.to_date(day)
