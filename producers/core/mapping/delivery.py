"""Projects, timesheets and milestones.

Rules
- A timesheet is an analytic line with a project; one that loses its project is deleted.
- Approved and unapproved never look alike: becoming approved and ceasing to be are the first thing a change says.
- Work happened when its day ended in the company's time zone, whenever it was written down.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from producers.core.mapping.base import Context, Entity, ModelMapping, Own, Period, amount, figure, hours, ids, word
from producers.core.policy import ApprovedRule, CapturePolicy
from producers.core.values import Row, day, end_of, label, minutes, money, needed_day, needed_ref, ref, share, text
from schemas.records import Milestone, Project, Timesheet, TimesheetStatus

UNSAID = "to_define"
CLOSED = "done"


def project(row: Row, context: Context, _previous: object) -> Project | None:
    """A project; None for a template."""
    if row.get("is_template"):
        return None
    company_id = ref(row.get("company_id"))
    company = context.lookups.company(company_id)
    budget_field = context.policy.cost_budget_field
    budget = row.get(budget_field) if budget_field else None
    status = text(row.get("last_update_status"))
    return {
        "id": row["id"],
        "name": text(row.get("name")) or "",
        "client_id": ref(row.get("partner_id")),
        "manager_id": ref(row.get("user_id")),
        "company_id": company_id,
        "currency": company.currency,
        "timezone": company.timezone,
        "account_id": ref(row.get("account_id")),
        "budget_minutes": minutes(row.get("allocated_hours")) or None,
        "budget_cost": money(budget) if budget else None,
        "starts_on": day(row.get("date_start")),
        "ends_on": day(row.get("date")),
        "active": bool(row["active"]),
        "status": None if status == UNSAID else status,
        "project_type": label(row.get(context.policy.project_type_field or "")),
    }


def _is_open(state: Project) -> bool:
    return state["active"] and state["status"] != CLOSED


def project_verb(previous: Project | None, current: Project | None) -> str:
    """Created, closed (archived, or its status is done), activated again, changed or deleted."""
    if current is None:
        return "deleted"
    if previous is None:
        return "created" if _is_open(current) else "closed"
    if _is_open(previous) != _is_open(current):
        return "activated" if _is_open(current) else "closed"
    return "changed"


def approved(row: Row, rule: ApprovedRule) -> bool:
    """Whether the firm's rule holds for a line."""
    value = row.get(rule.field)
    return value in rule.values if rule.values else bool(value)


def _status(row: Row, rule: ApprovedRule) -> TimesheetStatus:
    if row.get("timesheet_invoice_id"):
        return "invoiced"
    if approved(row, rule):
        return "approved"
    return "submitted" if row.get(rule.field) in rule.submitted else "logged"


def timesheet(row: Row, context: Context, _previous: object) -> Timesheet | None:
    """An analytic line as time worked; None for one without a project."""
    project_id = ref(row.get("project_id"))
    if project_id is None:
        return None
    rule = context.policy.approved
    billable_type = text(row.get("timesheet_invoice_type"))
    company_id = ref(row.get("company_id"))
    company = context.lookups.company(company_id)
    return {
        "id": row["id"],
        "employee_id": ref(row.get("employee_id")),
        "user_id": ref(row.get("user_id")),
        "project_id": project_id,
        "task_id": ref(row.get("task_id")),
        "company_id": company_id,
        "date": needed_day(row, "date"),
        "minutes": minutes(row.get("unit_amount")),
        "billable": (billable_type or "").startswith("billable"),
        "billable_type": billable_type,
        "leave": bool(row.get("holiday_id") or row.get("global_leave_id")),
        "approved": approved(row, rule),
        "status": _status(row, rule),
        "cost": -money(row.get("amount")),
        "currency": context.lookups.currency(row.get("currency_id")) or company.currency,
        "invoice_id": ref(row.get("timesheet_invoice_id")),
        "order_line_id": ref(row.get("so_line")),
    }


