"""What single models do beyond reading and writing their columns.

`RULES` hold the hooks by model. `METHODS` are the calls that a model answers besides those of every model.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from infra.embedded_odoo import rules_finance, rules_people, rules_sales
from infra.embedded_odoo.errors import OdooError
from infra.embedded_odoo.models import MODEL_IDS
from infra.embedded_odoo.orm import Env, Rule, Values
from infra.embedded_odoo.query import Row
from infra.embedded_odoo.statements import statement


def _new_line(env: Env, values: Values) -> Row:
    """A timesheet takes its employee, accounts, cost and billing from those it names."""
    line = dict(values)
    if line.get("task_id") and not line.get("project_id"):
        line["project_id"] = env.one("project.task", line["task_id"], "project_id")["project_id"]
    if not line.get("project_id"):
        return {}
    if not line.get("employee_id"):
        user = line.get("user_id") or env.uid
        line["employee_id"] = env.scalar("SELECT id FROM hr_employee WHERE user_id = ? AND active = 1", user)
    out = {"project_id": line["project_id"], "employee_id": line["employee_id"]}
    out |= _of_project(env, line["project_id"]) | _of_employee(env, line["employee_id"])
    out |= {key: values[key] for key in ("account_id", "user_id", "department_id", "manager_id") if values.get(key)}
    out.setdefault("timesheet_invoice_type", values.get("timesheet_invoice_type") or "non_billable")
    if "amount" not in values or not values["amount"]:
        out["amount"] = _cost(env, line["employee_id"], line.get("unit_amount"))
    return out


def _changed_line(env: Env, before: Row, values: Values) -> Row:
    out: Row = {}
    after = before | dict(values)
    if not after.get("project_id"):
        return out
    if "project_id" in values:
        out |= _of_project(env, after["project_id"])
        task = after.get("task_id")
        if task and env.one("project.task", task, "project_id")["project_id"] != after["project_id"]:
            out["task_id"] = False
    if "employee_id" in values:
        out |= _of_employee(env, after["employee_id"])
    if "amount" not in values and {"unit_amount", "employee_id", "account_id"} & values.keys():
        out["amount"] = _cost(env, after["employee_id"], after["unit_amount"])
    return out


def _of_project(env: Env, project: int) -> Row:
    return {"account_id": env.one("project.project", project, "account_id")["account_id"]}


def _of_employee(env: Env, employee: Any) -> Row:
    if not employee:
        return {}
    row = env.one("hr.employee", employee, "user_id", "department_id", "parent_id")
    return {"user_id": row["user_id"], "department_id": row["department_id"], "manager_id": row["parent_id"]}


def _cost(env: Env, employee: Any, hours: Any) -> float:
    rate = env.scalar("SELECT hourly_cost FROM hr_employee WHERE id = ?", employee) if employee else 0.0
    return -round(float(hours or 0.0) * float(rate or 0.0), 2)


def sum_tasks(env: Env, *tasks: Any) -> None:
    """A task is stamped when the hours on it change, and only then."""
    for task in {task for task in tasks if task}:
        hours = env.scalar("SELECT COALESCE(SUM(unit_amount), 0) FROM account_analytic_line WHERE task_id = ?", task)
        known = env.scalar("SELECT effective_hours FROM project_task WHERE id = ?", task)
        if known is None or abs(hours - known) > 1e-9:
            env.bump("project.task", task, {"effective_hours": hours})


def _line_touches_tasks(env: Env, record_id: int, before: Row, values: Values) -> None:
    if not before or {"unit_amount", "task_id", "project_id"} & values.keys():
        now = env.scalar("SELECT task_id FROM account_analytic_line WHERE id = ?", record_id)
        sum_tasks(env, before.get("task_id"), now)


def _new_project(env: Env, values: Values) -> Row:
    """A project with timesheets has an analytic account of its own name."""
    if values.get("account_id") or not values.get("allow_timesheets") or not values.get("name"):
        return {}
    account = {"name": values["name"], "partner_id": values.get("partner_id")}
    return {"account_id": env.create("account.analytic.account", account)}


def _keep_timesheets(column: str) -> Callable[[Env, Row], None]:
    def check(env: Env, before: Row) -> None:
        sql = statement("SELECT 1 FROM account_analytic_line WHERE", column, "= ? LIMIT 1")
        if env.scalar(sql, before["id"]):
            raise OdooError(
                "odoo.exceptions.RedirectWarning",
                "Some timesheet entries are weighing down these tasks! Remove them first, "
                "then you\u2019ll be able to delete the tasks!",
            )

    return check


def _milestone_reached(env: Env, before: Row, values: Values) -> Row:
    if "is_reached" not in values or bool(values["is_reached"]) == before["is_reached"]:
        return {}
    return {"reached_date": env.today if values["is_reached"] else False}


def _new_activity(env: Env, values: Values) -> Row:
    """An activity knows its document's model by number and by name."""
    if values.get("res_model_id"):
        number = values["res_model_id"]
        return {"res_model": env.scalar("SELECT model FROM ir_model WHERE id = ?", number)}
    if values.get("res_model"):
        return {"res_model_id": MODEL_IDS.get(values["res_model"], False)}
    return {}


