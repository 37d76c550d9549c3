"""Consultants and their absence.

Traps
- An employee's department, calendar and contract live on its version of today, its time zone on its resource: writing
  there does not stamp the employee, so both are followed.
- A leave of a type that counts as worked time is no absence; a public holiday is a calendar leave without a resource.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from producers.core.calendars import WEEKDAYS, holiday_minutes
from producers.core.mapping.base import Context, Entity, Follow, ModelMapping, Period, ids
from producers.core.values import (
    Row,
    day,
    local_day,
    minutes,
    moment,
    money,
    needed_day,
    needed_ref,
    ref,
    start_of,
    text,
    written,
)
from schemas.errors import PoisonMessage
from schemas.records import Absence, AbsenceStatus, Consultant

LEAVE_STATUS: dict[str, AbsenceStatus] = {
    "draft": "requested",
    "confirm": "requested",
    "validate1": "requested",
    "validate": "approved",
    "refuse": "refused",
    "cancel": "cancelled",
}


def consultant(row: Row, context: Context, _previous: object) -> Consultant:
    """An employee as a consultant."""
    lookups = context.lookups
    company_id, calendar_id = ref(row.get("company_id")), ref(row.get("resource_calendar_id"))
    company = lookups.company(company_id)
    calendar = lookups.calendars.get(calendar_id) if calendar_id is not None else None
    begin, end = _employed(row, context)
    department_id = ref(row.get("department_id"))
    return {
        "id": row["id"],
        "name": text(row.get("name")) or "",
        "department_id": department_id,
        "manager_id": ref(row.get("parent_id")),
        "user_id": ref(row.get("user_id")),
        "company_id": company_id,
        "active": bool(row["active"]),
        "employed_from": begin,
        "employed_to": end,
        "hourly_cost": money(row["hourly_cost"]) if "hourly_cost" in row else None,
        "currency": company.currency,
        "timezone": text(row.get("tz")) or (calendar.timezone if calendar else None) or company.timezone,
        "calendar_id": calendar_id,
        "weekday_minutes": list(calendar.weekday_minutes) if calendar else [0] * WEEKDAYS,
        "department": lookups.departments.get(department_id) if department_id is not None else None,
    }


def _employed(row: Row, context: Context) -> tuple[date | None, date | None]:
    begin, end = context.lookups.employments.get(row["id"]) or (
        day(row.get("contract_date_start")),
        day(row.get("contract_date_end")),
    )
    ends = [d for d in (end, day(row.get("departure_date"))) if d is not None]
    return begin, min(ends) if ends else None


def consultant_verb(previous: Consultant | None, current: Consultant | None) -> str:
    """Registered, archived, changed or deleted."""
    if current is None:
        return "deleted"
    if not current["active"] and (previous is None or previous["active"]):
        return "archived"
    return "registered" if previous is None else "changed"


def consultant_occurred(row: Row, previous: Consultant | None, current: Consultant, _context: Context) -> datetime:
    """When it was written; for a version that Odoo has in force from a later day than it was written, that day."""
    at = written(row)
    effective = day(row.get("date_version"))
    if previous is not None and effective is not None and _terms(previous) != _terms(current):
        return max(at, start_of(effective, current["timezone"]))
    return at


def _terms(state: Consultant) -> tuple[object, ...]:
    return state["calendar_id"], state["department_id"], state["weekday_minutes"]


def leave(row: Row, context: Context, _previous: object) -> Absence | None:
    """A leave request; None for one that counts as worked time."""
    if ref(row.get("holiday_status_id")) in context.lookups.worked_leave_types:
        return None
    first, last = needed_day(row, "request_date_from"), needed_day(row, "request_date_to")
    part_of_a_day = first == last and (row.get("request_unit_half") or row.get("request_unit_hours"))
    status = LEAVE_STATUS.get(str(row["state"]), "unknown")
    return {
        "id": row["id"],
        "kind": "leave",
        "status": status,
        "employee_id": needed_ref(row, "employee_id"),
        "calendar_id": None,
        "company_id": ref(row.get("company_id")),
        "first_day": first,
        "last_day": last,
        "minutes": minutes(row.get("number_of_hours")) if part_of_a_day else None,
    }


def public_holiday(row: Row, context: Context, _previous: object) -> Absence | None:
    """A calendar leave that is nobody's own; None once it belongs to a resource or counts as work."""
    if row.get("resource_id") or row.get("time_type") == "other":
        return None
    begin, end = moment(row.get("date_from")), moment(row.get("date_to"))
    if begin is None or end is None:
        raise PoisonMessage(f"calendar leave {row['id']} has no dates", remedy="fill in its dates in Odoo")
    company_id, calendar_id = ref(row.get("company_id")), ref(row.get("calendar_id"))
    company = context.lookups.company(company_id)
    typical = calendar_id if calendar_id is not None else company.calendar_id
    calendar = context.lookups.calendars.get(typical) if typical is not None else None
    zone = (calendar.timezone if calendar else None) or company.timezone
    last = local_day(end, zone)
    if last > local_day(begin, zone) and start_of(last, zone) == end:
        last = local_day(end - (end - begin) / 1_000_000, zone)  # an end at midnight belongs to the day before
    return {
        "id": row["id"],
        "kind": "public_holiday",
        "status": "approved",
        "employee_id": None,
        "calendar_id": calendar_id,
        "company_id": company_id,
        "first_day": local_day(begin, zone),
        "last_day": last,
        "minutes": holiday_minutes(begin, end, calendar, zone),
    }