def timesheet_verb(previous: Timesheet | None, current: Timesheet | None) -> str:
    """Approval first, then billing, then hand-in; everything else is a correction."""
    if current is None:
        return "deleted"
    was = previous if previous is not None else {"approved": False, "invoice_id": None, "status": "logged"}
    if current["approved"] != was["approved"]:
        return "approved" if current["approved"] else "reopened"
    if current["invoice_id"] is not None and was["invoice_id"] is None:
        return "invoiced"
    if current["status"] == "submitted" and was["status"] != "submitted":
        return "submitted"
    return "logged" if previous is None else "corrected"


def timesheet_occurred(_row: Row, _previous: object, current: Timesheet, context: Context) -> datetime:
    """The end of the day worked, in the company's time zone."""
    return end_of(current["date"], context.lookups.company(current["company_id"]).timezone)


def milestone(row: Row, context: Context, _previous: object) -> Milestone:
    """A milestone; its company is its project's."""
    project_id = needed_ref(row, "project_id")
    part = share(row.get("quantity_percentage"))
    return {
        "id": row["id"],
        "name": text(row.get("name")) or "",
        "project_id": project_id,
        "deadline": day(row.get("deadline")),
        "reached": bool(row["is_reached"]),
        "reached_on": day(row.get("reached_date")) if row["is_reached"] else None,
        "share": part or None,
        "company_id": context.lookups.company_of_project.get(project_id),
    }


def milestone_verb(previous: Milestone | None, current: Milestone | None) -> str:
    """Planned, reached, reopened, changed or deleted."""
    if current is None:
        return "deleted"
    if current["reached"] != (previous is not None and previous["reached"]):
        return "reached" if current["reached"] else "reopened"
    return "planned" if previous is None else "changed"


def _project_needed(row: Row) -> Iterable[tuple[str, int | None]]:
    yield "company_of_project", ref(row.get("project_id"))


def timesheets(policy: CapturePolicy) -> ModelMapping:
    """The mapping of timesheets under the firm's rule for approved time; a field that the firm named must exist."""
    rule = policy.approved
    said = (*rule.values, *rule.submitted)
    own = Own(rule.field, ("selection", "char") if said else (), said)
    return ModelMapping(
        model="account.analytic.line",
        module="hr_timesheet",
        fields=("project_id", "date", "unit_amount", "amount", "company_id"),
        own=(own,) if rule.field != ApprovedRule().field else (),
        optional=(
            "employee_id", "user_id", "task_id", "currency_id", "timesheet_invoice_type", "timesheet_invoice_id",
            "so_line", "holiday_id", "global_leave_id",
        ),
        entities=(Entity("delivery.timesheet.v1", timesheet, timesheet_verb, timesheet_occurred),),
        where=(("project_id", "!=", False),),
        uses=("companies",),
        sums=(
            amount("amount", "cost", sign=-1), hours("unit_amount", "minutes"), ids("employee_id"), ids("project_id"),
            ids("task_id"), ids("user_id"), ids("so_line", "order_line_id"), ids("timesheet_invoice_id", "invoice_id"),
        ),
        period=Period("date", "date"),
        hot=True,
    )  # fmt: skip


def projects(policy: CapturePolicy) -> ModelMapping:
    """The mapping of projects, with the firm's own fields where it names them."""
    return ModelMapping(
        model="project.project",
        module="project",
        fields=("name", "active"),
        own=(*figure(policy.cost_budget_field), *word(policy.project_type_field)),
        optional=(
            "allocated_hours", "account_id", "partner_id", "user_id", "company_id", "date_start", "date",
            "last_update_status", "is_template",
        ),
        entities=(Entity("delivery.project.v1", project, project_verb),),
        where=(("is_template", "=", False),),
        uses=("companies",),
        sums=(
            hours("allocated_hours", "budget_minutes"), ids("partner_id", "client_id"), ids("user_id", "manager_id"),
            ids("account_id"), ids("company_id"),
        ),
        hot=True,
    )  # fmt: skip


MILESTONE = ModelMapping(
    model="project.milestone",
    module="project",
    fields=("name", "project_id", "is_reached"),
    optional=("deadline", "reached_date", "quantity_percentage"),
    entities=(Entity("delivery.milestone.v1", milestone, milestone_verb),),
    uses=("company_of_project",),
    needs=_project_needed,
    sums=(ids("project_id"),),
    period=Period("deadline", "deadline"),
    hot=True,
)
