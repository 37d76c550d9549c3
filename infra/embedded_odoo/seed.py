"""What every database has before anybody works in it: company, administrator, calendars, journals, types."""

from collections.abc import Mapping
from typing import Any

from infra.embedded_odoo.models import MODEL_IDS, MODELS
from infra.embedded_odoo.store import Store

Rows = dict[str, list[dict[str, Any]]]
ADMIN, COMPANY, EUR, USD, TIMEZONE = 2, 1, 126, 1, "Europe/Brussels"

_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_MORNING, _LUNCH = ("morning", 8.0, 12.0), ("lunch", 12.0, 13.0)
_FULL_DAY = (_MORNING, _LUNCH, ("afternoon", 13.0, 17.0))
_SHORT_DAY = (_MORNING, _LUNCH, ("afternoon", 13.0, 16.6))

CALENDARS: Mapping[int, tuple[str, tuple[tuple[str, float, float], ...], int]] = {
    1: ("Standard 40 hours/week", _FULL_DAY, 5),
    2: ("Part time 32 hours/week", _FULL_DAY, 4),
    3: ("Mornings 20 hours/week", (_MORNING,), 5),
    4: ("Standard 38 hours/week", _SHORT_DAY, 5),
}
"""Id: name, the spans of a working day (lunch is one of them and no working time), working days from Monday."""


SERVICES: Mapping[int, tuple[str, int, str]] = {
    1: ("Consulting by the hour", 4, "delivered_timesheet"),
    2: ("Fixed price project", 1, "ordered_prepaid"),
    3: ("Consulting by hand", 4, "delivered_manual"),
}
"""Id: name, unit and how it is billed."""


def hours_per_day(calendar: int) -> float:
    """The working hours of a working day."""
    return round(sum(end - start for kind, start, end in CALENDARS[calendar][1] if kind != "lunch"), 2)


def base_rows() -> Rows:
    """The rows of an empty database, without stamps."""
    rows: Rows = {
        "res.currency": [
            {"id": USD, "name": "USD", "symbol": "$", "rounding": 0.01, "active": 1},
            {"id": EUR, "name": "EUR", "symbol": "€", "rounding": 0.01, "active": 1},
        ],
        "res.company": [
            {"id": COMPANY, "name": "Brabant Consulting", "partner_id": 1, "currency_id": EUR, "active": 1}
            | {"resource_calendar_id": 1, "sequence": 0},
        ],
        "res.partner": [
            {"id": 1, "name": "Brabant Consulting", "is_company": 1, "active": 1, "tz": TIMEZONE},
            {"id": 2, "name": "OdooBot", "is_company": 0, "active": 0, "tz": TIMEZONE},
            {"id": 3, "name": "Mitchell Admin", "is_company": 0, "active": 1, "tz": TIMEZONE},
        ],
        "res.users": [
            {"id": 1, "login": "__system__", "partner_id": 2, "company_id": COMPANY, "active": 0},
            {"id": ADMIN, "login": "admin", "partner_id": 3, "company_id": COMPANY, "active": 1},
        ],
        "mail.activity.type": [
            {"id": 1, "name": "Email", "sequence": 3, "category": "default", "active": 1},
            {"id": 2, "name": "Call", "sequence": 6, "category": "phonecall", "active": 1},
            {"id": 4, "name": "To-Do", "sequence": 12, "category": "default", "active": 1},
        ],
        "hr.leave.type": [
            {"id": 1, "name": "Paid Time Off", "time_type": "leave", "sequence": 1},
            {"id": 2, "name": "Sick Time Off", "time_type": "leave", "sequence": 2},
        ],
        "account.journal": [
            {"id": 1, "name": "Sales", "code": "INV", "type": "sale"},
            {"id": 2, "name": "Purchases", "code": "BILL", "type": "purchase"},
            {"id": 3, "name": "Miscellaneous", "code": "MISC", "type": "general"},
            {"id": 6, "name": "Bank", "code": "BNK1", "type": "bank"},
        ],
        "uom.uom": [
            {"id": 1, "name": "Units", "factor": 1.0, "active": 1},
            {"id": 4, "name": "Hours", "factor": 1.0, "active": 1},
            {"id": 5, "name": "Days", "factor": 8.0, "active": 1},
        ],
        "product.template": [
            {"id": n, "name": name, "type": "service", "uom_id": unit, "x_service_policy": policy, "active": 1}
            for n, (name, unit, policy) in SERVICES.items()
        ],
        "product.product": [{"id": n, "product_tmpl_id": n, "active": 1} for n in SERVICES],
        "crm.stage": [
            {"id": 1, "name": "New", "sequence": 1, "is_won": 0},
            {"id": 2, "name": "Qualified", "sequence": 2, "is_won": 0},
            {"id": 3, "name": "Proposition", "sequence": 3, "is_won": 0},
            {"id": 4, "name": "Won", "sequence": 70, "is_won": 1},
        ],
        "crm.lost.reason": [
            {"id": 1, "name": "Too expensive", "active": 1},
            {"id": 2, "name": "We don't have people/skills", "active": 1},
        ],
        "hr.skill.type": [
            {"id": 1, "name": "Languages", "is_certification": 0, "sequence": 1, "active": 1},
            {"id": 2, "name": "Certifications", "is_certification": 1, "sequence": 2, "active": 1},
        ],
        "hr.skill": [
            {"id": 1, "name": "French", "skill_type_id": 1, "sequence": 10},
            {"id": 2, "name": "English", "skill_type_id": 1, "sequence": 10},
            {"id": 3, "name": "Solution Architect", "skill_type_id": 2, "sequence": 10},
        ],
        "hr.skill.level": [
            {"id": 1, "name": "A1", "skill_type_id": 1, "level_progress": 10, "default_level": 0},
            {"id": 2, "name": "A2", "skill_type_id": 1, "level_progress": 40, "default_level": 1},
            {"id": 3, "name": "C1", "skill_type_id": 1, "level_progress": 85, "default_level": 0},
            {"id": 4, "name": "Certified", "skill_type_id": 2, "level_progress": 100, "default_level": 1},
        ],
        "ir.model": [{"id": n, "model": m, "name": m, "state": "base"} for m, n in MODEL_IDS.items()],
    }
    for row in (*rows["hr.leave.type"], *rows["account.journal"]):
        row |= {"company_id": COMPANY, "active": 1, "request_unit": "day"}
    rows |= _calendar_rows()
    rows["ir.model.fields"] = _field_rows()
    rows["ir.model.data"] = [
        {"id": 1, "module": "mail", "name": "mail_activity_data_todo", "model": "mail.activity.type", "res_id": 4},
        {"id": 2, "module": "mail", "name": "mail_activity_data_call", "model": "mail.activity.type", "res_id": 2},
        {"id": 3, "module": "base", "name": "main_company", "model": "res.company", "res_id": COMPANY},
        {"id": 4, "module": "base", "name": "user_admin", "model": "res.users", "res_id": ADMIN},
        {"id": 5, "module": "base", "name": "EUR", "model": "res.currency", "res_id": EUR},
    ]
    return rows


