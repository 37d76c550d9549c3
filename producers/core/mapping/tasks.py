"""Tasks, and who is assigned to them: one row makes the task, an assignment for each of its people, and perhaps a change request.

Rules
- A task without a project is private, one of a template is no work: neither makes an event.
- The time planned is the task's own; each person's part is an even share of it.
- Odoo clears a task's milestone, its tags and its people without a stamp where their record is deleted: a sweep sees it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from producers.core.mapping.base import PART, Context, Entity, ModelMapping, Own, Verbs, hours, ids
from producers.core.mapping.change_requests import CHANGE_REQUEST_VERBS, task_change_request
from producers.core.policy import CapturePolicy
from producers.core.values import Row, local_day, minutes, moment, ref, text
from schemas.records import Assignment, AssignmentStatus, Task

STATUS: dict[str, AssignmentStatus] = {
    "01_in_progress": "in_progress",
    "02_changes_requested": "in_progress",
    "03_approved": "in_progress",
    "04_waiting_normal": "waiting",
    "1_done": "done",
    "1_canceled": "cancelled",
}
ENDED = frozenset({"done", "cancelled"})
ASSIGNMENT_VERBS = Verbs({}, first="assigned", gone="unassigned")


def task(row: Row, context: Context, _previous: object) -> Task | None:
    """A task of a project; None for a private one and for a template."""
    project_id = ref(row.get("project_id"))
    if project_id is None or row.get("is_template") or row.get("has_template_ancestor"):
        return None
    return {
        "id": row["id"],
        "name": text(row.get("name")) or "",
        "project_id": project_id,
        "parent_id": ref(row.get("parent_id")),
        "milestone_id": ref(row.get("milestone_id")),
        "order_line_id": ref(row.get("sale_line_id")),
        "status": STATUS.get(str(row["state"]), "in_progress"),
        "planned_minutes": minutes(row.get("allocated_hours")) or None,
        "people": len(row.get("user_ids") or ()),
        "deadline": moment(row.get("date_deadline")),
        "closed_at": moment(row.get("date_end")) if STATUS.get(str(row["state"])) in ENDED else None,
        "active": bool(row["active"]),
        "company_id": _company(row, context),
    }


def _company(row: Row, context: Context) -> int | None:
    company_id = ref(row.get("company_id"))
    project_id = ref(row.get("project_id"))
    if company_id is not None or project_id is None:
        return company_id
    return context.lookups.company_of_project.get(project_id)


def task_verb(previous: Task | None, current: Task | None) -> str:
    """Created, completed, cancelled, reopened, changed or deleted."""
    if current is None:
        return "deleted"
    status = current["status"]
    if previous is None or previous["status"] != status:
        if status in ENDED:
            return "completed" if status == "done" else "cancelled"
        if previous is not None and previous["status"] in ENDED:
            return "reopened"
    return "created" if previous is None else "changed"


def assigned(row: Row) -> Iterable[int]:
    """The logins of a task's people."""
    return row.get("user_ids") or ()


def assignment(row: Row, context: Context, _previous: object) -> Assignment | None:
    """The part of one of the task's people; None for somebody who is not, or no more, one of them."""
    user_id, people = row[PART], row.get("user_ids") or ()
    whole = task(row, context, None)
    if whole is None or user_id not in people:
        return None
    zone = context.lookups.company(whole["company_id"]).timezone
    begin = moment(row.get("planned_date_begin")) or moment(row.get("date_assign"))
    planned, skills = whole["planned_minutes"], context.policy.required_skills_field
    return {
        "task_id": row["id"],
        "task": whole["name"],
        "user_id": user_id,
        "employee_id": context.lookups.employee(user_id, whole["company_id"]),
        "project_id": whole["project_id"],
        "milestone_id": whole["milestone_id"],
        "order_line_id": whole["order_line_id"],
        "status": whole["status"],
        "planned_minutes": _part(planned, len(people)) if planned is not None else None,
        "task_minutes": planned,
        "people": len(people),
        "starts_on": local_day(begin, zone) if begin is not None else None,
        "ends_on": local_day(whole["deadline"], zone) if whole["deadline"] is not None else None,
        "required_skill_ids": sorted(row.get(skills) or ()) if skills is not None else [],
        "company_id": whole["company_id"],
    }


def _part(planned: int, people: int) -> int:
    return int((Decimal(planned) / people).quantize(Decimal(1), ROUND_HALF_UP))


def _needs(row: Row) -> Iterable[tuple[str, int | None]]:
    yield "company_of_project", ref(row.get("project_id"))
    for user_id in assigned(row):
        yield "employees_of_user", user_id
    for tag_id in row.get("tag_ids") or ():
        yield "task_tags", tag_id


def tasks(policy: CapturePolicy) -> ModelMapping:
    """The mapping of tasks; the field of demanded skills that the firm named must exist."""
    skills = policy.required_skills_field
    return ModelMapping(
        model="project.task",
        module="project",
        fields=("name", "project_id", "state", "active"),
        own=(Own(skills, ("many2many",), relation="hr.skill"),) if skills else (),
        optional=(
            "user_ids", "allocated_hours", "parent_id", "milestone_id", "sale_line_id", "sale_order_id", "partner_id", "tag_ids",
            "date_deadline", "date_assign", "planned_date_begin", "date_end", "is_template", "has_template_ancestor",
            "company_id", "create_uid", "write_uid",
        ),
        entities=(
            Entity("delivery.task.v1", task, task_verb),
            Entity("delivery.assignment.v1", assignment, ASSIGNMENT_VERBS, parts=assigned),
            Entity("delivery.change-request.v1", task_change_request, CHANGE_REQUEST_VERBS),
        ),
        where=(("project_id", "!=", False), ("has_template_ancestor", "=", False)),
        uses=("companies", "company_of_project", "employees_of_user", "task_tags"),
        needs=_needs,
        sums=(
            hours("allocated_hours", "planned_minutes"), ids("project_id"), ids("parent_id"), ids("milestone_id"),
            ids("sale_line_id", "order_line_id"),
        ),
        hot=True,
    )  # fmt: skip
