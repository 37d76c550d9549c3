"""Alerts about dead letters, by the tenfold: the first of a kind, the tenth, the hundredth. A storm of ten thousand is told five times. Pure.

Letters that failed alike (same owner, topic, stage, reason and error) are one subject. An alert is raised when the open letters of a subject
reach 1, 10, 100, … in an episode, and says how many there are; a level that was told is not told again before the episode has ended. The episode
ends, and all its alerts are cleared, when none of its letters is open any more. Folding the same letters again gives the same alerts, with the same ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from consumers.core.letter_queue import DECIDED, Group, group_of, identity_of
from schemas.events import deterministic_id, meta
from schemas.records import AlertEvent, DeadLetterEvent, Severity
from schemas.topics import topic

ALERTS = topic("governance.alert.v1")
RULE, SOURCE, KIND, FORMULA = "dead-letter", "burnline.dlq", "dead letters", "dead-letter/1"
CRITICAL = 100
LONGEST = 500


@dataclass(slots=True)
class _Subject:
    episode: int = 0
    open: set[str] = field(default_factory=set)
    told: list[AlertEvent] = field(default_factory=list)


class LetterAlerts:
    """What is open, by what failed alike; and which levels were told."""

    def __init__(self) -> None:
        """Begin without letters."""
        self._subjects: dict[Group, _Subject] = {}
        self._letters: dict[str, tuple[Group, datetime]] = {}

    def fold(self, event: DeadLetterEvent) -> list[AlertEvent]:
        """Take in one letter, or a decision; returns the alerts that follow."""
        identity, current = identity_of(event), event["current"]
        known = self._letters.get(identity)
        if current["status"] in DECIDED:
            return [] if known is None else self._closed(identity, known[0], event)
        if known is not None and current["last_failed_at"] <= known[1]:
            return []  # told twice
        group = group_of(event)
        closed = self._closed(identity, known[0], event) if known is not None and known[0] != group else []
        self._letters[identity] = group, current["last_failed_at"]
        subject = self._subjects.setdefault(group, _Subject())
        if not subject.open:
            subject.episode += 1
            subject.told = []
        subject.open.add(identity)
        return closed + self._raised(group, subject, event)

    def _raised(self, group: Group, subject: _Subject, event: DeadLetterEvent) -> list[AlertEvent]:
        level, many = 10 ** len(subject.told), len(subject.open)
        if many < level:
            return []
        alert = _alert(group, subject.episode, level, many, event)
        subject.told.append(alert)
        return [alert]

    def _closed(self, identity: str, group: Group, event: DeadLetterEvent) -> list[AlertEvent]:
        subject = self._subjects[group]
        subject.open.discard(identity)
        if subject.open or not subject.told:
            return []
        told, subject.told = subject.told, []
        return [_cleared(alert, event) for alert in told]


def subject_of(group: Group) -> str:
    """The key of the alerts about letters that failed alike."""
    return f"burnline:letters:{group.topic}/{group.stage}/{group.reason}/{group.error_class}/{group.owner}"


def _alert(group: Group, episode: int, level: int, many: int, event: DeadLetterEvent) -> AlertEvent:
    subject, at, current = subject_of(group), event["current"]["last_failed_at"], event["current"]
    identity = deterministic_id(RULE, subject, episode, level)
    severity: Severity = "critical" if level >= CRITICAL else "warning"
    made = meta(
        ALERTS, "raised", source=SOURCE, subject=subject, version=2 * (episode * 20 + len(str(level))), occurred_at=at, recorded_at=at,
        mode="derived", tenant=event["meta"]["tenant"], company_id=event["meta"]["company_id"],
        correlation_id=event["meta"]["correlation_id"], causation_id=event["meta"]["event_id"],
    )  # fmt: skip
    made["event_id"] = deterministic_id(identity, "raised")
    return {
        "meta": made,
        "current": {
            "alert_id": identity,
            "rule": RULE,
            "status": "raised",
            "severity": severity,
            "subject_kind": KIND,
            "episode": episode,
            "level": str(level),
            "value": Decimal(many),
            "threshold": Decimal(level),
            "passed": [],
            "values": {
                "topic": group.topic,
                "stage": group.stage,
                "reason": group.reason,
                "latest_error": current["error"][:LONGEST],
            },
            "as_of": at.date(),
            "formula": FORMULA,
            "rules": None,
            "rules_from": None,
            "caused_by": [event["meta"]["event_id"]],
            "owner": group.owner,
            "business_process": group.business_process,
            "runbook": current["runbook"],
            "company_id": event["meta"]["company_id"],
            "revision": 1,
        },
    }


def _cleared(alert: AlertEvent, event: DeadLetterEvent) -> AlertEvent:
    at = event["meta"]["occurred_at"]
    return {
        "meta": {
            **alert["meta"],
            "event_id": deterministic_id(alert["current"]["alert_id"], "cleared"),
            "event_type": ALERTS.event_type("cleared"),
            "occurred_at": at,
            "recorded_at": at,
            "version": alert["meta"]["version"] + 1,
            "causation_id": event["meta"]["event_id"],
        },
        "current": {**alert["current"], "status": "cleared", "value": Decimal(0), "revision": 2},
    }
