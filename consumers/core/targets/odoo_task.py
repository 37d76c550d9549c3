"""A task in Odoo about the alert, kept current, and done when the alert clears.

- {target: odoo_task, project: my_module.internal_project, summary: "$rule at $level", user: boss@example.com, deadline_days: 3}
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from consumers.core.targets.common import HEADLINE, Common, check_days, check_text, filled
from consumers.core.targets.odoo_record import ODOO, note
from schemas.records import AlertEvent

DEFAULT_DAYS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooTask(Common):
    """What the task is to say, where it is made, and who is to do it.

    `project` is an external id; without one the task is made in the project that the alert is about. `summary` may have $placeholders,
    `user` is a login; `deadline_days` count from the alert's day.
    """

    target: Literal["odoo_task"] = "odoo_task"
    project: str | None = None
    summary: str = HEADLINE
    user: str | None = None
    deadline_days: int = DEFAULT_DAYS

    @property
    def endpoint(self) -> str:
        """One Odoo, whatever is done there."""
        return ODOO

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        Common.__post_init__(self)
        check_days("deadline_days", self.deadline_days)
        check_text("summary", self.summary)


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
        deadline=alert["current"]["as_of"] + timedelta(days=target.deadline_days),
    )
