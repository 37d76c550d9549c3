"""Everything that is pending, as the topics tell it: actions, duties, freezes, and what one person asked for. Pure.

Invariants: folding the same events again changes nothing; what has ended is not on the board.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from consumers.core.overrides import DUTY, FREEZE, Overridable, counts
from consumers.core.plan import Planned, plan
from consumers.core.policy import Policy
from schemas.records import ActionEvent, AlertEvent, DutyEvent, FreezeEvent

DONE = frozenset({"succeeded", "overridden", "suppressed"})
BY_HAND = {
    "odoo_activity": "enter the activity in Odoo, or keep it on paper until Odoo is back",
    "odoo_task": "enter the task in Odoo, or keep it on paper until Odoo is back",
    "odoo_note": "write the note on the record once Odoo is back",
    "odoo_update": "change the record once Odoo is back",
    "webhook": "tell whoever is behind the webhook",
    "mail": "call, or write the mail from your own",
    "slack": "call, or write it in the channel",
    "teams": "call, or write it in the channel",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that somebody has to do, or to know of."""

    who: str
    what: str
    about: str
    alert: str
    todo: str
    state: str
    since: datetime
    due: datetime | None
    policy: str
    kind: str
    id: str


@dataclass(slots=True)
class Board:
    """What is pending under a policy."""

    policy: Policy
    alerts: dict[str, AlertEvent] = field(default_factory=dict)
    """The latest event of each alert, by its id."""
    actions: dict[str, ActionEvent] = field(default_factory=dict)
    """The latest event of each action, done or not."""
    duties: dict[str, DutyEvent] = field(default_factory=dict)
    freezes: dict[str, FreezeEvent] = field(default_factory=dict)
    asked: dict[str, ActionEvent] = field(default_factory=dict)
    """What one person asked for, and no second has confirmed, by what it is about."""

    _decided: set[str] = field(default_factory=set)
    """What is in effect, told before or after the question: they stand under keys of their own, and so in no order."""

    def alert(self, event: AlertEvent) -> None:
        """Take in an event of an alert."""
        known = self.alerts.get(event["current"]["alert_id"])
        if known is None or known["meta"]["version"] <= event["meta"]["version"]:
            self.alerts[event["current"]["alert_id"]] = event

    def action(self, event: ActionEvent) -> None:
        """Take in an event of an action, or what a person decided about anything."""
        current, identity = event["current"], event["current"]["action_id"]
        if current["status"] == "override_requested":
            if identity not in self._decided:
                self.asked[identity] = event
        elif current["status"] != "overridden":
            known = self.actions.get(identity)
            if known is None or known["current"]["status"] not in DONE:
                self.actions[identity] = event
        elif counts(current, self.policy):
            self.asked.pop(identity, None)
            self._decided.add(identity)
            if current["kind"] == DUTY:
                self.duties.pop(identity, None)
            else:
                self.actions[identity] = event

    def duty(self, event: DutyEvent) -> None:
        """Take in an event of a duty. One that was acknowledged is in hand, whatever its next step."""
        identity = event["current"]["duty_id"]
        if event["current"]["status"] == "closed":
            self.duties.pop(identity, None)
            self.asked.pop(identity, None)
        elif identity not in self._decided:
            self.duties[identity] = event

    def freeze(self, event: FreezeEvent) -> None:
        """Take in an event of a freeze."""
        identity = event["current"]["freeze_id"]
        if event["current"]["status"] == "frozen":
            self.freezes[identity] = event
        else:
            self.freezes.pop(identity, None)
            self.asked.pop(identity, None)

    def overridable(self, identity: str) -> Overridable | None:
        """What a person may decide about under this id; None where nothing is pending under it."""
        asked = self.asked[identity]["current"] if identity in self.asked else None
        if (duty := self.duties.get(identity)) is not None:
            current, meta = duty["current"], duty["meta"]
            return Overridable(
                identity, DUTY, current["policy"], current["alerts"][0]["alert"]["alert_id"], current["assignee"],
                current["assignee"], current["step"], meta["tenant"], meta["company_id"], meta["correlation_id"], asked,
            )  # fmt: skip
        if (freeze := self.freezes.get(identity)) is not None:
            frozen, meta = freeze["current"], freeze["meta"]
            return Overridable(
                identity, FREEZE, frozen["policy"], frozen["alert_id"], frozen["frozen_step"], frozen["owner"], 0,
                meta["tenant"], meta["company_id"], meta["correlation_id"], asked,
            )  # fmt: skip
        if (event := self.actions.get(identity)) is not None and event["current"]["status"] not in DONE:
            action, meta = event["current"], event["meta"]
            return Overridable(
                identity, action["kind"], action["policy"], action["alert_id"], action["target"], action["owner"],
                action["attempt"], meta["tenant"], meta["company_id"], meta["correlation_id"], asked,
            )  # fmt: skip
        planned = next((one for one in self._not_begun() if one.action_id == identity), None)
        if planned is None:
            return None
        meta = planned.alert["meta"]
        return Overridable(
            identity, planned.target.target, planned.rule, planned.alert["current"]["alert_id"], planned.target.label,
            planned.owner, 0, meta["tenant"], meta["company_id"], meta["correlation_id"], asked,
        )  # fmt: skip

    def items(self) -> list[Item]:
        """The worklist: by who has to do it, the oldest first."""
        found = [*self._actions(), *self._duties(), *self._freezes(), *self._seconds()]
        return sorted(found, key=lambda item: (item.who, item.since, item.id))

    def _not_begun(self) -> Iterator[Planned]:
        """Actions of open alerts that nobody has begun: the runner is down, or has not come to them."""
        for alert in self.alerts.values():
            if alert["current"]["status"] != "cleared":
                yield from (one for one in plan(alert, self.policy) if one.action_id not in self.actions)

    def _actions(self) -> Iterator[Item]:
        for identity, event in self.actions.items():
            action = event["current"]
            if action["status"] in DONE:
                continue
            alert = self.alerts.get(action["alert_id"])
            told = f"; {action['detail']}" if action["detail"] else ""
            yield Item(
                who=action["owner"],
                what=f"{action['policy']}/{action['target']}",
                about="" if alert is None else alert["meta"]["subject"],
                alert="" if alert is None else _named(alert),
                todo=BY_HAND.get(action["kind"], f"do what {action['kind']} would"),
                state=f"{action['status']}, attempt {action['attempt']}{told}",
                since=event["meta"]["occurred_at"],
                due=None,
                policy=action["policy"],
                kind=action["kind"],
                id=identity,
            )
        for planned in self._not_begun():
            yield Item(
                who=planned.owner,
                what=f"{planned.rule}/{planned.target.label}",
                about=planned.alert["meta"]["subject"],
                alert=_named(planned.alert),
                todo=BY_HAND.get(planned.target.target, f"do what {planned.target.target} would"),
                state="not begun",
                since=planned.alert["meta"]["occurred_at"],
                due=None,
                policy=planned.rule,
                kind=planned.target.target,
                id=planned.action_id,
            )

    def _duties(self) -> Iterator[Item]:
        for identity, event in self.duties.items():
            duty = event["current"]
            first = duty["alerts"][0]
            more = len(duty["alerts"]) - 1
            yield Item(
                who=duty["assignee"] or "nobody",
                what=f"answer for {duty['policy']}",
                about=first["subject_key"] + (f" and {more} more" if more else ""),
                alert=f"{first['alert']['rule']} {first['alert']['level']}",
                todo="see to it, and acknowledge it",
                state=f"{duty['status']}: {duty['reason']}",
                since=event["meta"]["occurred_at"],
                due=duty["due_at"],
                policy=duty["policy"],
                kind=DUTY,
                id=identity,
            )

    def _freezes(self) -> Iterator[Item]:
        for identity, event in self.freezes.items():
            freeze = event["current"]
            alert = self.alerts.get(freeze["alert_id"])
            yield Item(
                who=freeze["owner"],
                what=f"{freeze['frozen_step']} is frozen",
                about=freeze["subject_key"],
                alert="" if alert is None else _named(alert),
                todo=f"do no {freeze['frozen_step']}; see to the cause, or release it",
                state=f"frozen: {freeze['reason']}",
                since=event["meta"]["occurred_at"],
                due=None,
                policy=freeze["policy"],
                kind=FREEZE,
                id=identity,
            )

    def _seconds(self) -> Iterator[Item]:
        for identity, event in self.asked.items():
            action = event["current"]
            subject = self.overridable(identity)
            if subject is None:
                continue
            alert = self.alerts.get(action["alert_id"])
            yield Item(
                who=subject.owner,
                what=f"confirm {action['override']} of {action['policy']}/{action['target']}",
                about="" if alert is None else alert["meta"]["subject"],
                alert="" if alert is None else _named(alert),
                todo=f"a second person, not {action['decided_by']}, says the same or lets it be",
                state=f"asked for: {action['reason']}",
                since=event["meta"]["occurred_at"],
                due=None,
                policy=action["policy"],
                kind=subject.kind,
                id=identity,
            )


def _named(alert: AlertEvent) -> str:
    return f"{alert['current']['rule']} {alert['current']['level']}"
