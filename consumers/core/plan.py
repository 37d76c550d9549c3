"""From an alert, or a duty, to the actions the policy asks for. Pure: the same event and policy always give the same actions and ids.

An action's id is made of alert, alert status, rule and target, so a redelivered alert never acts twice; an alert may change several times, and
each change has actions of its own, made of the event. What belongs together
at the target over an alert's life (an activity that is opened, changed and closed) shares a `thread`, made without the status.

Who decides
- An alert is acted upon at once by the rules that need nothing but the alert. The others act when the governor says so, in a duty.
- A duty about one alert gives the owner's actions the ids that the alert itself would give, so that a rule which waits from now on
  does not act again about what it has acted upon. Of a group, and of each step of the chain, the ids are the duty's.
- When a duty is closed, whatever its steps have done is told that it cleared.
"""

from __future__ import annotations

from dataclasses import dataclass

from consumers.core.approvals import is_request
from consumers.core.duties import alert_event
from consumers.core.policy import Policy, Rule
from consumers.core.targets import Target
from schemas.events import deterministic_id
from schemas.records import AlertEvent, DutyEvent

ALSO = 20
"""So many other alerts of a group are named."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One action about one alert; of a group, about its first."""

    action_id: str
    thread: str
    rule: str
    owner: str
    target: Target
    alert: AlertEvent
    otherwise: tuple[Target, ...] = ()


def instead(given_up: Planned, why: str) -> tuple[Planned, ...]:
    """The actions that tell the owner of one that was given up, or may have been done; they have nobody to be told of themselves."""
    alert = given_up.alert
    values = {**alert["current"]["values"], "not_done": f"{given_up.rule}/{given_up.target.label}: {why}"}
    told: AlertEvent = {"meta": alert["meta"], "current": {**alert["current"], "values": values}}
    return tuple(
        Planned(
            action_id=deterministic_id("otherwise", given_up.action_id, target.label),
            thread=deterministic_id("otherwise-thread", given_up.thread, target.label),
            rule=given_up.rule,
            owner=given_up.owner,
            target=target,
            alert=told,
        )
        for target in given_up.otherwise
    )


def plan(alert: AlertEvent, policy: Policy) -> tuple[Planned, ...]:
    """The actions for an alert that nobody has to wait for, in the policy's order."""
    return tuple(
        _of_alert(alert, rule, target)
        for rule in policy.rules
        if not policy.needs_governor(rule) and rule.when.matches(alert)
        for target in rule.then
    )


def plan_duty(duty: DutyEvent, policy: Policy) -> tuple[Planned, ...]:
    """The actions for a duty that was assigned, went a step on, or is closed. None where its rule, or its step, is not in the policy."""
    current = duty["current"]
    rule = policy.rule(current["policy"])
    closed = current["status"] == "closed"
    if rule is None or current["status"] == "unknown" or (closed and "cleared" not in rule.when.status):
        return ()
    alert = _first(duty, cleared=closed)
    acted_at_once = not policy.needs_governor(rule) and not is_request(alert)
    steps = range(1 if acted_at_once else 0, current["step"] + 1) if closed else [current["step"]]
    return tuple(
        _of_alert(alert, rule, target)
        if step == 0 and rule.group is None
        else _of_step(duty, step, alert, rule, target)
        for step in steps
        if not (step == 0 and acted_at_once)
        for target in _targets(rule, step)
    )


def _of_alert(alert: AlertEvent, rule: Rule, target: Target) -> Planned:
    identity, status = alert["current"]["alert_id"], alert["current"]["status"]
    which = (alert["meta"]["event_id"],) if status == "changed" else ()
    return Planned(
        action_id=deterministic_id("action", identity, status, *which, rule.name, target.label),
        thread=deterministic_id("action-thread", identity, rule.name, target.label),
        rule=rule.name,
        owner=rule.owner,
        target=target,
        alert=alert,
        otherwise=rule.otherwise,
    )


def _of_step(duty: DutyEvent, step: int, alert: AlertEvent, rule: Rule, target: Target) -> Planned:
    identity, status = duty["current"]["duty_id"], alert["current"]["status"]
    return Planned(
        action_id=deterministic_id("action", identity, step, status, target.label),
        thread=deterministic_id("action-thread", identity, step, target.label),
        rule=rule.name,
        owner=rule.owner,
        target=target,
        alert=alert,
        otherwise=rule.otherwise,
    )


def _targets(rule: Rule, step: int) -> tuple[Target, ...]:
    if step == 0:
        return rule.then
    return rule.chain[step - 1].then if step <= len(rule.chain) else ()


def _first(duty: DutyEvent, *, cleared: bool) -> AlertEvent:
    """The first alert of a duty, with what the duty adds to it among its values."""
    current = duty["current"]
    first, *others = [alert_event(carried, duty["meta"]["source"]) for carried in current["alerts"]]
    told = {"assignee": current["assignee"], "because": current["reason"]}
    if others:
        named = ", ".join(other["meta"]["subject"] for other in others[:ALSO])
        told["also"] = named + (f" and {len(others) - ALSO} more" if len(others) > ALSO else "")
    at = duty["meta"]["occurred_at"]
    meta = first["meta"] | {"occurred_at": at, "recorded_at": at}  # it is news now, however long it had to wait
    if cleared:
        meta["event_type"] = "governance.alert.cleared.v1"
    values = {**first["current"]["values"], **{name: text for name, text in told.items() if text}}
    status = "cleared" if cleared else first["current"]["status"]
    return {"meta": meta, "current": {**first["current"], "status": status, "values": values}}
