"""A message in Slack, by an incoming webhook.

- {target: slack, channel: delivery, text: "$rule at $level"}
"""

from dataclasses import dataclass
from typing import Any, Literal

from consumers.core.targets.chat import Chat, told
from consumers.core.targets.common import filled
from consumers.core.targets.expect import Expect
from schemas.records import AlertEvent

DONE = Expect(status=(200,), body=r"\Aok\s*\Z")
"""Slack says so, and nothing else, when it took a message."""
LONGEST = 2900


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack(Chat):
    """One message a second is what Slack takes."""

    target: Literal["slack"] = "slack"
    per_second: float | None = 1.0


def message(target: Slack, alert: AlertEvent) -> dict[str, Any]:
    """The message as Slack takes it; nothing of the alert is markup there."""
    headline = _plain(filled(target.text, alert))
    lines = "\n".join(f"*{_plain(name)}* {_plain(text)}" for name, text in told(target, alert).items())
    sections = [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in (headline, lines[:LONGEST])]
    return {"text": headline, "blocks": sections}


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")[:LONGEST]