def absence_verb(previous: Absence | None, current: Absence | None) -> str:
    """What became of the request, or `changed` for the rest."""
    if current is None:
        return "deleted"
    status = current["status"]
    if (previous is None or previous["status"] != status) and status != "unknown":
        return status
    return "changed"


def _calendar_needed(row: Row) -> Iterable[tuple[str, int | None]]:
    yield "calendars", ref(row.get("resource_calendar_id") or row.get("calendar_id"))


def _employment_needed(row: Row) -> Iterable[tuple[str, int | None]]:
    yield from _calendar_needed(row)
    yield "employments", row["id"]
    yield "departments", ref(row.get("department_id"))


CONSULTANT = ModelMapping(
    model="hr.employee",
    module="hr",
    fields=("name", "active", "company_id"),
    optional=(
        "department_id", "parent_id", "user_id", "hourly_cost", "tz", "resource_calendar_id",
        "contract_date_start", "contract_date_end", "departure_date", "date_version",
    ),
    entities=(Entity("people.consultant.v1", consultant, consultant_verb, consultant_occurred),),
    follows=(Follow("hr.version", "employee_id"), Follow("resource.resource", "id", through="resource_id")),
    uses=("companies", "calendars", "employments", "departments"),
    needs=_employment_needed,
    sums=(ids("company_id"), ids("parent_id", "manager_id"), ids("user_id")),
)  # fmt: skip

LEAVE = ModelMapping(
    model="hr.leave",
    module="hr_holidays",
    fields=("employee_id", "state", "request_date_from", "request_date_to"),
    optional=("holiday_status_id", "request_unit_half", "request_unit_hours", "number_of_hours", "company_id"),
    entities=(Entity("people.absence.v1", leave, absence_verb),),
    where=(("holiday_status_id.time_type", "!=", "other"),),
    uses=("worked_leave_types",),
    sums=(ids("employee_id"),),
    period=Period("request_date_from", "first_day"),
)

PUBLIC_HOLIDAY = ModelMapping(
    model="resource.calendar.leaves",
    module="resource",
    fields=("date_from", "date_to", "resource_id"),
    optional=("calendar_id", "company_id", "time_type"),
    entities=(Entity("people.absence.v1", public_holiday, absence_verb),),
    where=(("resource_id", "=", False), ("time_type", "!=", "other")),
    uses=("companies", "calendars"),
    needs=_calendar_needed,
    sums=(ids("calendar_id"), ids("company_id")),
)
