"""A note in the chatter of the Odoo record that the alert is about: one when it is raised, one for each change, one when it clears.

- {target: odoo_note, text: "$rule: $status at $level"}
"""

import html
from dataclasses import dataclass
from typing import Literal

from consumers.core.targets.common import Common, check_text, filled
from consumers.core.targets.odoo_record import InOdoo, note
from schemas.records import AlertEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooNote(InOdoo):
    """`text`, which may have $placeholders, stands before the alert's facts."""

    target: Literal["odoo_note"] = "odoo_note"
    text: str = "$rule: $status at $level ($severity)"

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        Common.__post_init__(self)
        check_text("text", self.text)


def body(target: OdooNote, alert: AlertEvent) -> str:
    """The note as HTML."""
    return f"<p>{html.escape(filled(target.text, alert))}</p>{note(alert)}"
