"""Half a year of a services firm, written down in one go: pure, from a seed and a day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from infra.embedded_odoo.firm.book import Book
from infra.embedded_odoo.firm.days import during, holidays, local, span
from infra.embedded_odoo.firm.people import CLIENTS, INTERNAL, VENDORS, Consultant, hire
from infra.embedded_odoo.seed import hours_per_day

TOPICS = ("Platform", "Migration", "Audit", "Roadmap", "Pilot", "Rollout")
TASKS = ("Discovery", "Build", "Review", "Support")
NEAR = (0.75, 0.90, 1.00)
_BURNS = (0.33, 0.49, 0.62, 0.70, 0.75, 0.82, 0.90, 0.95, 1.00, 1.18, 1.29)
_GAP_HOURS = 5.0
_PROJECTS = 12
_QUARTER = 0.25


@dataclass(frozen=True, slots=True)
class Project:
    """One project, as far as writing time needs to know."""

    id: int
    account_id: int
    tasks: tuple[int, ...]
    client: int
    billable: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The standing facts a history is built on."""

    consultants: Sequence[Consultant]
    projects: Sequence[Project]
    """The internal project is the last."""
    free: frozenset[date]
    absent: Mapping[int, frozenset[date]]


def found(book: Book) -> Plan:
    """Write people, clients, projects, holidays and leave; the plan to write time by."""
    at = local(book.first - timedelta(1), 9)
    consultants = hire(book, at)
    company = {"is_company": 1, "active": 1}
    clients = [book.add("res.partner", at, {"name": name, **company}) for name in CLIENTS]
    for name in VENDORS:
        book.add("res.partner", at, {"name": name, **company})
    projects = [_project(book, number, clients, consultants, at) for number in range(_PROJECTS)]
    free = _holidays(book, at)
    absent = _leave(book, consultants, projects[-1], free)
    return Plan(consultants, projects, free, absent)


def _project(book: Book, number: int, clients: Sequence[int], consultants: Sequence[Consultant], at: str) -> Project:
    internal = number == _PROJECTS - 1
    client = 0 if internal else clients[number % len(clients)]
    topic = TOPICS[number % len(TOPICS)]
    name = INTERNAL if internal else f"{CLIENTS[number % len(CLIENTS)].split()[0]} {topic}"
    account = book.add("account.analytic.account", at, {"name": name, "partner_id": client or None, "active": 1})
    values = {
        "name": name,
        "account_id": account,
        "partner_id": client or None,
        "user_id": consultants[number % 4].user_id,
        "company_id": 1,
        "date_start": book.first.isoformat(),
        "date": (book.today + timedelta(30 + 7 * number)).isoformat(),
        "last_update_status": "on_track",
        "allow_timesheets": 1,
        "allow_milestones": 1,
        "allow_billable": int(not internal),
        "is_template": 0,
        "active": 1,
        "sequence": 10,
        "allocated_hours": 0.0,
    }
    project = book.add("project.project", at, values)
    milestones = [] if internal else _milestones(book, project, number, at)
    tasks = []
    for place, task in enumerate(("Time Off", "Training") if internal else TASKS):
        state = "1_done" if not internal and place == 0 else "01_in_progress"
        values = {"name": task, "project_id": project, "state": state, "allocated_hours": 200.0, "active": 1}
        values |= {"priority": "0", "sequence": 10, "effective_hours": 0.0, "partner_id": client or None}
        values["milestone_id"] = milestones[place] if place < len(milestones) else None
        tasks.append(book.add("project.task", at, values))
    return Project(project, account, tuple(tasks), client, not internal)


def _milestones(book: Book, project: int, number: int, at: str) -> list[int]:
    """Four steps of a quarter each; every fifth project counts its progress by tasks instead."""
    out = []
    share = 0.0 if number % 5 == 4 else 0.25
    for place in range(4):
        deadline = book.first + timedelta(60 + 50 * place)
        reached = deadline < book.today - timedelta(7) and book.rng.random() < 0.8
        values = {
            "name": f"Step {place + 1}",
            "project_id": project,
            "deadline": deadline.isoformat(),
            "sequence": place,
        }
        values |= {"is_reached": int(reached), "quantity_percentage": share}
        values["reached_date"] = deadline.isoformat() if reached else None
        out.append(book.add("project.milestone", at, values, local(deadline, 15) if reached else at))
    return out


def _holidays(book: Book, at: str) -> frozenset[date]:
    days = holidays(book.first, book.today + timedelta(90))
    for day, name in days.items():
        values = {"name": name, "date_from": local(day, 0), "date_to": local(day, 24 - 1 / 3600), "time_type": "leave"}
        book.add("resource.calendar.leaves", at, values)
    return frozenset(days)


def _leave(
    book: Book, consultants: Sequence[Consultant], internal: Project, free: frozenset[date]
) -> dict[int, frozenset[date]]:
    """Approved leave with its timesheets, and requests of every state; the days each consultant was away."""
    absent: defaultdict[int, set[date]] = defaultdict(set)
    first, today = book.first, book.today
    for who in consultants:
        for state in ("validate", "validate", "validate", "confirm", "validate1", "refuse", "cancel"):
            if state not in {"validate", "confirm"} and book.rng.random() < 0.75:
                continue
            future = state in {"confirm", "validate1"} or book.rng.random() < 0.15
            start = (
                today + timedelta(book.rng.randint(1, 45))
                if future
                else first + timedelta(book.rng.randint(0, (today - first).days))
            )
            end = start + timedelta(book.rng.choice((0, 0, 1, 2, 4)))
            days = [d for d in span(start, end) if who.scheduled(d) and d not in free and d not in absent[who.id]]
            if not days:
                continue
            asked = during(book.rng, min(start, today) - timedelta(10), 9, 17, before=book.before)
            leave = _leave_row(book, who, state, days, asked)
            if state == "validate":
                absent[who.id].update(days)
                _leave_lines(book, who, internal, leave, [d for d in days if d <= today])
    return {who: frozenset(days) for who, days in absent.items()}


