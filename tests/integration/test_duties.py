"""The runner and duties on a real broker: what the governor says is carried out, once, and closed at every step it reached."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.actions.policy import load_policy
from consumers.core.duties import DUTIES
from infra.kafka.clients import producer
from infra.kafka.writer import EventWriter
from tests.support.actions import Firm, Receiver, acting, hook, wait_for
from tests.support.governing import Told, cleared

pytestmark = pytest.mark.kafka


def waiting(firm: Firm, receiver: Receiver) -> dict[str, Any]:
    """A policy whose one rule waits for the governor, and has a chain."""
    config = firm.policy(hook(receiver, "/owner"))
    rule: dict[str, Any] = config["actions"]["rules"][0]
    rule |= {
        "snooze": "PT1H",
        "service_level": "PT4H",
        "escalation": [{"to": "operations", "then": [hook(receiver, "/operations")]}],
    }
    return config


def publish(firm: Firm, told: Told, times: int = 1) -> None:
    writer = EventWriter(producer(firm.kafka))
    for _ in range(times):
        for duty in told.published:
            writer.send(DUTIES, duty)
    writer.flush()


def test_each_step_is_carried_out_once_and_all_of_them_are_told_the_end(firm: Firm, receiver: Receiver) -> None:
    config = waiting(firm, receiver)
    told = Told(*load_policy(config).rules, start=firm.now)
    event = firm.alert()
    told.governor.alert(event)
    for hour in (0, 4):
        told.at(hour)
    told.governor.alert(cleared(event))
    told.at(5)
    firm.publish(event)  # the alert itself is nothing to a rule that waits

    with acting(firm.settings(timeout=30.0), config):
        publish(firm, told, times=2)
        wait_for(lambda: firm.statuses(event).count("succeeded") == 4)
    with acting(firm.settings(timeout=30.0, group=f"again-{firm.id}"), config):  # all of it again
        firm.publish(event)
        other = Told(*load_policy(config).rules, start=firm.now)
        other.governor.alert(last := firm.alert())
        other.at(0)
        publish(firm, other)
        firm.ended(last)

    seen = [(path, body["data"]["status"]) for path, _, body in receiver.seen]
    assert sorted(seen[:4]) == [
        ("/operations", "cleared"),
        ("/operations", "raised"),
        ("/owner", "cleared"),
        ("/owner", "raised"),
    ]
    assert seen[4:] == [("/owner", "raised")]
    [escalated] = [body for path, _, body in receiver.at("/operations") if body["data"]["status"] == "raised"]
    assert escalated["data"]["values"]["assignee"] == "operations"
    assert escalated["data"]["values"]["because"] == "service level missed"
