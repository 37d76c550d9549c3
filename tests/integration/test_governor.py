"""The governor on a real broker: it says everything once, whenever it is killed, and goes on from the topics alone."""

from __future__ import annotations

import random
import signal
import time
from datetime import timedelta
from typing import Any

import pytest

from consumers import lag as reading
from consumers.core.overrides import Overridable, override
from consumers.core.policy import Policy
from infra.errors import Fatal
from infra.kafka.clients import consumer, producer, transactional_producer
from infra.kafka.names import GOVERNOR
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings
from tests.support.drill import until
from tests.support.governed import Firm
from tests.support.governing import HOUR, PROJECT, START, cleared, raised

pytestmark = pytest.mark.kafka
LOG = [{"target": "log"}]
CHAIN = {
    "name": "burn",
    "owner": "owner",
    "then": LOG,
    "alternates": ["alternate"],
    "service_level": "PT4H",
    "escalation": [{"to": "operations", "after": "PT8H"}, {"freeze": "invoicing", "after": "P1D"}],
}


def config(**changed: Any) -> dict[str, object]:
    return {"actions": {"rules": [CHAIN | changed]}}


@pytest.fixture
def firm(kafka_bootstrap: str, topic_prefix: str) -> Firm:
    made = Firm(KafkaSettings(bootstrap_servers=kafka_bootstrap), topic_prefix)
    made.make()
    return made


def places(firm: Firm) -> dict[str, tuple[int, str]]:
    """By topic, how far the governor's group is behind, and how that is judged."""
    found = reading.lag(Settings(kafka=firm.kafka), looks=3, interval=0.2)
    return {one.topic: (one.lag, one.verdict) for one in found if one.group == firm.prefix + GOVERNOR}


