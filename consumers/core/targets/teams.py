"""A message in Teams, by the webhook of a workflow: an adaptive card.

- {target: teams, channel: delivery, text: "$rule at $level"}
"""

from dataclasses import dataclass
from typing import Any, Literal

from consumers.core.targets.chat import Chat, told
from consumers.core.targets.common import filled
from consumers.core.targets.expect import Expect
from schemas.records import AlertEvent

DONE = Expect(status=(200, 202), body=r"(?s)\A(?!.*delivery failed)(?!\s*<)")
"""Teams is known to say in a 200 that it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teams(Chat):
    """Four messages a second are what Teams takes."""

    target: Literal["teams"] = "teams"
    per_second: float | None = 4.0


def message(target: Teams, alert: AlertEvent) -> dict[str, Any]:
    """The message as Teams takes it."""
    rows = [{"title": name, "value": text} for name, text in told(target, alert).items()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": filled(target.text, alert), "weight": "bolder", "wrap": True},
            {"type": "FactSet", "facts": rows},
        ],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}
