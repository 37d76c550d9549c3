"""From an alert to the actions the policy asks for. Pure: the same alert and policy always give the same actions and ids.

An action's id is made of alert, alert status, rule and target, so a redelivered alert never acts twice. What belongs together
at the target over an alert's life (an activity that is opened, changed and closed) shares a `thread`, made without the status.
"""

from dataclasses import dataclass

from consumers.core.policy import Policy
from consumers.core.targets import Target
from schemas.events import deterministic_id
from schemas.records import AlertEvent


@dataclass(frozen=True, slots=True)
class Planned:
    """One action about one alert."""

    action_id: str
    thread: str
    rule: str
    owner: str
    target: Target
    alert: AlertEvent


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