def _calendar_rows() -> Rows:
    calendars: list[dict[str, Any]] = []
    attendances: list[dict[str, Any]] = []
    for number, (name, spans, days) in CALENDARS.items():
        hours = hours_per_day(number)
        calendars.append(
            {"id": number, "name": name, "tz": TIMEZONE, "hours_per_day": hours, "hours_per_week": hours * days}
            | {"full_time_required_hours": 40.0, "company_id": COMPANY, "active": 1}
            | {"two_weeks_calendar": 0, "flexible_hours": 0},
        )
        for weekday, day in enumerate(_WEEK[:days]):
            for kind, start, end in spans:
                attendances.append(
                    {"id": len(attendances) + 1, "name": f"{day} {kind.title()}", "calendar_id": number}
                    | {"dayofweek": str(weekday), "day_period": kind, "hour_from": start, "hour_to": end}
                    | {"duration_hours": 0.0 if kind == "lunch" else round(end - start, 2), "sequence": 10},
                )
    return {"resource.calendar": calendars, "resource.calendar.attendance": attendances}


def _field_rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for model in MODELS.values():
        for field in model.fields.values():
            facts = field.describe()
            rows.append(
                {"id": len(rows) + 1, "name": field.name, "model": model.name, "model_id": MODEL_IDS[model.name]}
                | {"field_description": facts["string"], "ttype": field.type, "relation": field.relation or None}
                | {"state": "manual" if facts["manual"] else "base", "store": int(facts["store"])},
            )
    return rows


def stamped(rows: Rows, moment: str) -> Rows:
    """The rows with the log fields of one moment, where they have none of their own."""
    log = {"create_uid": ADMIN, "write_uid": ADMIN, "create_date": moment, "write_date": moment}
    return {model: [log | row for row in records] for model, records in rows.items()}


def seed(store: Store, moment: str) -> bool:
    """Fill an empty file; False when it already holds a database."""
    with store.read() as db:
        if db.execute("SELECT 1 FROM res_company LIMIT 1").fetchone():
            return False
    store.fill(stamped(base_rows(), moment), {}, {})
    return True