def _action_feedback(env: Env, ids: Sequence[int], feedback: Any = False, **_: Any) -> int:
    done = {"active": False, "date_done": env.today, "feedback": feedback}
    env.write("mail.activity", ids, done)
    return max(ids)


def _set_active(model: str, *, active: bool) -> Callable[..., None]:
    def call(env: Env, ids: Sequence[int]) -> None:
        env.write(model, ids, {"active": active})

    return call


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "account.analytic.line": Rule(
            creating=_new_line,
            writing=_changed_line,
            changed=_line_touches_tasks,
            deleted=lambda env, before: sum_tasks(env, before["task_id"]),
        ),
        "project.project": Rule(creating=_new_project, deleting=_keep_timesheets("project_id")),
        "project.task": Rule(
            creating=lambda env, values: rules_sales.assigned_now(env, {}, values),
            writing=rules_sales.assigned_now,
            deleting=_keep_timesheets("task_id"),
        ),
        "crm.lead": Rule(creating=rules_sales.new_lead),
        "sale.order": Rule(creating=rules_sales.new_order),
        "sale.order.line": Rule(
            creating=rules_sales.new_line, writing=rules_sales.line_amount, changed=rules_sales.sum_order
        ),
        "project.milestone": Rule(writing=_milestone_reached),
        "mail.activity": Rule(creating=_new_activity),
        "hr.employee": Rule(creating=rules_people.new_employee, created=rules_people.link_version),
        "hr.leave": Rule(creating=rules_people.new_leave),
        "account.move": Rule(
            creating=rules_finance.new_move,
            writing=rules_finance.signed_amounts,
            changed=rules_finance.sum_move,
            deleting=rules_finance.keep_posted,
        ),
        "account.move.line": Rule(creating=rules_finance.line_amount),
        "account.payment": Rule(creating=rules_finance.new_payment),
        "account.payment.register": Rule(creating=rules_finance.new_register),
        "purchase.order": Rule(creating=rules_finance.new_order),
        "purchase.order.line": Rule(
            creating=rules_finance.order_line_amount,
            writing=rules_finance.changed_order_line,
            changed=rules_finance.sum_order,
        ),
        "hr.expense": Rule(creating=rules_finance.new_expense),
    },
)

METHODS: Mapping[tuple[str, str], Callable[..., Any]] = MappingProxyType(
    {
        ("mail.activity", "action_feedback"): _action_feedback,
        ("account.move", "action_post"): rules_finance.action_post,
        ("account.move", "button_draft"): rules_finance.button_draft,
        ("account.move", "action_toggle_block_payment"): rules_finance.action_toggle_block_payment,
        ("account.payment.register", "action_create_payments"): rules_finance.action_create_payments,
        ("hr.leave", "action_approve"): rules_people.action_approve,
        ("hr.leave", "action_refuse"): rules_people.action_refuse,
        ("purchase.order", "button_confirm"): rules_finance.button_confirm,
        ("crm.lead", "action_set_lost"): rules_sales.action_set_lost,
        ("crm.lead", "action_set_won"): rules_sales.action_set_won,
        ("crm.lead", "action_unarchive"): rules_sales.action_unarchive,
        ("sale.order", "action_confirm"): rules_sales.action_confirm,
        ("sale.order", "action_cancel"): rules_sales.action_cancel,
        ("project.project", "action_archive"): _set_active("project.project", active=False),
        ("project.project", "action_unarchive"): _set_active("project.project", active=True),
        ("hr.employee", "action_archive"): _set_active("hr.employee", active=False),
        ("hr.employee", "action_unarchive"): _set_active("hr.employee", active=True),
    },
)
