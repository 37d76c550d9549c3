"""Laws of the governor: whatever order things come in, however often it is restarted, each is said once, and clearing ends all of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consumers.core.governor import Decision, Governor
from consumers.core.policy import Group, Policy, Rule, Step
from consumers.core.quiet import Quiet
from consumers.core.trial import remember
from schemas.records import AlertEvent
from tests.support.governing import HOUR, PROJECT, START, cleared, raised, rule

CHAIN: dict[str, Any] = {
    "alternates": ("alternate",),
    "service_level": 4 * HOUR,
    "escalation": (Step(to="operations", after=8 * HOUR), Step(freeze="invoicing", after=24 * HOUR)),
}
RULES: st.SearchStrategy[Rule] = st.builds(
    lambda name, quiet, group, snooze, chain: rule(
        name=name, quiet=quiet, group=group, snooze=snooze, **(CHAIN if chain else {})
    ),
    st.just("r"),
    st.sampled_from(
        [None, Quiet("Europe/Brussels", "20:00", "07:00", ("sun",)), Quiet("UTC", "08:00", "08:30", unless=None)]
    ),
    st.sampled_from([None, Group(wait=HOUR), Group(wait=3 * HOUR, most=2)]),
    st.sampled_from([None, 2 * HOUR]),
    st.booleans(),
)
POLICIES = st.lists(RULES, min_size=1, max_size=3).map(
    lambda rules: Policy(tuple(rule_named(number, one) for number, one in enumerate(rules)))
)
SEVERITIES = st.sampled_from(["info", "warning", "critical"])


def rule_named(number: int, one: Rule) -> Rule:
    return replace(one, name=f"r{number}")


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[float, AlertEvent]]:
    """Alerts of a few subjects, some cleared again, in the order of their hours."""
    found = []
    for subject in range(draw(st.integers(1, 4))):
        hour = 0.0
        for episode in range(1, draw(st.integers(1, 3)) + 1):
            hour += draw(st.integers(0, 30))
            event = raised(f"{PROJECT}{subject}", after=hour * HOUR, episode=episode, severity=draw(SEVERITIES))
            found.append((hour, event))
            if episode < 3 and draw(st.booleans()):
                hour += draw(st.integers(1, 60))
                found.append((hour, cleared(event)))
            else:
                break
    return sorted(found, key=lambda pair: pair[0])


def settle(governor: Governor) -> list[Decision]:
    found: list[Decision] = []
    while decisions := governor.decide():
        for decision in decisions:
            remember(governor, decision)
        found += decisions
    return found


def live(policy: Policy, history: list[tuple[float, AlertEvent]], restarts: set[int], twice: bool = False) -> list[str]:
    """Ids of what is published over a week, hour by hour; the governor is begun anew at the hours of `restarts`."""
    governor, published, happened = Governor(policy), list[Decision](), list[AlertEvent]()
    for hour in range(24 * 7):
        if hour in restarts:  # what it knew is gone; what it published and what happened is on the topics
            governor = Governor(policy)
            for decision in published:
                remember(governor, decision)
            for event in happened:
                governor.alert(event)
        for event in [event for at, event in history if hour - 1 < at <= hour]:
            for _ in range(2 if twice else 1):
                governor.alert(event)
            happened.append(event)
        governor.tick(START + hour * HOUR)
        published += settle(governor)
    return [decision["meta"]["event_id"] for decision in published]


@given(POLICIES, histories(), st.sets(st.integers(0, 24 * 7), max_size=6))
def test_restarts_and_repeats_change_nothing_of_what_is_said_and_nothing_is_said_twice(
    policy: Policy, history: list[tuple[float, AlertEvent]], restarts: set[int]
) -> None:
    said = live(policy, history, set())

    assert len(said) == len(set(said))
    assert sorted(live(policy, history, restarts, twice=True)) == sorted(said)


@given(POLICIES, histories())
def test_once_all_has_cleared_nothing_is_left_and_nothing_more_is_said(
    policy: Policy, history: list[tuple[float, AlertEvent]]
) -> None:
    governor = Governor(policy)
    for hour, event in history:
        governor.alert(event)
        governor.tick(START + hour * HOUR)
        settle(governor)
    for event in list(governor.open.values()):
        governor.alert(cleared(event))
    governor.tick(START + timedelta(days=30))
    closing = settle(governor)

    assert {decision["current"]["status"] for decision in closing} <= {"closed", "released"}
    assert not governor.duties
    assert not governor.freezes
    governor.tick(START + timedelta(days=300))
    assert settle(governor) == []


@given(POLICIES, histories())
def test_nobody_is_told_in_quiet_hours(policy: Policy, history: list[tuple[float, AlertEvent]]) -> None:
    governor = Governor(policy)
    for hour in range(24 * 4):
        for event in [event for at, event in history if hour - 1 < at <= hour]:
            governor.alert(event)
        governor.tick(START + hour * HOUR)
        for decision in settle(governor):
            told = policy.rule(decision["current"]["policy"])
            assert told is not None
            if told.quiet is None or decision["current"]["status"] not in {"assigned", "escalated"}:
                continue
            severities = {carried["alert"]["severity"] for carried in decision["current"]["alerts"]}  # type: ignore[typeddict-item]  # a duty
            if told.quiet.unless not in severities and decision["current"]["assignee"]:  # type: ignore[typeddict-item]  # a duty
                assert not told.quiet.is_quiet(decision["meta"]["occurred_at"])
