"""Whose turn it is: from alerts, requests for approval and the clock to duties and freezes. Pure.

A duty is what one policy rule asks of somebody about an alert, or about a group of them. It begins with the owner; whoever has not answered
by the service level is followed by the next in the rule's chain, until a step freezes what is downstream. Clearing ends all of it.

Rules
- A duty begins once nothing holds it back: quiet hours, a snooze, the time in which a group gathers. What clears meanwhile is never told.
- The time of a step begins when the step before it was told, and runs outside quiet hours only. So nobody is passed over because we were down,
  and a day's outage costs one step, not the chain. A request that names its own deadline is not given longer than that.
- Nobody is told in quiet hours; a step that freezes tells nobody, and does not wait.
- A name behind which a person stands who has left is passed over, and the reason says so.
- A person who acknowledges a duty stops its chain. A freeze ends when its alert clears, or when a person releases it.

Invariants
- `decide` depends on what was folded, in whatever order, and on the last tick; what it returns has deterministic ids. Once that is folded, too,
  `decide` returns it never again. So whoever emits, then remembers, says everything once, whatever happens in between.
- Folding an event twice, or one older than its subject's newest, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from consumers.core.approvals import is_request, subject_of
from consumers.core.directory import Attributes, Directory
from consumers.core.duties import CLEARED, MISSED, alert_event, duty_event, duty_id, frozen, released
from consumers.core.groups import grouped
from consumers.core.overrides import counts
from consumers.core.policy import Policy, Rule
from schemas.records import Action, AlertEvent, DutyEvent, FreezeEvent

Decision = DutyEvent | FreezeEvent


@dataclass(slots=True)
class Governor:
    """What is known, and what follows from it at the last tick."""

    policy: Policy
    directory: Directory = field(default_factory=Directory)
    now: datetime | None = None
    open: dict[str, AlertEvent] = field(default_factory=dict)
    """Alerts in force, by id."""
    duties: dict[str, DutyEvent] = field(default_factory=dict)
    """Duties that are not closed, by id: their last event."""
    freezes: dict[str, FreezeEvent] = field(default_factory=dict)
    """Freezes in force, by id."""
    _began: dict[str, datetime] = field(default_factory=dict)
    _cleared: dict[str, AlertEvent] = field(default_factory=dict)
    _asked: dict[str, dict[str, str]] = field(default_factory=dict)
    """The duty of each rule about an alert, by the alert's id."""
    _told: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _versions: dict[tuple[str, str], int] = field(default_factory=dict)
    _acknowledged: set[str] = field(default_factory=set)
    _releases: dict[str, Action] = field(default_factory=dict)

    def tick(self, at: datetime) -> None:
        """The clock reached this instant."""
        self.now = at if self.now is None else max(self.now, at)

    def alert(self, event: AlertEvent) -> None:
        """An alert was raised, changed or cleared, or a request for approval stands so."""
        identity, place = event["current"]["alert_id"], (event["meta"]["source"], event["meta"]["subject"])
        if event["meta"]["version"] <= self._versions.get(place, -1):
            return
        self._versions[place] = event["meta"]["version"]
        if event["current"]["status"] == "cleared":
            self.open.pop(identity, None)
            self._began.pop(identity, None)
            if identity in self._asked:
                self._cleared[identity] = event
        else:
            self.open[identity] = event
            self._began.setdefault(identity, event["meta"]["occurred_at"])

    def duty(self, event: DutyEvent) -> None:
        """A duty that was published stands so."""
        current, identity = event["current"], event["current"]["duty_id"]
        before = self.duties.get(identity)
        if before is not None and before["meta"]["version"] >= event["meta"]["version"]:
            return
        if current["status"] == "closed":
            self._forget(identity, current["policy"])
            return
        self.duties[identity] = event
        for carried in current["alerts"]:
            self._asked.setdefault(carried["alert"]["alert_id"], {})[current["policy"]] = identity
            if current["status"] == "assigned":
                self._told[current["policy"], carried["subject_key"]] = event["meta"]["occurred_at"]

    def _forget(self, identity: str, rule: str) -> None:
        self.duties.pop(identity, None)
        self._acknowledged.discard(identity)
        for alert_id in [alert_id for alert_id, duties in self._asked.items() if duties.get(rule) == identity]:
            del self._asked[alert_id][rule]
            if not self._asked[alert_id]:
                del self._asked[alert_id]
                self._cleared.pop(alert_id, None)

    def freeze(self, event: FreezeEvent) -> None:
        """A freeze that was published stands so."""
        identity = event["current"]["freeze_id"]
        if event["current"]["status"] == "frozen":
            self.freezes[identity] = event
        else:
            self.freezes.pop(identity, None)
            self._releases.pop(identity, None)

    def action(self, action: Action) -> None:
        """A person decided something. All else that happens to actions is nothing to us."""
        if counts(action, self.policy):
            if action["override"] == "acknowledged":
                self._acknowledged.add(action["action_id"])
            elif action["override"] == "released":
                self._releases[action["action_id"]] = action

    def decide(self) -> list[Decision]:
        """What is to be published now: closings and releases first, then what begins, then what goes a step on. Nothing before the first tick."""
        if self.now is None:
            return []
        now = self.now
        return [*self._closings(now), *self._releasings(now), *self._beginnings(now), *self._escalations(now)]

    def deadline(self, duty: DutyEvent) -> datetime | None:
        """When the next in the chain is told; None where nobody follows, the rule is gone, or somebody has acknowledged it."""
        current, rule = duty["current"], self.policy.rule(duty["current"]["policy"])
        if rule is None or current["duty_id"] in self._acknowledged or self._next(rule, current["step"]) is None:
            return None
        alerts = [alert_event(carried, duty["meta"]["source"]) for carried in current["alerts"]]
        return self._due(rule, current["step"], duty["meta"]["occurred_at"], alerts)

    def _closings(self, now: datetime) -> Iterator[Decision]:
        for identity, duty in list(self.duties.items()):
            current = duty["current"]
            if any(carried["alert"]["alert_id"] in self.open for carried in current["alerts"]):
                continue
            alerts = [
                self._cleared.get(carried["alert"]["alert_id"], alert_event(carried, duty["meta"]["source"]))
                for carried in current["alerts"]
            ]
            at = max(now, duty["meta"]["occurred_at"])
            yield duty_event(
                identity, current["policy"], self.policy.version, step=current["step"], status="closed",
                assignee=current["assignee"], reason=CLEARED, alerts=alerts, at=at, due_at=None,
            )  # fmt: skip

    def _releasings(self, now: datetime) -> Iterator[Decision]:
        for identity, freeze in list(self.freezes.items()):
            at = max(now, freeze["meta"]["occurred_at"])
            wanted = self._releases.get(identity)
            if freeze["current"]["alert_id"] not in self.open:
                yield released(freeze, CLEARED, None, at)
            elif wanted is not None:
                yield released(freeze, wanted["reason"] or "", wanted["decided_by"], at)

    def _beginnings(self, now: datetime) -> Iterator[Decision]:
        for rule in self.policy.rules:
            waiting = [alert for alert in self._waiting(rule) if not self._held(rule, alert, now)]
            for alerts, why in grouped(rule, waiting, now, self._attributes):
                yield self._begin(rule, alerts, why, now)

    def _waiting(self, rule: Rule) -> list[AlertEvent]:
        """Alerts that the rule has to ask somebody about, and has not, the oldest first."""
        found = [
            alert
            for identity, alert in self.open.items()
            if rule.name not in self._asked.get(identity, {})
            and (rule.service_level or self.policy.needs_governor(rule) or is_request(alert))
            and rule.when.matches(alert, self._attributes(alert))
        ]
        return sorted(
            found, key=lambda alert: (self._began[alert["current"]["alert_id"]], alert["current"]["alert_id"])
        )

    def _attributes(self, alert: AlertEvent) -> Attributes:
        return self.directory.about(subject_of(alert), alert["current"]["company_id"])

    def _held(self, rule: Rule, alert: AlertEvent, now: datetime) -> bool:
        at = max(now, alert["meta"]["occurred_at"])
        quiet = rule.silent_at(alert["current"]["severity"])
        told = self._told.get((rule.name, alert["meta"]["subject"]))
        snoozed = rule.snooze is not None and told is not None and at < told + rule.snooze
        return snoozed or (quiet is not None and quiet.is_quiet(at))

    def _begin(self, rule: Rule, alerts: list[AlertEvent], why: str, now: datetime) -> DutyEvent:
        names = [rule.owner, *(step.to for step in rule.chain)]
        step = next((place for place, name in enumerate(names) if name and not self._left(name)), 0)
        reason = why if step == 0 else f"{rule.owner} has left"
        began = max(self._began[alert["current"]["alert_id"]] for alert in alerts)
        direct = not self.policy.needs_governor(rule) and not is_request(alerts[0])
        at = began if direct else max(now, began)
        return duty_event(
            duty_id(rule.name, alerts[0]), rule.name, self.policy.version, step=step, status="assigned",
            assignee=names[step], reason=reason, alerts=alerts, at=at, due_at=self._due(rule, step, at, alerts),
        )  # fmt: skip

    def _escalations(self, now: datetime) -> Iterator[Decision]:
        for identity, duty in list(self.duties.items()):
            current, rule, due = duty["current"], self.policy.rule(duty["current"]["policy"]), self.deadline(duty)
            alerts = [
                self.open[carried["alert"]["alert_id"]]
                for carried in current["alerts"]
                if carried["alert"]["alert_id"] in self.open
            ]
            if rule is None or due is None or now < due or not alerts:
                continue
            place = self._next(rule, current["step"])
            if place is None:
                continue
            step, quiet = rule.chain[place - 1], rule.silent_at(_worst(alerts))
            if not step.freeze and quiet is not None and quiet.is_quiet(now):
                continue
            event = duty_event(
                identity, rule.name, self.policy.version, step=place, status="escalated",
                assignee=step.to, reason=MISSED, alerts=alerts, at=now, due_at=self._due(rule, place, now, alerts),
            )  # fmt: skip
            yield event
            if step.freeze:
                for alert in alerts:
                    yield frozen(event, step.freeze, alert, rule.owner)

    def _next(self, rule: Rule, place: int) -> int | None:
        """The place of the next step that can be taken after this one."""
        steps = enumerate(rule.chain[place:], start=place + 1)
        return next((number for number, step in steps if not (step.to and self._left(step.to))), None)

    def _due(self, rule: Rule, place: int, told: datetime, alerts: list[AlertEvent]) -> datetime | None:
        following = self._next(rule, place)
        after = None if following is None else rule.chain[following - 1].after
        if after is None:
            return None
        quiet = rule.silent_at(_worst(alerts))
        due = told + after if quiet is None else quiet.after(told, after)
        asked = [datetime.fromisoformat(text) for alert in alerts if (text := alert["current"]["values"].get("due_at"))]
        return max(told, min([due, *asked])) if place == 0 else due

    def _left(self, name: str) -> bool:
        person = self.policy.people.get(name)
        return person is not None and self.directory.has_left(person.employee)


def _worst(alerts: list[AlertEvent]) -> str:
    order = ("unknown", "info", "notice", "warning", "critical")
    return max((alert["current"]["severity"] for alert in alerts), key=order.index)
