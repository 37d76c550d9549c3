"""A policy on history: what would have been done is what would be done live."""

from datetime import timedelta

import pytest

from consumers.core.directory import Directory
from consumers.core.duties import duty_id
from consumers.core.overrides import Overridable, override
from consumers.core.policy import Policy, Step
from consumers.core.quiet import Quiet
from consumers.core.trial import Happened, outcomes
from tests.support.governing import HOUR, PROJECT, START, cleared, raised, rule

CHAIN = {
    "alternates": ("alternate",),
    "service_level": 4 * HOUR,
    "escalation": (Step(freeze="invoicing", after=8 * HOUR),),
}


def would(policy, *happened, since=timedelta(), until=timedelta(days=3)):
    found = outcomes(policy, Directory(), happened, START + since, START + until)
    return [((outcome.at - START) / HOUR, outcome.what, outcome.who) for outcome in found]


def happened(event, hours=0.0):
    event["meta"]["occurred_at"] = START + hours * HOUR
    return Happened(event["meta"]["occurred_at"], event)


def test_what_acts_at_once_and_what_follows_from_no_answer():
    event = raised()

    assert would(Policy((rule(**CHAIN),)), happened(event), happened(cleared(event), 30)) == [
        (0, "acted", "owner"),
        (4, "escalated", "alternate"),
        (12, "escalated", ""),
        (12, "frozen", "owner"),
        (30, "cleared", "owner"),
        (30, "closed", ""),
        (30, "released", "owner"),
    ]


def test_quiet_hours_are_those_of_the_time_that_is_tried():
    policy = Policy((rule(quiet=Quiet("Europe/Brussels", "20:00", "07:00")),))

    assert would(policy, happened(raised(), 11)) == [(21, "assigned", "owner")]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param(2, 6, [(4, "escalated", "alternate")], id="what began before is known, and not told"),
        pytest.param(20, 72, [], id="nothing of what was before"),
        pytest.param(0, 3, [(0, "acted", "owner")], id="up to the end that is asked for"),
    ],
)
def test_only_the_time_that_is_asked_for_is_told(since, until, expected):
    assert would(Policy((rule(**CHAIN),)), happened(raised()), since=since * HOUR, until=until * HOUR) == expected


def test_what_people_decided_then_counts():
    policy = Policy((rule(**CHAIN),))
    event = happened(raised())
    duty = duty_id("burn", event.alert)
    word = override(
        Overridable(duty, "duty", "burn", "a", "t", "owner", 0, "firm", 1, "c"),
        "acknowledged",
        policy,
        reason="mine",
        by="ann",
        at=START,
    )

    assert would(policy, event, Happened(START + HOUR, action=word["current"])) == [(0, "acted", "owner")]


def test_a_policy_without_rules_does_nothing():
    assert would(Policy(), happened(raised(PROJECT))) == []
