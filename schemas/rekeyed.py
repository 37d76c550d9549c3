"""Events that a topic keeps under other keys than it once did. Pure.

A compacted topic keeps the last record of each key, so what must not hide one another needs keys of their own. What was written before a
rule stood here is told once more under today's key (`burnline topics carry-over`); the old records stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.topics import Topic, topic

Event = Mapping[str, Any]
_KEPT_APART = {"overridden": "override", "override_requested": "override-request"}
"""What a person decided about an action must not hide how it ended, nor a later question the decision."""


def action_subject(action_id: str, status: str) -> str:
    """The key of an event of an action, or of what a person decided about an action, a duty or a freeze."""
    return f"burnline:{_KEPT_APART.get(status, 'action')}:{action_id}"


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """A topic of which some events once had another key; `subject` is the one that an event has today."""

    topic: Topic
    subject: Callable[[Event], str]

    @property
    def old(self) -> Topic:
        """Where the events stand."""
        return self.topic

    @property
    def new(self) -> Topic:
        """Where they are told again: on the same topic."""
        return self.topic

    def upcast(self, event: Event) -> Event | None:
        """The event under today's key, with the id it has; None where it stands under that already."""
        subject = self.subject(event)
        return None if subject == event["meta"]["subject"] else {**event, "meta": {**event["meta"], "subject": subject}}


REKEYED: tuple[Rekeyed, ...] = (
    Rekeyed(
        topic("governance.action.v1"),
        lambda event: action_subject(event["current"]["action_id"], event["current"]["status"]),
    ),
)
