"""An activity on the Odoo record that the alert is about, kept current, and closed when the alert clears.

- {target: odoo_activity, summary: "Budget: $rule $level", user: responsible, deadline_days: 2}
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from consumers.core.targets.common import filled
from consumers.core.targets.odoo_record import Errand, note
from schemas.records import AlertEvent

DEFAULT_TYPE = "mail.mail_activity_data_todo"
DEFAULT_DAYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooActivity(Errand):
    """What the activity is to say, and who is to do it: `activity_type` is an external id, `user` may be `responsible`, for the one that the record names."""

    target: Literal["odoo_activity"] = "odoo_activity"
    activity_type: str = DEFAULT_TYPE
    deadline_days: int = DEFAULT_DAYS


@dataclass(frozen=True, slots=True)
class Activity:
    """What an activity says. `note` is HTML."""

    activity_type: str
    summary: str
    note: str
    deadline: date
    user: str | None


def activity(target: OdooActivity, alert: AlertEvent) -> Activity:
    """The activity for an alert. The same alert gives the same text."""
    return Activity(
        activity_type=target.activity_type,
        summary=filled(target.summary, alert),
        note=note(alert),
        deadline=target.deadline(alert),
        user=target.user,
    )
