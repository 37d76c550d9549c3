"""What targets in Odoo share: the record that an alert is about, what is written there, as HTML that nobody can smuggle markup into, and who is asked by when."""

import html
from dataclasses import dataclass
from datetime import date, timedelta

from consumers.core.targets.common import HEADLINE, Common, check_days, check_text, facts, words
from schemas.records import AlertEvent

ODOO = "odoo"
"""The endpoint of all targets in Odoo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InOdoo(Common):
    """What is done in Odoo."""

    @property
    def endpoint(self) -> str:
        """One Odoo, whatever is done there."""
        return ODOO


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand(InOdoo):
    """What somebody in Odoo is asked to do.

    `summary` may have $placeholders, `user` is a login; `deadline_days` count from the alert's day.
    """

    summary: str = HEADLINE
    user: str | None = None
    deadline_days: int

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        Common.__post_init__(self)
        check_days("deadline_days", self.deadline_days)
        check_text("summary", self.summary)

    def deadline(self, alert: AlertEvent) -> date:
        """The day by which it is to be done."""
        return alert["current"]["as_of"] + timedelta(days=self.deadline_days)


def record_of(subject: str) -> tuple[str, int] | None:
    """Model and id of an Odoo key `odoo:<database>:<model>:<id>`; None for any other key."""
    parts = subject.split(":")
    if len(parts) != 4 or parts[0] != "odoo" or not (parts[3].isascii() and parts[3].isdigit()):
        return None
    return parts[2], int(parts[3])


def note(alert: AlertEvent) -> str:
    """The alert's facts as HTML."""
    told = words(alert)
    items = "".join(f"<li>{html.escape(name)}: {html.escape(text)}</li>" for name, text in facts(alert).items())
    return f"<p>{html.escape(told['rule'])}: {html.escape(told['level'])}</p><ul>{items}</ul>"
