"""Projects, their milestones and tasks, and who is assigned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streams.core import kinds
from streams.core.contract import Contribution
from streams.core.contracts import unscaled
from streams.core.days import local_day
from streams.core.routes.difference import BUDGET_BURN, EMPLOYEE, PROJECT, Counted, by_difference


def _project(project: Any, system: str) -> Counted:
    kept = ("company_id", "client_id", "manager_id", "currency", "timezone", "budget_minutes", "active")
    cost = project["budget_cost"]
    fields = {"project_id": project["id"], "budget_cost": None if cost is None else unscaled(cost)}
    return {f"{system}{PROJECT}:{project['id']}": {**fields, **{name: project[name] for name in kept}}}


def projects(event: Any) -> Iterator[Contribution]:
    """A project's units hold from the day of the event on."""
    for contribution_ in by_difference(BUDGET_BURN, kinds.PROJECT, _project)(event):
        entry = contribution_.entry
        entry["from_day"] = local_day(event["meta"]["occurred_at"], entry["timezone"])
        yield contribution_


def milestone(milestone: Any, system: str) -> Counted:
    """A milestone's share of its project, and whether it is reached."""
    share = milestone["share"]
    fields = {"reached": milestone["reached"], "share": None if share is None else unscaled(share)}
    return {f"{system}{PROJECT}:{milestone['project_id']}": fields}


def assignment(assignment: Any, system: str) -> Counted:
    """Who works on which project: what a consultant costs is part of the project's budget."""
    employee = assignment["employee_id"]
    if employee is None or assignment["status"] == "cancelled":
        return {}
    numbers = {"project_id": assignment["project_id"]}
    return {f"{system}{EMPLOYEE}:{employee}": {"kind": "assignment", "numbers": numbers, "words": {}, "lists": {}}}


def task(task: Any, system: str) -> Counted:
    """What a task plans of its project, and whether it is done. What was cancelled or put away plans nothing."""
    minutes = task["planned_minutes"]
    if task["status"] == "cancelled" or not task["active"] or minutes is None or minutes <= 0:
        return {}
    numbers = {"minutes": minutes, "done": int(task["status"] == "done")}
    return {f"{system}{PROJECT}:{task['project_id']}": {"kind": "task", "numbers": numbers, "words": {}, "lists": {}}}