def _leave_row(book: Book, who: Consultant, state: str, days: Sequence[date], at: str) -> int:
    hours = hours_per_day(who.calendar)
    start, end = local(days[0], 8), local(days[-1], 17)
    values = {
        "employee_id": who.id,
        "holiday_status_id": 1 + (who.id + len(days)) % 2,
        "department_id": who.department_id,
        "resource_calendar_id": who.calendar,
        "state": state,
        "request_date_from": days[0].isoformat(),
        "request_date_to": days[-1].isoformat(),
        "date_from": start,
        "date_to": end,
        "request_unit_half": 0,
        "request_unit_hours": 0,
        "number_of_days": float(len(days)),
        "number_of_hours": round(hours * len(days), 2),
    }
    leave = book.add("hr.leave", at, values)
    if state == "validate":
        absence = {"name": "Time Off", "calendar_id": who.calendar, "resource_id": who.id, "holiday_id": leave}
        book.add("resource.calendar.leaves", at, absence | {"date_from": start, "date_to": end, "time_type": "leave"})
    return leave


def _leave_lines(book: Book, who: Consultant, internal: Project, leave: int, days: Sequence[date]) -> None:
    at = book.rows["hr.leave"][-1]["create_date"]
    for day in days:
        line = line_values(book.rng, who, internal, day, hours_per_day(who.calendar))
        line |= {"holiday_id": leave, "task_id": internal.tasks[0], "name": "Time Off"}
        book.add("account.analytic.line", at, line)


def line_values(rng: Random, who: Consultant, project: Project, day: date, hours: float) -> dict[str, Any]:
    """The columns of a timesheet, without those that only its record knows."""
    return {
        "name": rng.choice(("Workshop", "Development", "Analysis", "Client call", "Reporting", "Fixes")),
        "date": day.isoformat(),
        "unit_amount": hours,
        "amount": -round(hours * who.hourly_cost, 2),
        "project_id": project.id,
        "task_id": rng.choice(project.tasks[1:] or project.tasks),
        "account_id": project.account_id,
        "partner_id": project.client or None,
        "employee_id": who.id,
        "user_id": who.user_id,
        "department_id": who.department_id,
        "manager_id": who.manager_id or None,
        "timesheet_invoice_type": "non_billable",
        "category": "other",
        "x_approved": 0,
    }


def work(book: Book, plan: Plan, days: Iterable[date]) -> None:
    """Write the time of these days: one to three lines per consultant and working day."""
    closed = book.today - timedelta(book.today.weekday() + 3)
    for day in days:
        for who in plan.consultants:
            hours = 0.0 if day in plan.free or day in plan.absent.get(who.id, ()) else who.scheduled(day)
            for line in _day(book.rng, plan, who, day, hours) if hours else ():
                at = during(book.rng, day, 16, 19, before=book.before)
                line["x_approved"] = int(day <= closed and book.rng.random() < 0.95)
                approval = day + timedelta(7 - day.weekday())
                changed = during(book.rng, approval, 9, 11, before=book.before) if line["x_approved"] else at
                book.add("account.analytic.line", at, line, changed)


def _day(rng: Random, plan: Plan, who: Consultant, day: date, hours: float) -> list[dict[str, Any]]:
    clients, internal = plan.projects[:-1], plan.projects[-1]
    billable, other = (_quarters(hours * share * rng.uniform(0.85, 1.15)) for share in who.shares)
    first, second = (clients[place] for place in who.projects(len(clients)))
    parts = [(first, billable, "billable_time")]
    if billable >= 3 and rng.random() < 0.5:
        part = _quarters(billable * rng.uniform(0.3, 0.6))
        parts = [(first, billable - part, "billable_time"), (second, part, "billable_time")]
    parts.append((internal if rng.random() < 0.7 else first, other, "non_billable"))
    return [
        line_values(rng, who, project, day, part) | {"timesheet_invoice_type": kind}
        for project, part, kind in parts
        if part > 0
    ]


def _quarters(hours: float) -> float:
    return round(hours / _QUARTER) * _QUARTER


def set_budgets(book: Book) -> None:
    """Give each client project the budget at which its hours make the burn it is meant to show.

    Some stand a few hours below a level, so that ordinary work crosses it.
    """
    hours: defaultdict[int, float] = defaultdict(float)
    spent: defaultdict[int, float] = defaultdict(float)
    for line in book.rows["account.analytic.line"]:
        hours[line["project_id"]] += line["unit_amount"]
        spent[line["task_id"]] += line["unit_amount"]
    for row in book.rows["project.task"]:
        row["effective_hours"] = round(spent[row["id"]], 2)
    projects = [row for row in book.rows["project.project"] if row["allow_billable"]]
    for row, burn in zip(projects, _BURNS, strict=True):
        gap = _GAP_HOURS if burn in NEAR else 0.0
        row["allocated_hours"] = round((hours[row["id"]] + gap) / burn, 2)
