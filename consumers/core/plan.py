"""From an alert to the actions the policy asks for. Pure: the same alert and policy always give the same actions and ids.

An action's id is made of alert, alert status, rule and target, so a redelivered alert never acts twice. What belongs together
at the target over an alert's life (an activity that is opened, changed and closed) shares a `thread`, made without the status.
"""

import html
import string
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from consumers.core.plain import number, plain
from consumers.core.policy import Policy, Target
from schemas.events import deterministic_id, rfc3339
from schemas.records import AlertEvent

DEFAULT_SUMMARY = "$rule: $level ($severity)"
DEFAULT_TYPE = "mail.mail_activity_data_todo"
DEFAULT_DAYS = 2


@dataclass(frozen=True, slots=True)
class Planned:
    """One action about one alert."""

    action_id: str
    thread: str
    rule: str
    owner: str
    target: Target
    alert: AlertEvent


@dataclass(frozen=True, slots=True)
class Activity:
    """What an activity in Odoo says. `note` is HTML."""

    model: str
    record_id: int
    activity_type: str
    summary: str
    note: str
    deadline: date
    user: str | None


def plan(alert: AlertEvent, policy: Policy) -> tuple[Planned, ...]:
    """The actions for an alert, in the policy's order."""
    identity, status = alert["current"]["alert_id"], alert["current"]["status"]
    return tuple(
        Planned(
            action_id=deterministic_id("action", identity, status, rule.name, target.label),
            thread=deterministic_id("action-thread", identity, rule.name, target.label),
            rule=rule.name,
            owner=rule.owner,
            target=target,
            alert=alert,
        )
        for rule in policy.rules
        if rule.when.matches(alert)
        for target in rule.then
    )


def record_of(subject: str) -> tuple[str, int] | None:
    """Model and id of an Odoo key `odoo:<database>:<model>:<id>`; None for any other key."""
    parts = subject.split(":")
    if len(parts) != 4 or parts[0] != "odoo" or not (parts[3].isascii() and parts[3].isdigit()):
        return None
    return parts[2], int(parts[3])


def activity(planned: Planned) -> Activity | None:
    """The activity for an alert about an Odoo record; None where its subject is none. The same alert gives the same text."""
    record = record_of(planned.alert["meta"]["subject"])
    if record is None:
        return None
    target, alert = planned.target, planned.alert["current"]
    days = DEFAULT_DAYS if target.deadline_days is None else target.deadline_days
    return Activity(
        model=record[0],
        record_id=record[1],
        activity_type=target.activity_type or DEFAULT_TYPE,
        summary=string.Template(target.summary or DEFAULT_SUMMARY).safe_substitute(_words(planned.alert)),
        note=_note(planned.alert),
        deadline=alert["as_of"] + timedelta(days=days),
        user=target.user,
    )


def cloud_event(alert: AlertEvent) -> dict[str, Any]:
    """The alert as a CloudEvents 1.0 JSON object: decimals as text, days and times as ISO 8601."""
    meta = alert["meta"]
    optional = {"causationid": meta["causation_id"]} if meta["causation_id"] is not None else {}
    return {
        "specversion": "1.0",
        "id": meta["event_id"],
        "type": meta["event_type"],
        "source": meta["source"],
        "subject": meta["subject"],
        "time": rfc3339(meta["occurred_at"]),
        "recordedtime": rfc3339(meta["recorded_at"]),
        "correlationid": meta["correlation_id"],
        **optional,
        "datacontenttype": "application/json",
        "data": plain({"tenant": meta["tenant"], **alert["current"]}),
    }


def _words(alert: AlertEvent) -> dict[str, str]:
    current = alert["current"]
    value, threshold = current["value"], current["threshold"]
    return {
        "rule": current["rule"],
        "level": current["level"],
        "severity": current["severity"],
        "status": current["status"],
        "subject": alert["meta"]["subject"],
        "value": "-" if value is None else number(value),
        "threshold": "-" if threshold is None else number(threshold),
        "as_of": current["as_of"].isoformat(),
        "owner": current["owner"],
    }


def _note(alert: AlertEvent) -> str:
    words, current = _words(alert), alert["current"]
    facts = {
        "Value": words["value"],
        "Line": words["threshold"],
        "As of": words["as_of"],
        **{key.replace("_", " "): text for key, text in sorted(current["values"].items())},
        "Owner": words["owner"],
        "Runbook": current["runbook"],
    }
    items = "".join(f"<li>{html.escape(name)}: {html.escape(text)}</li>" for name, text in facts.items())
    return f"<p>{html.escape(words['rule'])}: {html.escape(words['level'])}</p><ul>{items}</ul>"