def test_how_far_it_is_shows_as_the_lag_of_a_group(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ALONE", frozenset({firm.prefix + GOVERNOR}))
    alerts, clock = firm.topic("governance.alert.v1").name, firm.topic("ops.clock.v1").name
    with firm.governed(config()):
        firm.alerts(raised())
        firm.tick(START)
        until(
            lambda: {alerts, clock} <= places(firm).keys() and set(places(firm).values()) == {(0, "ok")}, "it keeps up"
        )
    firm.tick(START + HOUR)

    assert places(firm)[clock] == (1, "stalled"), "nobody is there"


def test_how_far_it_is_is_told_again_where_the_group_would_not_hear_it(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker takes no word of one who is no member while there are members."""
    monkeypatch.setattr(reading, "ALONE", frozenset({firm.prefix + GOVERNOR}))
    firm.alerts(raised())
    firm.tick(START)
    member = consumer(firm.kafka, group=firm.prefix + GOVERNOR)
    member.subscribe([firm.topic("governance.alert.v1").name])
    try:
        until(lambda: member.poll(0.1) is not None, "there is a member")
        with firm.governed(config()):
            until(lambda: firm.duties() == [("assigned", "owner")], "it works")
            member.poll(0)
            assert places(firm) == {}, "nothing could be told"
            member.close()
            until(lambda: set(places(firm).values()) == {(0, "ok")}, "it is told again")
    finally:
        member.close()


def test_from_the_alert_to_the_freeze_and_back_on_the_clock_s_ticks(firm: Firm) -> None:
    event = raised()
    firm.alerts(event)
    firm.tick(START)
    with firm.governed(config()):
        until(lambda: firm.duties() == [("assigned", "owner")], "the owner is asked")
        firm.tick(START + 4 * HOUR)
        until(lambda: firm.duties()[1:] == [("escalated", "alternate")], "the alternate is asked")
        firm.tick(START + 12 * HOUR)
        until(lambda: firm.duties()[2:] == [("escalated", "operations")], "operations is asked")
        firm.tick(START + 36 * HOUR)
        until(lambda: firm.freezes() == [("frozen", "invoicing")], "invoicing waits")
        firm.alerts(cleared(event))
        until(lambda: firm.freezes()[1:] == [("released", "invoicing")], "it goes on")
    assert firm.duties()[3:] == [("escalated", ""), ("closed", "")]
    [frozen, _] = firm.published("governance.freeze.v1")
    assert frozen["current"]["subject_key"] == PROJECT
    assert frozen["meta"]["correlation_id"] == event["meta"]["correlation_id"]


@pytest.mark.drill
def test_killed_at_any_moment_it_says_everything_once(firm: Firm) -> None:
    events = [raised(f"{PROJECT}{number}") for number in range(30)]
    chance = random.Random(7)  # noqa: S311  the same pauses in every run
    process = firm.process(config())
    try:
        for batch in range(3):
            before = len(firm.duties())
            for number in range(10):  # a transaction each, so that it is killed within one, or between two
                firm.alerts(events[10 * batch + number])
                firm.tick(START + 2 * (10 * batch + number) * HOUR)
            until(lambda before=before: len(firm.duties()) > before, "it is at work", timeout=120)  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
            process.wait()
            firm.alerts(*(cleared(event) for event in events[10 * batch : 10 * batch + 10 : 2]))
            process = firm.process(config())
        firm.tick(START + 200 * HOUR)
        firm.alerts(*(cleared(event) for event in events[1::2]))
        until(lambda: not open_duties(firm), "every duty is closed", timeout=120)
    finally:
        process.kill()
        process.wait()
    said = [one["meta"]["event_id"] for name in ("duty", "freeze") for one in firm.published(f"governance.{name}.v1")]
    assert len(said) == len(set(said))
    freezes = firm.freezes()
    assert freezes.count(("frozen", "invoicing")) == freezes.count(("released", "invoicing"))


def open_duties(firm: Firm) -> set[str]:
    """Duties that are begun and not closed; all of them, until there are as many as alerts that stayed open."""
    last = {event["current"]["duty_id"]: event["current"]["status"] for event in firm.published("governance.duty.v1")}
    return {duty for duty, status in last.items() if status != "closed"} if len(last) >= 15 else {"too few"}


def test_a_second_governor_ends_the_first_and_goes_on(firm: Firm) -> None:
    firm.tick(START)
    with pytest.raises(Fatal, match="another governor has taken over"):
        overtaken(firm)
    with firm.governed(config()):
        until(lambda: len(firm.duties()) == 2, "the second one does what the first could not")


def overtaken(firm: Firm) -> None:
    with firm.governed(config()):
        firm.alerts(raised())
        until(lambda: firm.duties() == [("assigned", "owner")], "the first one works")
        transactional_producer(firm.kafka, firm.prefix + GOVERNOR, timeout=5)
        firm.alerts(raised(PROJECT + "0"))
        time.sleep(2)  # it may not write any more


def test_what_clears_while_it_is_down_is_never_told(firm: Firm) -> None:
    kept, gone = raised(), raised(PROJECT + "0")
    firm.alerts(kept, gone, cleared(gone))
    firm.tick(START)
    with firm.governed(config()):
        until(lambda: firm.duties() == [("assigned", "owner")], "only what is open")


def test_a_person_s_word_on_the_topic_of_actions_releases_the_freeze(firm: Firm) -> None:
    firm.alerts(raised())
    firm.tick(START)
    with firm.governed(config()):
        for hours, count in ((0, 1), (4, 2), (12, 3), (36, 4)):
            firm.tick(START + hours * HOUR)
            until(lambda count=count: len(firm.duties()) == count, f"step {count}")
        [frozen] = firm.published("governance.freeze.v1")
        identity = frozen["current"]["freeze_id"]
        subject = Overridable(
            identity,
            "freeze",
            "burn",
            frozen["current"]["alert_id"],
            "invoicing",
            "owner",
            0,
            "firm",
            1,
            frozen["meta"]["correlation_id"],
        )
        word = override(
            subject, "released", Policy(), reason="the client pays today", by="ann", at=START + timedelta(days=2)
        )
        firm.send("governance.action.v1", word)  # type: ignore[arg-type]  # it is not refused
        until(lambda: firm.freezes()[1:] == [("released", "invoicing")], "it is released")
    [_, released] = firm.published("governance.freeze.v1")
    assert (released["current"]["released_by"], released["current"]["reason"]) == ("ann", "the client pays today")


def test_what_nobody_can_read_is_parked_and_the_rest_goes_on(firm: Firm) -> None:
    firm.tick(START)
    with firm.governed(config()):
        firm.alerts(raised())
        until(lambda: firm.duties() == [("assigned", "owner")], "it works")
        writer = EventWriter(producer(firm.kafka))
        for name in ("governance.alert.v1", "governance.approval.v1"):
            writer.send_bytes(firm.prefix + name, b"k", b"\x07rubbish")
        writer.flush()
        firm.alerts(raised(PROJECT + "0"))
        until(lambda: len(firm.duties()) == 2, "the next alert is taken")
        until(lambda: len(firm.published("ops.dead-letter.v1")) == 2, "both are parked")
    assert {letter["current"]["stage"] for letter in firm.published("ops.dead-letter.v1")} == {"governor"}
