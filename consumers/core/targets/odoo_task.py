"""A task in Odoo about the alert, kept current, and done when the alert clears.

- {target: odoo_task, project: my_module.internal_project, summary: "$rule at $level", user: boss@example.com, deadline_days: 3}
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from consumers.core.targets.common import filled
from consumers.core.targets.odoo_record import Errand, note
from schemas.records import AlertEvent

DEFAULT_DAYS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooTask(Errand):
    """What the task is to say, where it is made, and who is to do it.

    `project` is an external id; without one the task is made in the project that the alert is about.
    """

    target: Literal["odoo_task"] = "odoo_task"
    project: str | None = None
    deadline_days: int = DEFAULT_DAYS


@dataclass(frozen=True, slots=True)
class Task:
    """What a task says. `description` is HTML."""

    name: str
    description: str
    deadline: date


def task(target: OdooTask, alert: AlertEvent) -> Task:
    """The task for an alert. The same alert gives the same text."""
    return Task(
        name=filled(target.summary, alert),
        description=note(alert),
        deadline=target.deadline(alert),
    )
