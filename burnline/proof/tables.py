"""The source's own rows, as plain tables for the proof's SQL.

`fill` runs one `SELECT` per table on the source (the embedded Odoo's SQLite file, or PostgreSQL of a real one: the statements are the
same) and keeps the answers in a SQLite database in memory. Only times that need a time zone are turned into days on the way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

Select = Callable[[str], Iterable[Sequence[Any]]]

SOURCES = {
    "employee (id, calendar, company, first_day, last_day)": """
        select e.id, v.resource_calendar_id, e.company_id, v.contract_date_start, coalesce(v.departure_date, v.contract_date_end)
        from hr_employee e join hr_version v on v.id = e.current_version_id""",
    "attendance (calendar, weekday, minutes)": """
        select calendar_id, dayofweek, round((hour_to - hour_from) * 60) from resource_calendar_attendance
        where coalesce(day_period, '') <> 'lunch'""",
    "raw_holiday (first_time, last_time, calendar, company, tz)": """
        select l.date_from, l.date_to, l.calendar_id, l.company_id, coalesce(k.tz, d.tz, 'UTC')
        from resource_calendar_leaves l
        left join resource_calendar k on k.id = l.calendar_id
        left join res_company c on c.id = l.company_id
        left join resource_calendar d on d.id = c.resource_calendar_id
        where l.resource_id is null""",
    "leave (employee, first_day, last_day, hours)": """
        select employee_id, request_date_from, request_date_to, number_of_hours from hr_leave where state = 'validate'""",
    "line (employee, project, day, hours, amount, type, holiday)": """
        select employee_id, project_id, date, unit_amount, amount, timesheet_invoice_type, coalesce(holiday_id, global_leave_id)
        from account_analytic_line where project_id is not null""",
    "project (id, hours, account)": "select id, allocated_hours, account_id from project_project where not coalesce(is_template, false)",
    "expense (amount, distribution)": """
        select total_amount, cast(analytic_distribution as text) from hr_expense where state in ('approved', 'posted', 'in_payment', 'paid')""",
    "purchase (project, total, billed)": """
        select o.project_id, o.amount_untaxed / coalesce(nullif(o.currency_rate, 0), 1),
               coalesce((select sum(l.qty_invoiced * l.price_unit) from purchase_order_line l where l.order_id = o.id), 0)
               / coalesce(nullif(o.currency_rate, 0), 1)
        from purchase_order o where o.state = 'purchase' and o.project_id is not null""",
    "move (id, state, payment, due, residual, dispute, opened, contested)": """
        select id, state, payment_state, invoice_date_due, amount_residual, {dispute_fields}
        from account_move where move_type = 'out_invoice' and state = 'posted'""",
}
FIRM_FIELDS = "x_dispute_state, x_dispute_date, x_dispute_amount"
PLAIN_FIELDS = "null, null, null"


def fill(
    select: Select, *, firm_fields: bool, book: Mapping[str, Mapping[str, Any]] | None = None
) -> sqlite3.Connection:
    """The tables, filled. `firm_fields` tells whether the source has the firm's own dispute fields; `book` is the helpdesk's."""
    memory = sqlite3.connect(":memory:")
    memory.execute("create table book (id integer, status, opened, contested real)")
    rows_of_book = [
        (int(key), entry["status"], entry["opened_on"], float(entry["amount"])) for key, entry in (book or {}).items()
    ]
    memory.executemany("insert into book values (?, ?, ?, ?)", rows_of_book)
    for table, statement in SOURCES.items():
        name, columns = table.split(" ", 1)
        memory.execute(f"create table {table}")
        marks = ", ".join("?" * len(columns.split(",")))
        rows = [
            tuple(map(_plain, row))
            for row in select(statement.format(dispute_fields=FIRM_FIELDS if firm_fields else PLAIN_FIELDS))
        ]
        memory.executemany(f"insert into {name} values ({marks})", rows)  # noqa: S608  names from the table above
    memory.create_function("local_day", 2, local_day, deterministic=True)
    memory.execute(
        """create table holiday as select local_day(first_time, tz) first_day, local_day(last_time, tz) last_day, calendar, company
           from raw_holiday"""
    )
    return memory


def local_day(moment: str, zone: str) -> str:
    """The day of a UTC time in a time zone."""
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date().isoformat()


def _plain(value: Any) -> Any:
    match value:
        case None | int() | float() | str():
            return value
        case date():
            return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return float(value)
