"""What a policy would have done with what has happened: the same decisions as live, and nobody who carries them out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from consumers.core.directory import Directory
from consumers.core.duties import is_duty, is_freeze
from consumers.core.governor import Decision, Governor
from consumers.core.plan import Planned, plan, plan_duty
from consumers.core.policy import Policy
from schemas.records import Action, AlertEvent

TICK = timedelta(minutes=5)
BEFORE = timedelta(hours=1)
"""The clock's period before the time that is asked for: what began then is still to be known."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something that would have been done: when, by which rule, who is asked, about what, at which targets, and why."""

    at: datetime
    policy: str
    what: str
    who: str
    subject: str
    alert: str
    alerts: int
    targets: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Happened:
    """An alert, or a request for approval in its form; or what a person decided about an action, a duty or a freeze."""

    at: datetime
    alert: AlertEvent | None = None
    request: bool = False
    action: Action | None = None


def outcomes(
    policy: Policy, directory: Directory, history: Iterable[Happened], since: datetime, until: datetime
) -> Iterator[Outcome]:
    """What would have been done from `since` up to `until`, in order. `history` is in order of time."""
    governor = Governor(policy, directory)
    for happened in history:
        if happened.at > until:
            break
        yield from _advance(governor, happened.at, since)
        if happened.action is not None:
            governor.action(happened.action)
        if happened.alert is not None:
            governor.alert(happened.alert)
            if not happened.request and happened.at >= since:
                yield from _at_once(happened.alert, policy)
        yield from _decided(governor, happened.at, since)
    yield from _advance(governor, until, since)


def _advance(governor: Governor, at: datetime, since: datetime) -> Iterator[Outcome]:
    """Let the clock tick up to `at`, as long as anything is open, and tell what is decided."""
    while governor.now is not None and (governor.open or governor.duties or governor.freezes):
        following = governor.now + (TICK if governor.now >= since else BEFORE)
        if following >= at:
            break
        yield from _decided(governor, following, since)
    yield from _decided(governor, at, since)


def _decided(governor: Governor, at: datetime, since: datetime) -> Iterator[Outcome]:
    governor.tick(at)
    while decisions := governor.decide():
        for decision in decisions:
            remember(governor, decision)
            if decision["meta"]["occurred_at"] >= since:
                yield from _told(decision, governor.policy)


def remember(governor: Governor, decision: Decision) -> None:
    """Take in what the governor itself decided, once it is published."""
    if is_freeze(decision):
        governor.freeze(decision)
    elif is_duty(decision):
        governor.duty(decision)


def _at_once(alert: AlertEvent, policy: Policy) -> Iterator[Outcome]:
    actions: dict[str, list[Planned]] = {}
    for planned in plan(alert, policy):
        actions.setdefault(planned.rule, []).append(planned)
    current = alert["current"]
    for rule, acts in actions.items():
        targets = tuple(planned.target.label for planned in acts)
        what = "cleared" if current["status"] == "cleared" else "acted"
        yield Outcome(
            alert["meta"]["occurred_at"], rule, what, acts[0].owner, alert["meta"]["subject"], _named(alert), 1,
            targets, "at once",
        )  # fmt: skip


def _told(decision: Decision, policy: Policy) -> Iterator[Outcome]:
    at = decision["meta"]["occurred_at"]
    if is_freeze(decision):
        freeze = decision["current"]
        yield Outcome(
            at, freeze["policy"], freeze["status"], freeze["owner"], freeze["subject_key"], freeze["frozen_step"],
            1, (), freeze["reason"],
        )  # fmt: skip
    elif is_duty(decision):
        duty, acts = decision["current"], plan_duty(decision, policy)
        if acts or duty["status"] == "escalated":
            first = duty["alerts"][0]
            yield Outcome(
                at, duty["policy"], duty["status"], duty["assignee"], first["subject_key"],
                f"{first['alert']['rule']} {first['alert']['level']}", len(duty["alerts"]),
                tuple(planned.target.label for planned in acts), duty["reason"],
            )  # fmt: skip


def _named(alert: AlertEvent) -> str:
    return f"{alert['current']['rule']} {alert['current']['level']}"
