"""The Odoo record that an alert is about, and what is written there, as HTML that nobody can smuggle markup into."""

import html

from consumers.core.targets.common import facts, words
from schemas.records import AlertEvent

ODOO = "odoo"
"""The endpoint of all targets in Odoo."""


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
