"""Rules of employees and of their leave."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from infra.embedded_odoo.errors import user_error
from infra.embedded_odoo.orm import Env, Values
from infra.embedded_odoo.query import Row
from infra.embedded_odoo.values import stamp


def new_employee(env: Env, values: Values) -> Row:
    """An employee is a resource, and has a first version that holds department, calendar and contract."""
    calendar = values.get("resource_calendar_id") or env.scalar(
        "SELECT resource_calendar_id FROM res_company WHERE id = ?",
        values["company_id"],
    )
    resource = {"name": values.get("name") or "Employee", "calendar_id": calendar, "user_id": values.get("user_id")}
    version = {"resource_calendar_id": calendar, "company_id": values["company_id"]}
    return {
        "resource_id": values.get("resource_id") or env.create("resource.resource", resource),
        "current_version_id": env.create("hr.version", version),
        "resource_calendar_id": calendar,
    }


def link_version(env: Env, record_id: int) -> None:
    """The first version belongs to the employee just made."""
    version = env.one("hr.employee", record_id, "current_version_id")["current_version_id"]
    env.write("hr.version", [version], {"employee_id": record_id})


def new_leave(env: Env, values: Values) -> Row:
    """A request knows its length from the employee's calendar, lunch and free days left out."""
    employee = env.one("hr.employee", values["employee_id"], "resource_calendar_id", "department_id", "tz")
    first = date.fromisoformat(str(values.get("request_date_from") or env.today))
    last = date.fromisoformat(str(values.get("request_date_to") or first))
    hours = [
        _scheduled(env, employee["resource_calendar_id"], first + timedelta(n)) for n in range((last - first).days + 1)
    ]
    zone = ZoneInfo(employee["tz"] or "UTC")
    start, end = (datetime.combine(day, at, zone).astimezone(UTC) for day, at in ((first, time(8)), (last, time(17))))
    computed = {
        "request_date_from": first.isoformat(),
        "request_date_to": last.isoformat(),
        "date_from": stamp(start),
        "date_to": stamp(end),
        "number_of_days": float(sum(h > 0 for h in hours)),
        "number_of_hours": sum(hours),
        "department_id": employee["department_id"],
        "resource_calendar_id": employee["resource_calendar_id"],
    }
    return {key: value for key, value in computed.items() if not values.get(key)}


def action_approve(env: Env, ids: Sequence[int]) -> None:
    """Approve requests: the employee's resource is away for the time of the leave."""
    for record_id in ids:
        leave = env.one("hr.leave", record_id, "state", "employee_id", "resource_calendar_id", "date_from", "date_to")
        if leave["state"] not in {"confirm", "validate1"}:
            raise user_error("Only a request that is waiting can be approved.")
        env.write("hr.leave", [record_id], {"state": "validate"})
        absence = {"name": "Time Off", "holiday_id": record_id, "calendar_id": leave["resource_calendar_id"]}
        absence["resource_id"] = env.one("hr.employee", leave["employee_id"], "resource_id")["resource_id"]
        absence |= {key: leave[key] for key in ("date_from", "date_to")}
        env.create("resource.calendar.leaves", absence)


def action_refuse(env: Env, ids: Sequence[int]) -> bool:
    """Refuse requests, also approved ones: the resource is there again."""
    for record_id in ids:
        env.write("hr.leave", [record_id], {"state": "refuse"})
        away = env.db.execute("SELECT id FROM resource_calendar_leaves WHERE holiday_id = ?", (record_id,)).fetchall()
        env.unlink("resource.calendar.leaves", [row[0] for row in away])
    return True


def _scheduled(env: Env, calendar: int, day: date) -> float:
    hours = env.scalar(
        "SELECT SUM(hour_to - hour_from) FROM resource_calendar_attendance"
        " WHERE calendar_id = ? AND dayofweek = ? AND day_period != 'lunch'",
        calendar,
        str(day.weekday()),
    )
    return float(hours or 0.0)
