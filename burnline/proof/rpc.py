"""A real Odoo's rows for the proof, where its database cannot be reached: copied over RPC into tables named as Odoo names them.

The same `SELECT`s then run on the copy. It is read afresh, by other calls than the capture's, after everything else has come to rest.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from burnline.proof.tables import Select
from infra.odoo import OdooClient

PAGE = 2000
DISPUTE_FIELDS = ("x_dispute_state", "x_dispute_date", "x_dispute_amount")
COPIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "hr_employee": ("hr.employee", ("company_id",)),
    "hr_version": (
        "hr.employee",
        ("resource_calendar_id", "contract_date_start", "contract_date_end", "departure_date"),
    ),
    "resource_calendar_attendance": (
        "resource.calendar.attendance",
        ("calendar_id", "dayofweek", "hour_from", "hour_to", "day_period"),
    ),
    "resource_calendar": ("resource.calendar", ("tz",)),
    "resource_calendar_leaves": (
        "resource.calendar.leaves",
        ("date_from", "date_to", "calendar_id", "company_id", "resource_id"),
    ),
    "res_company": ("res.company", ("resource_calendar_id",)),
    "hr_leave": ("hr.leave", ("employee_id", "request_date_from", "request_date_to", "number_of_hours", "state")),
    "account_analytic_line": (
        "account.analytic.line",
        (
            "employee_id",
            "project_id",
            "date",
            "unit_amount",
            "amount",
            "timesheet_invoice_type",
            "holiday_id",
            "global_leave_id",
        ),
    ),
    "project_project": ("project.project", ("allocated_hours", "account_id", "is_template")),
    "hr_expense": ("hr.expense", ("total_amount", "analytic_distribution", "state")),
    "purchase_order": ("purchase.order", ("project_id", "amount_untaxed", "currency_rate", "state")),
    "purchase_order_line": ("purchase.order.line", ("order_id", "qty_invoiced", "price_unit")),
    "account_move": (
        "account.move",
        ("state", "payment_state", "invoice_date_due", "amount_residual", "move_type", *DISPUTE_FIELDS),
    ),
}


def firm_fields(client: OdooClient) -> bool:
    """Has this Odoo the firm's own dispute fields?"""
    return set(DISPUTE_FIELDS) <= set(client.fields_get("account.move"))


def over_rpc(client: OdooClient) -> Select:
    """Select from a copy of the source's rows, made now."""
    copy = sqlite3.connect(":memory:")
    for table, (model, fields) in COPIES.items():
        present = client.fields_get(model)
        known = [name for name in fields if name in present]
        columns = ", ".join(["id", *fields, *(["current_version_id"] if table == "hr_employee" else [])])
        copy.execute(f"create table {table} ({columns})")
        marks = ", ".join("?" * (len(known) + 1))
        insert = f"insert into {table} (id{''.join(', ' + name for name in known)}) values ({marks})"  # noqa: S608  names from the table above
        for rows in _pages(client, model, known):
            copy.executemany(
                insert, [[row["id"], *(_value(row[name], present[name]["type"]) for name in known)] for row in rows]
            )
    copy.execute("update hr_employee set current_version_id = id")

    def select(statement: str) -> Iterable[Sequence[Any]]:
        return copy.execute(statement).fetchall()

    return select


def _pages(client: OdooClient, model: str, fields: Sequence[str]) -> Iterable[list[dict[str, Any]]]:
    last = 0
    while rows := client.search_read(model, [("id", ">", last)], fields, limit=PAGE):
        yield rows
        last = rows[-1]["id"]


def _value(value: Any, kind: str) -> Any:
    if value is False and kind != "boolean":
        return None
    if isinstance(value, list):
        return value[0]
    return json.dumps(value) if isinstance(value, dict) else value
