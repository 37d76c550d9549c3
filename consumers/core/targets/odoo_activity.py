"""An activity on the Odoo record that the alert is about, kept current, and closed when the alert clears.

- {target: odoo_activity, summary: "Budget: $rule $level", user: responsible, deadline_days: 2}
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from consumers.core.targets.common import HEADLINE, Common, check_days, check_text, filled
from consumers.core.targets.odoo_record import ODOO, note
from schemas.records import AlertEvent

DEFAULT_TYPE = "mail.mail_activity_data_todo"
DEFAULT_DAYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooActivity(Common):
    """What the activity is to say, and who is to do it.

    `activity_type` is an external id, `summary` may have $placeholders, `user` is a login, or `responsible` for the one that the
    record names; `deadline_days` count from the alert's day.
    """

    target: Literal["odoo_activity"] = "odoo_activity"
    activity_type: str = DEFAULT_TYPE
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
        deadline=alert["current"]["as_of"] + timedelta(days=target.deadline_days),
        user=target.user,
    )
