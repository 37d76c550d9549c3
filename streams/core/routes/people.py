"""Consultants and their absences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.errors import PoisonMessage
from streams.core import kinds
from streams.core.contract import EVERYBODY, Contribution
from streams.core.contracts import unscaled
from streams.core.days import WEEK, local_day
from streams.core.routes.difference import (
    DISPUTE_AGING,
    EMPLOYEE,
    MONITORS,
    UTILIZATION,
    Counted,
    by_difference,
    contribution_of,
    system_of,
)


def _absence(absence: Any, system: str) -> Counted:
    employee = absence["employee_id"]
    if absence["kind"] == "public_holiday":
        subject = EVERYBODY
    elif absence["kind"] == "leave" and employee is not None:
        subject = f"{system}{EMPLOYEE}:{employee}"
    else:
        return {}
    kept = ("first_day", "last_day", "minutes", "calendar_id", "company_id")
    return {subject: {**{name: absence[name] for name in kept}, "approved": absence["status"] == "approved"}}


def absences(event: Any) -> Iterator[Contribution]:
    """Absences count for their consultant; public holidays for everybody whose working days are counted."""
    for contribution_ in by_difference(UTILIZATION, kinds.ABSENCE, _absence)(event):
        yield contribution_
        if contribution_.subject == EVERYBODY:
            for other in (DISPUTE_AGING, MONITORS):
                yield Contribution(other, EVERYBODY, contribution_.kind, contribution_.entry)


def consultant(event: Any) -> Iterator[Contribution]:
    """A consultant, to its own measure; and who manages it, to everybody's."""
    meta, now = event["meta"], event["current"]
    said = event["previous"] if now is None else now
    if said is None:
        return
    if len(said["weekday_minutes"]) != WEEK:
        raise PoisonMessage(
            f"consultant {said['id']} has {len(said['weekday_minutes'])} weekdays in weekday_minutes, not 7",
            remedy="mend the mapping of resource.calendar attendance lines in the capture",
        )
    kept = (
        "company_id",
        "department_id",
        "manager_id",
        "active",
        "employed_from",
        "employed_to",
        "timezone",
        "calendar_id",
    )
    fields = {
        "consultant_id": said["id"],
        "from_day": local_day(meta["occurred_at"], said["timezone"]),
        "weekday_minutes": list(said["weekday_minutes"]),
        "hourly_cost": None if said["hourly_cost"] is None else unscaled(said["hourly_cost"]),
        "currency": said["currency"],
        **{name: said[name] for name in kept},
    }
    subject = f"{system_of(meta)}{EMPLOYEE}:{said['id']}"
    yield contribution_of(UTILIZATION, kinds.CONSULTANT, meta, subject, fields, present=now is not None)
    # of whom somebody reports to, all that is measured elsewhere needs: no cost, no hours, no employment
    fields |= {"hourly_cost": None, "currency": None, "weekday_minutes": [], "department_id": None, "calendar_id": None}
    fields |= {"employed_from": None, "employed_to": None}
    yield contribution_of(
        UTILIZATION, kinds.CONSULTANT, meta, EVERYBODY, fields, present=now is not None, record=subject
    )
