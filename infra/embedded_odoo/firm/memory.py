"""The state of the firm as its data file tells it: after a start, on a new day, or when somebody else changed it."""

import sqlite3
from datetime import date, timedelta

from infra.embedded_odoo.firm.days import workdays_until
from infra.embedded_odoo.firm.history import Plan, Project
from infra.embedded_odoo.firm.people import Consultant
from infra.embedded_odoo.firm.state import Budget, Invoice, Line, State

_RECENT_WORKDAYS = 5


def consultants(db: sqlite3.Connection) -> list[Consultant]:
    """Everybody ever employed."""
    rows = db.execute(
        "SELECT e.id, e.user_id, v.department_id, e.parent_id, v.resource_calendar_id, e.hourly_cost,"
        " v.contract_date_start, v.departure_date FROM hr_employee e JOIN hr_version v ON v.id = e.current_version_id"
        " WHERE e.user_id IS NOT NULL AND v.department_id IS NOT NULL AND v.contract_date_start IS NOT NULL"
        " AND v.resource_calendar_id <= 4 ORDER BY e.id",
    )
    return [
        Consultant(who, user, department, manager or 0, calendar, cost, date.fromisoformat(since), _until(left))
        for who, user, department, manager, calendar, cost, since, left in rows.fetchall()
    ]


def _until(day: str | None) -> date:
    return date.fromisoformat(day) if day else date.max


def projects(db: sqlite3.Connection) -> list[Project]:
    """The projects that have tasks and an account, the internal one last."""
    rows = db.execute(
        "SELECT p.id, p.account_id, p.partner_id, p.allow_billable, group_concat(t.id) FROM project_project p"
        " JOIN project_task t ON t.project_id = p.id WHERE p.account_id IS NOT NULL"
        " GROUP BY p.id HAVING p.partner_id IS NOT NULL OR p.allow_billable = 0 ORDER BY p.allow_billable DESC, p.id",
    )
    return [
        Project(number, account, tuple(sorted(map(int, tasks.split(",")))), client or 0, bool(billable))
        for number, account, client, billable, tasks in rows.fetchall()
    ]


def plan(db: sqlite3.Connection) -> Plan:
    """What writing time for past days needs to know."""
    free = {
        day
        for start, end in db.execute(
            "SELECT date_from, date_to FROM resource_calendar_leaves WHERE resource_id IS NULL"
        )
        for day in _local_days(start, end)
    }
    absent: dict[int, frozenset[date]] = {}
    sql = "SELECT employee_id, request_date_from, request_date_to FROM hr_leave WHERE state = 'validate'"
    for who, start, end in db.execute(sql):
        first, last = date.fromisoformat(start), date.fromisoformat(end)
        days = frozenset(first + timedelta(n) for n in range((last - first).days + 1))
        absent[who] = absent.get(who, frozenset()) | days
    return Plan(consultants(db), projects(db), frozenset(free), absent)


def _local_days(start: str, end: str) -> list[date]:
    """The days of a public holiday, which is stored in UTC and lasts from local midnight to local midnight."""
    middle = date.fromisoformat(end[:10])
    first = date.fromisoformat(start[:10]) + timedelta(1 if start[11:13] >= "12" else 0)
    return [first + timedelta(n) for n in range((middle - first).days + 1)]


def recall(db: sqlite3.Connection, today: date) -> State:
    """The state from which to choose what happens next."""
    days = workdays_until(today, _RECENT_WORKDAYS)
    everybody = {c.id: c for c in consultants(db) if c.until >= today}
    known = {p.id: p for p in projects(db)}
    internal = next((p.id for p in reversed(known.values()) if not p.billable), max(known))
    state = State(everybody, known, internal, days)
    _recall_budgets(db, state)
    sql = (
        "SELECT id, employee_id, project_id, date, unit_amount, x_approved FROM account_analytic_line"
        " WHERE date >= ? AND project_id IS NOT NULL AND holiday_id IS NULL ORDER BY id"
    )
    for line, who, project, day, hours, approved in db.execute(sql, (days[0].isoformat(),)):
        if who in everybody and project in known:
            entry = Line(line, who, project, date.fromisoformat(day), hours, bool(approved))
            state.lines[line] = entry
            state.load[who, entry.day] += hours
    _recall_money(db, state)
    return state


def _recall_budgets(db: sqlite3.Connection, state: State) -> None:
    sql = (
        "SELECT p.id, p.allocated_hours, p.active, (SELECT COALESCE(SUM(l.unit_amount), 0)"
        " FROM account_analytic_line l WHERE l.project_id = p.id) FROM project_project p WHERE p.allow_billable = 1"
    )
    for project, allocated, active, hours in db.execute(sql):
        if project in state.projects:
            state.budgets[project] = Budget(hours, allocated or 0.0)
            if not active:
                state.archived.append(project)


def _recall_money(db: sqlite3.Connection, state: State) -> None:
    sql = (
        "SELECT id, amount_total, amount_residual, x_dispute_state, state, partner_id FROM account_move"
        " WHERE move_type = 'out_invoice' AND amount_residual > 0 AND state IN ('draft', 'posted') ORDER BY id"
    )
    for move, total, residual, dispute, status, partner in db.execute(sql):
        state.invoices[move] = Invoice(move, total, residual, dispute or "none", status == "draft", partner)
    waiting = "SELECT id FROM project_milestone WHERE is_reached = 0 ORDER BY id"
    state.milestones = [row[0] for row in db.execute(waiting)]
    moving = "SELECT id, state FROM hr_expense WHERE state IN ('draft', 'submitted', 'approved', 'posted') ORDER BY id"
    state.expenses = dict(db.execute(moving).fetchall())
    orders = "SELECT id, state FROM purchase_order WHERE state IN ('draft', 'sent', 'to approve') ORDER BY id"
    state.orders = dict(db.execute(orders).fetchall())
    asked = "SELECT id FROM hr_leave WHERE state IN ('confirm', 'validate1') ORDER BY id"
    state.requests = [row[0] for row in db.execute(asked)]
