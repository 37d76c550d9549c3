"""What happens next in the firm: pure choices from its state, a source of chance and a day.

Time is written for the last weekdays, up to `_FULL` hours a person and day; when a day is full, something is corrected
or deleted instead, so that the firm can live at any speed without drifting into nonsense. Money moves at a pace of
its own, however fast time is written.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from types import MappingProxyType
from typing import Any

from infra.embedded_odoo.firm.history import NEAR, line_values
from infra.embedded_odoo.firm.money import REASONS, move_values
from infra.embedded_odoo.firm.state import Budget, Invoice, Line, State, Step

TakeId = Callable[[str], int]
_LINE, _MOVE = "account.analytic.line", "account.move"
_FULL = 9.0
_MOST_INVOICES, _MOST_DISPUTES, _MOST_ARCHIVED = 90, 25, 1
_CALM = 10.0
"""The rate, in changes a second, above which money moves no faster."""
_NEXT = MappingProxyType(
    {
        "none": ("open",),
        "open": ("awaiting_customer", "escalated", "resolved"),
        "awaiting_customer": ("open", "resolved", "withdrawn"),
        "escalated": ("resolved", "open"),
    },
)
_EXPENSE_STEPS = MappingProxyType(
    {"draft": "submitted", "submitted": "approved", "approved": "posted", "posted": "paid"},
)


class Chooser:
    """Chooses changes; each is a list of steps that belong in one transaction, already counted in the state."""

    def __init__(self, state: State, rng: Random, take_id: TakeId, rate: float) -> None:
        """`take_id(model)` gives the id of a record to create; `rate` is in changes a second."""
        self.state, self.rng, self.take_id = state, rng, take_id
        calm = min(1.0, _CALM / rate) if rate else 1.0
        self._weights = [w * (calm if money else 1.0) for _, w, money in _MENU]

    def next(self, today: date) -> list[Step]:
        """The steps of the next change; never empty."""
        for _ in range(20):
            choose = self.rng.choices(_MENU, self._weights)[0][0]
            steps = choose(self, today)
            if steps:
                return steps
        return self.no_op(today) or self.log(today) or self._fresh_line()

    def log(self, _: date) -> list[Step]:
        """Somebody writes time, unless the day is full."""
        who = self.rng.choice(list(self.state.consultants))
        day = self.rng.choice(self.state.days)
        if self.state.load[who, day] >= _FULL or not self.state.consultants[who].scheduled(day):
            return []
        return self._write_time(who, day)

    def _fresh_line(self) -> list[Step]:
        return self._write_time(self.rng.choice(list(self.state.consultants)), self.state.days[-1])

    def _write_time(self, who: int, day: date) -> list[Step]:
        project = self._project(who)
        hours = self.rng.randint(2, 14) / 4
        kind = "non_billable" if project == self.state.internal else "billable_time"
        values = line_values(self.rng, self.state.consultants[who], self.state.projects[project], day, hours)
        values["timesheet_invoice_type"] = kind
        line = Line(self.take_id(_LINE), who, project, day, hours, approved=False)
        self.state.put(line)
        return [Step("create", _LINE, line.id, values)]

    def _project(self, who: int) -> int:
        """Mostly one's own two projects; often one that is about to cross a level; sometimes the internal one."""
        projects = self.state.open_projects()
        chance = self.rng.random()
        if chance < 0.15 or not projects:
            return self.state.internal
        near = [p for p in projects if _just_below(self.state.budgets[p])]
        if chance < 0.4 and near:
            return self.rng.choice(near)
        return projects[self.rng.choice(self.state.consultants[who].projects(len(projects)))]

    def _line(self) -> Line | None:
        lines = self.state.lines
        if not lines:
            return None
        return lines[self.rng.choice(list(lines))] if len(lines) < 400 else self._one_of_many()

    def _one_of_many(self) -> Line:
        """A line by its place among the ids: choosing must not copy a long list."""
        low, high = next(iter(self.state.lines)), next(reversed(self.state.lines))
        for _ in range(50):
            found = self.state.lines.get(self.rng.randint(min(low, high), max(low, high)))
            if found:
                return found
        return self.state.lines[high]

    def _change_line(self, line: Line, values: dict[str, Any], **changed: Any) -> list[Step]:
        self.state.take(line)
        self.state.put(replace(line, **changed))
        return [Step("write", _LINE, line.id, values)]

    def correct(self, _: date) -> list[Step]:
        """Other hours than first written; fewer when the day is full."""
        line = self._line()
        if not line or line.approved:
            return []
        full = self.state.load[line.employee, line.day] > _FULL - 2
        hours = max(0.25, line.hours + self.rng.choice((-1.0, -0.5) if full else (-1.0, -0.5, 0.5, 1.0, 1.5)))
        return self._change_line(line, {"unit_amount": hours}, hours=hours)

    def redate(self, _: date) -> list[Step]:
        """It was another day."""
        line, day = self._line(), self.rng.choice(self.state.days)
        if not line or line.approved or line.day == day:
            return []
        return self._change_line(line, {"date": day.isoformat()}, day=day)

    def hand_over(self, _: date) -> list[Step]:
        """It was somebody else."""
        line, who = self._line(), self.rng.choice(list(self.state.consultants))
        if not line or line.approved or line.employee == who:
            return []
        return self._change_line(line, {"employee_id": who}, employee=who)

    def move(self, _: date) -> list[Step]:
        """It was another project."""
        line = self._line()
        if not line or line.approved:
            return []
        project = self._project(line.employee)
        if project == line.project:
            return []
        billable = project != self.state.internal
        values: dict[str, Any] = {"project_id": project, "task_id": self.state.projects[project].tasks[-1]}
        values["timesheet_invoice_type"] = "billable_time" if billable else "non_billable"
        return self._change_line(line, values, project=project)

    def delete(self, _: date) -> list[Step]:
        """It never was."""
        line = self._line()
        if not line or line.approved:
            return []
        self.state.take(line)
        return [Step("unlink", _LINE, line.id)]

    def approve(self, _: date) -> list[Step]:
        """A manager approves, or takes an approval back."""
        line = self._line()
        if not line or (line.approved and self.rng.random() < 0.9):
            return []
        return self._change_line(line, {"x_approved": not line.approved}, approved=not line.approved)

    def no_op(self, _: date) -> list[Step]:
        """Somebody saves a form without having changed anything."""
        line = self._line()
        if not line:
            return []
        return [Step("write", _LINE, line.id, {"unit_amount": line.hours})]

    def post(self, today: date) -> list[Step]:
        """An invoice goes out; a new draft takes its place."""
        drafts = [i for i in self.state.invoices.values() if i.draft]
        if len(self.state.invoices) >= _MOST_INVOICES:
            return []
        total = round(self.rng.uniform(2_000, 20_000), 2)
        client = self.rng.choice([p.client for p in self.state.projects.values() if p.client])
        new = Invoice(self.take_id(_MOVE), total, total, "none", draft=True, partner=client)
        unposted = {"state": "draft", "invoice_date": None, "invoice_date_due": None}
        self.state.invoices[new.id] = new
        steps = [Step("create", _MOVE, new.id, move_values("out_invoice", client, total, today, None) | unposted)]
        if drafts:
            drafts[0].draft = False
            steps.append(Step("action_post", _MOVE, drafts[0].id))
        return steps

    def pay(self, today: date) -> list[Step]:
        """A client pays, half the time only a part."""
        due = [i for i in self.state.invoices.values() if not i.draft]
        if not due:
            return []
        invoice = self.rng.choice(due)
        part = self.rng.random() < 0.5
        amount = round(invoice.residual * self.rng.uniform(0.2, 0.6), 2) if part else invoice.residual
        invoice.residual = round(invoice.residual - amount, 2)
        if not invoice.residual:
            del self.state.invoices[invoice.id]
        return [Step("pay", _MOVE, invoice.id, {"amount": amount, "day": today.isoformat()})]

    def dispute(self, today: date) -> list[Step]:
        """A dispute opens, goes on or ends."""
        known = [i for i in self.state.invoices.values() if not i.draft and i.dispute in _NEXT]
        busy = [i for i in known if i.dispute != "none"]
        quiet = [i for i in known if i.dispute == "none"]
        if quiet and len(busy) < _MOST_DISPUTES and (not busy or self.rng.random() < 0.35):
            invoice = self.rng.choice(quiet)
            values: dict[str, Any] = {"x_dispute_date": today.isoformat(), "x_dispute_reason": self.rng.choice(REASONS)}
            values |= {"x_dispute_amount": round(invoice.residual * self.rng.choice((0.3, 0.6, 1.0)), 2)}
        elif busy:
            invoice, values = self.rng.choice(busy), {}
        else:
            return []
        invoice.dispute = self.rng.choice(_NEXT[invoice.dispute])
        return [Step("write", _MOVE, invoice.id, {**values, "x_dispute_state": invoice.dispute})]

    def block(self, _: date) -> list[Step]:
        """An accountant blocks a payment, or lets it go."""
        posted = [i for i in self.state.invoices.values() if not i.draft]
        return [Step("action_toggle_block_payment", _MOVE, self.rng.choice(posted).id)] if posted else []

    def raise_budget(self, _: date) -> list[Step]:
        """More hours for a project that overspent, seldom for another."""
        projects = self.state.open_projects()
        spent = [p for p in projects if self.state.budgets[p].burn > 1.05]
        if not projects or (not spent and self.rng.random() < 0.7):
            return []
        project = self.rng.choice(spent or projects)
        budget = self.state.budgets[project]
        budget.allocated = round(max(budget.allocated * 1.03, budget.hours / 0.97), 2)
        return [Step("write", "project.project", project, {"allocated_hours": budget.allocated})]

    def archive(self, _: date) -> list[Step]:
        """A project goes to the archive, or comes back before another goes."""
        if len(self.state.archived) >= _MOST_ARCHIVED:
            project, active = self.state.archived.pop(0), True
        else:
            project, active = self.rng.choice(self.state.open_projects()), False
            self.state.archived.append(project)
        return [Step("write", "project.project", project, {"active": active})]

    def reach(self, _: date) -> list[Step]:
        """A milestone is reached."""
        if not self.state.milestones:
            return []
        milestone = self.state.milestones.pop(self.rng.randrange(len(self.state.milestones)))
        return [Step("write", "project.milestone", milestone, {"is_reached": True})]

    def expense(self, today: date) -> list[Step]:
        """An expense takes its next step; when all are done somebody hands in a new one."""
        if self.state.expenses:
            expense, state = self.rng.choice(list(self.state.expenses.items()))
            after = "refused" if state == "submitted" and self.rng.random() < 0.2 else _EXPENSE_STEPS[state]
            if after in _EXPENSE_STEPS:
                self.state.expenses[expense] = after
            else:
                del self.state.expenses[expense]
            return [Step("write", "hr.expense", expense, {"state": after})]
        project = self.state.projects[self.rng.choice(self.state.open_projects())]
        expense = self.take_id("hr.expense")
        self.state.expenses[expense] = "draft"
        values = {
            "name": "Train",
            "employee_id": self.rng.choice(list(self.state.consultants)),
            "date": today.isoformat(),
        }
        values |= {"total_amount": round(self.rng.uniform(20, 400), 2)}
        return [
            Step("create", "hr.expense", expense, values | {"analytic_distribution": {str(project.account_id): 100.0}})
        ]

    def order(self, _: date) -> list[Step]:
        """A purchase order is confirmed."""
        waiting = [order for order, state in self.state.orders.items() if state != "purchase"]
        if not waiting:
            return []
        order = self.rng.choice(waiting)
        self.state.orders[order] = "purchase"
        return [Step("button_confirm", "purchase.order", order)]

    def absence(self, today: date) -> list[Step]:
        """A request for leave is decided; when none is left, somebody asks."""
        if self.state.requests:
            leave = self.state.requests.pop(0)
            return [Step("action_refuse" if self.rng.random() < 0.2 else "action_approve", "hr.leave", leave)]
        start = today + timedelta(self.rng.randint(5, 60))
        leave = self.take_id("hr.leave")
        self.state.requests.append(leave)
        values: dict[str, Any] = {"employee_id": self.rng.choice(list(self.state.consultants)), "holiday_status_id": 1}
        values |= {"request_date_from": start.isoformat(), "request_date_to": (start + timedelta(1)).isoformat()}
        return [Step("create", "hr.leave", leave, values)]


def _just_below(budget: Budget) -> bool:
    return any(level - 0.03 < budget.burn < level for level in NEAR)


_MENU: tuple[tuple[Callable[[Chooser, date], list[Step]], float, bool], ...] = (
    (Chooser.log, 40.0, False),
    (Chooser.correct, 18.0, False),
    (Chooser.redate, 3.0, False),
    (Chooser.hand_over, 3.0, False),
    (Chooser.move, 4.0, False),
    (Chooser.delete, 6.0, False),
    (Chooser.approve, 12.0, False),
    (Chooser.no_op, 6.0, False),
    (Chooser.post, 1.5, True),
    (Chooser.pay, 2.0, True),
    (Chooser.dispute, 2.0, True),
    (Chooser.block, 0.5, True),
    (Chooser.raise_budget, 0.5, True),
    (Chooser.archive, 0.05, True),
    (Chooser.reach, 0.3, True),
    (Chooser.expense, 1.0, True),
    (Chooser.order, 0.2, True),
    (Chooser.absence, 0.5, True),
)
"""What can happen, its weight, and whether it keeps its own pace."""
