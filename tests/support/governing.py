"""A governor under test: it is told what happens, and what it decides is remembered as the shell would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from consumers.core.governor import Decision, Governor
from consumers.core.policy import Policy, Rule
from consumers.core.targets import Log
from consumers.core.trial import remember
from schemas.records import AlertEvent
from tests.support.alerts import alert

PROJECT = "odoo:firm:project.project:7"
START = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)
"""Monday, ten in the morning in Brussels: when the alerts of `tests.support.alerts` occur."""
HOUR = timedelta(hours=1)


def rule(**changed: Any) -> Rule:
    """A rule whose owner has four hours, then an alternate, then operations, then invoicing is frozen."""
    return Rule(**{"name": "burn", "owner": "owner", "then": (Log(),)} | changed)


def raised(subject: str = PROJECT, *, after: timedelta = timedelta(), **changed: Any) -> AlertEvent:
    """An alert that was raised so long after the start."""
    event = alert(subject, **changed)
    event["meta"]["occurred_at"] = START + after
    return event


def cleared(event: AlertEvent) -> AlertEvent:
    """The same alert, cleared."""
    meta = {**event["meta"], "version": event["meta"]["version"] + 1, "event_type": "governance.alert.cleared.v1"}
    return {"meta": meta, "current": {**event["current"], "status": "cleared"}}  # type: ignore[typeddict-item]  # a copy


class Told:
    """What a governor decides, hour by hour."""

    def __init__(self, *rules: Rule, start: datetime = START, **policy: Any) -> None:
        self.governor, self.start = Governor(Policy(rules, **policy)), start
        self.published: list[Decision] = []

    def at(self, hours: float) -> list[tuple[Any, ...]]:
        """Tick, remember what is decided, and say it: status, and assignee or step frozen."""
        self.governor.tick(self.start + hours * HOUR)
        found: list[Decision] = []
        while decisions := self.governor.decide():
            for decision in decisions:
                remember(self.governor, decision)
            found += decisions
        self.published += found
        ids = [decision["meta"]["event_id"] for decision in self.published]
        assert len(ids) == len(set(ids)), "what is remembered is never decided again"
        return [said(decision) for decision in found]


def said(decision: Decision) -> tuple[str, str]:
    """A decision in two words."""
    current: Any = decision["current"]
    return current["status"], current.get("frozen_step", current.get("assignee"))
