"""The events of a duty and of a freeze: what a policy rule asks of whom, and what must wait meanwhile.

Ids are made of the rule and the first alert, versions of the step, so that the same decision always has the same event.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeGuard

from consumers.core.approvals import subject_of
from schemas.events import deterministic_id, meta
from schemas.records import AlertEvent, Duty, DutyAlert, DutyEvent, Freeze, FreezeEvent
from schemas.topics import topic

DUTIES = topic("governance.duty.v1")
FREEZES = topic("governance.freeze.v1")
SOURCE = "burnline.governor"
MISSED, CLEARED = "service level missed", "cleared"


def is_freeze(event: DutyEvent | FreezeEvent) -> TypeGuard[FreezeEvent]:
    """Whether an event is about a freeze."""
    return "freeze_id" in event["current"]


def is_duty(event: DutyEvent | FreezeEvent) -> TypeGuard[DutyEvent]:
    """Whether an event is about a duty."""
    return not is_freeze(event)


def duty_id(rule: str, first: AlertEvent) -> str:
    """The identity of what a rule asks about an alert, or about the group that it begins."""
    return deterministic_id("duty", rule, first["current"]["alert_id"])


def freeze_id(duty: str, step: str, alert_id: str) -> str:
    """The identity of a freeze: a duty may hold up several entities."""
    return deterministic_id("freeze", duty, step, alert_id)


def about(alert: AlertEvent) -> DutyAlert:
    """An alert as a duty carries it."""
    told = alert["meta"]
    return {
        "subject_key": told["subject"],
        "event_id": told["event_id"],
        "correlation_id": told["correlation_id"],
        "version": told["version"],
        "occurred_at": told["occurred_at"],
        "tenant": told["tenant"],
        "alert": alert["current"],
    }


def alert_event(carried: DutyAlert, source: str) -> AlertEvent:
    """The alert again, as an event. `source` is that of the duty."""
    alert = carried["alert"]
    return {
        "meta": {
            "event_id": carried["event_id"],
            "event_type": f"governance.alert.{alert['status']}.v1",
            "source": source,
            "subject": carried["subject_key"],
            "occurred_at": carried["occurred_at"],
            "recorded_at": carried["occurred_at"],
            "version": carried["version"],
            "correlation_id": carried["correlation_id"],
            "causation_id": None,
            "mode": "derived",
            "tenant": carried["tenant"],
            "company_id": alert["company_id"],
        },
        "current": alert,
    }


def duty_event(
    identity: str,
    rule: str,
    version: int,
    *,
    step: int,
    status: Literal["assigned", "escalated", "closed"],
    assignee: str,
    reason: str,
    alerts: Sequence[AlertEvent],
    at: datetime,
    due_at: datetime | None,
) -> DutyEvent:
    """A duty reached a step, or is closed. `version` is the policy's."""
    first = alerts[0]["meta"]
    current: Duty = {
        "duty_id": identity,
        "policy": rule,
        "policy_version": version,
        "step": step,
        "status": status,
        "assignee": assignee,
        "reason": reason,
        "alerts": [about(alert) for alert in alerts],
        "due_at": due_at,
    }
    return {
        "meta": meta(
            DUTIES,
            status,
            source=SOURCE,
            subject=f"burnline:duty:{identity}",
            version=2 * step + (2 if status == "closed" else 1),
            occurred_at=at,
            recorded_at=at,
            mode="derived",
            tenant=first["tenant"],
            company_id=alerts[0]["current"]["company_id"],
            correlation_id=first["correlation_id"],
            causation_id=first["event_id"],
        ),
        "current": current,
    }


def frozen(duty: DutyEvent, step: str, alert: AlertEvent, owner: str) -> FreezeEvent:
    """A step must not be done about what an alert is about."""
    current = duty["current"]
    return _freeze_event(
        {
            "freeze_id": freeze_id(current["duty_id"], step, alert["current"]["alert_id"]),
            "subject_key": subject_of(alert),
            "frozen_step": step,
            "status": "frozen",
            "duty_id": current["duty_id"],
            "policy": current["policy"],
            "alert_id": alert["current"]["alert_id"],
            "owner": owner,
            "reason": current["reason"],
            "released_by": None,
        },
        duty,
        duty["meta"]["occurred_at"],
    )


def released(freeze: FreezeEvent, reason: str, by: str | None, at: datetime) -> FreezeEvent:
    """The step may be done again."""
    return _freeze_event({**freeze["current"], "status": "released", "reason": reason, "released_by": by}, freeze, at)


def _freeze_event(current: Freeze, cause: DutyEvent | FreezeEvent, at: datetime) -> FreezeEvent:
    status = "frozen" if current["status"] == "frozen" else "released"
    return {
        "meta": meta(
            FREEZES,
            status,
            source=SOURCE,
            subject=f"burnline:freeze:{current['freeze_id']}",
            version=1 if status == "frozen" else 2,
            occurred_at=at,
            recorded_at=at,
            mode="derived",
            tenant=cause["meta"]["tenant"],
            company_id=cause["meta"]["company_id"],
            correlation_id=cause["meta"]["correlation_id"],
            causation_id=cause["meta"]["event_id"],
        ),
        "current": current,
    }
