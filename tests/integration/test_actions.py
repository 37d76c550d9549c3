"""The action runner on a real broker, against a real receiver over HTTP: each alert acts once, in order, whatever happens."""

import dataclasses
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from confluent_kafka import KafkaError, TopicPartition

from consumers.actions import run, session, sources
from consumers.actions.journal import Journal
from infra.errors import Fatal, Transient
from infra.kafka import topics
from infra.kafka.clients import consumer, producer
from infra.kafka.reader import end_offsets, read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, OdooSettings, Settings
from schemas import codec
from tests.support.actions import acting, hook, process, wait_for
from tests.support.alerts import ALERTS

CURSOR = {"model": "m", "snapshot_done": True, "snapshot_id": 4, "high_water": None, "swept_at": None}


def test_an_alert_is_delivered_signed_and_every_step_is_recorded(firm, receiver):
    event = firm.alert()
    firm.publish(event)

    with acting(firm.settings(), firm.policy(hook(receiver, "/a"), {"target": "log"})):
        wait_for(lambda: firm.statuses(event).count("succeeded") == 2)

    [(_, webhook_id, body)] = receiver.seen
    steps = [step for step in firm.actions(event) if step["target"] == "webhook"]
    assert [(step["status"], step["attempt"]) for step in steps] == [
        ("requested", 0),
        ("attempted", 1),
        ("succeeded", 1),
    ]
    assert {step["action_id"] for step in steps} == {webhook_id}
    assert body["id"] == event["meta"]["event_id"]
    assert body["data"]["level"] == "90"


class Unheard:
    """A consumer whose words on how far it is the broker does not hear for a while."""

    def __init__(self, hears, kafka, **more):
        self._member, self._answered, self._hears = consumer(kafka, **more), more["on_commit"], hears

    def __getattr__(self, name):
        return getattr(self._member, name)

    def commit(self, *, offsets, asynchronous):
        if self._hears.is_set() or not asynchronous:
            return self._member.commit(offsets=offsets, asynchronous=asynchronous)
        return self._answered(KafkaError(KafkaError.REQUEST_TIMED_OUT), offsets)


def test_how_far_it_is_is_told_again_where_nobody_heard_it(firm, receiver, monkeypatch):
    hears = threading.Event()
    monkeypatch.setattr(session, "consumer", partial(Unheard, hears))
    event = firm.alert()
    firm.publish(event)
    ends = end_offsets(firm.kafka, ALERTS.name, range(ALERTS.partitions))
    places = [TopicPartition(ALERTS.name, partition) for partition, (_, end) in ends.items() if end]
    probe = consumer(firm.kafka, group=firm.settings().actions.group)
    try:
        with acting(firm.settings(), firm.policy(hook(receiver, "/a"))):
            firm.ended(event)
            time.sleep(2 * session.AGAIN)  # nothing happens any more
            assert not any(one.offset >= 0 for one in probe.committed(places, 10))
            hears.set()
            wait_for(lambda: all(one.offset >= ends[one.partition][1] for one in probe.committed(places, 10)))
    finally:
        probe.close()


def test_an_alert_that_comes_again_does_not_act_again(firm, receiver):
    event = firm.alert()
    firm.publish(event, event)
    with acting(firm.settings(), firm.policy(hook(receiver, "/a"))):
        firm.ended(event)

    firm.publish(event, last := firm.alert(event["meta"]["subject"], episode=2))
    with acting(
        firm.settings(group=f"other-{firm.id}"), firm.policy(hook(receiver, "/a"))
    ):  # reads all from the beginning
        firm.ended(last)

    assert [body["id"] for _, _, body in receiver.seen] == [event["meta"]["event_id"], last["meta"]["event_id"]]
    assert firm.statuses(event).count("requested") == 1


def test_each_change_of_an_alert_is_told_once(firm, receiver):
    raised = firm.alert()
    changes = [firm.alert(raised["meta"]["subject"], status="changed", revision=revision) for revision in (2, 3)]
    firm.publish(raised, *changes, *changes)
    with acting(firm.settings(), firm.policy(hook(receiver, "/a"))):
        firm.publish(last := firm.alert(raised["meta"]["subject"], episode=2))
        firm.ended(last)

    wanted = [event["meta"]["event_id"] for event in (raised, *changes, last)]
    assert [body["id"] for _, _, body in receiver.seen] == wanted


def test_a_receiver_that_fails_is_tried_again_until_it_succeeds(firm, receiver):
    receiver.answers["/a"] = [(503, {}), (500, {})]
    event = firm.alert()
    firm.publish(event)

    with acting(firm.settings(), firm.policy(hook(receiver, "/a"))):
        firm.ended(event)

    assert [(s["status"], s["attempt"], s["detail"]) for s in firm.actions(event)] == [
        ("requested", 0, None),
        ("attempted", 1, None),
        ("failed", 1, "HTTP 503"),
        ("attempted", 2, None),
        ("failed", 2, "HTTP 500"),
        ("attempted", 3, None),
        ("succeeded", 3, None),
    ]
    assert len({webhook_id for _, webhook_id, _ in receiver.seen}) == 1


@pytest.mark.parametrize(
    ("answers", "attempts", "reason"),
    [
        pytest.param([(410, {})], 1, "HTTP 410", id="gone is for good"),
        pytest.param([(500, {})] * 3, 3, "HTTP 500; 3 attempts are used up", id="all attempts fail"),
        pytest.param(
            [(429, {"Retry-After": "90000"})], 1, "longer than the 86400 s allowed", id="tomorrow is too late"
        ),
    ],
)
def test_what_is_given_up_is_failed_abandoned_and_parked_with_its_owner(firm, receiver, answers, attempts, reason):
    receiver.answers["/a"] = list(answers)
    event = firm.alert()
    firm.publish(event)

    with acting(firm.settings(), firm.policy(hook(receiver, "/a"))):
        firm.ended(event)

    assert firm.statuses(event) == ["requested", *["attempted", "failed"] * attempts, "abandoned"]
    assert reason in firm.actions(event)[-1]["detail"]
    letters = [codec.decode(r.value()).value for r in read_to_end(firm.kafka, "ops.dead-letter.v1")]
    [letter] = [found for found in letters if found["meta"]["causation_id"] == event["meta"]["event_id"]]
    assert (letter["current"]["owner"], letter["current"]["attempts"]) == ("owners", attempts)
    assert codec.decode(letter["current"]["value"]).value == event
    assert reason in letter["current"]["error"]


def test_too_many_requests_are_spaced_as_asked(firm, receiver):
    receiver.answers["/a"] = [(429, {"Retry-After": "1"})]
    event = firm.alert()
    firm.publish(event)
    began = time.monotonic()

    with acting(firm.settings(), firm.policy(hook(receiver, "/a"))):
        firm.ended(event)

    assert time.monotonic() - began >= 1.0
    assert firm.statuses(event)[-1] == "succeeded"


def test_a_receiver_that_hangs_holds_up_no_other(firm, receiver):
    receiver.answers["/slow"] = [("hold", {})] * 50
    events = [firm.alert() for _ in range(20)]
    firm.publish(*events)

    with acting(
        firm.settings(timeout=30.0), firm.policy(hook(receiver, "/slow", name="slow"), hook(receiver, "/quick"))
    ):
        wait_for(lambda: len(receiver.at("/quick")) == 20)
        assert receiver.held.is_set()
        assert not receiver.release.is_set()
        receiver.release.set()


def test_a_hanging_receiver_is_given_up_after_its_time(firm, receiver):
    receiver.answers["/a"] = [("hold", {})]
    event = firm.alert()
    firm.publish(event)

    with acting(firm.settings(schedule=(), timeout=0.3), firm.policy(hook(receiver, "/a"))):
        firm.ended(event)

    assert firm.actions(event)[-1]["detail"].startswith("no answer within 0.3 s")


def test_whoever_owns_what_was_given_up_is_told_once(firm, receiver):
    receiver.answers["/a"] = [(500, {})] * 3
    config, event = firm.policy(hook(receiver, "/a")), firm.alert()
    config["actions"]["rules"][0]["otherwise"] = [hook(receiver, "/owner", name="owner"), {"target": "log"}]

    for group in ("first", "second"):  # the second reads all again, as after a crash before the commit
        with acting(firm.settings(group=f"{group}-{firm.id}"), config):
            firm.publish(event)
            wait_for(lambda: firm.statuses(event).count("succeeded") == 2)

    [(_, _, told)] = receiver.at("/owner")
    assert told["data"]["values"]["not_done"] == "test/webhook: HTTP 500; 3 attempts are used up"
    assert firm.statuses(event).count("abandoned") == len(firm.letters(event)) == 1


def test_a_target_that_is_gone_is_called_no_more(firm, receiver):
    receiver.answers["/a"] = [(410, {})]
    first, second = firm.alert(), firm.alert()

    with acting(firm.settings(), firm.policy(hook(receiver, "/a"))):
        firm.publish(first)
        firm.ended(first)
        firm.publish(second)
        firm.ended(second)

    assert len(receiver.seen) == 1
    assert firm.statuses(second) == ["requested", "failed", "abandoned"]
    assert firm.actions(second)[-1]["detail"] == f"{receiver.url('/a')} is called no more: HTTP 410"
    assert len(firm.letters(second)) == 1


def test_what_is_old_is_recorded_once_and_not_sent(firm, receiver):
    old, new = firm.alert(occurred_at=firm.now - timedelta(hours=2)), firm.alert()
    config = firm.policy(hook(receiver, "/a"))

    for _ in range(2):
        with acting(firm.settings(oldest=3600), config):
            firm.publish(old, new)
            firm.ended(old, new)

    assert firm.statuses(old) == ["suppressed"]
    assert "and none older than 0 d 1 h is acted upon" in firm.actions(old)[0]["detail"]
    assert [body["id"] for _, _, body in receiver.seen] == [new["meta"]["event_id"]]


def test_a_restart_does_not_shorten_a_wait(firm, receiver):
    receiver.answers["/a"] = [(503, {})]
    config, event = firm.policy(hook(receiver, "/a")), firm.alert()
    firm.publish(event)
    with acting(firm.settings(schedule=(5.0,)), config):
        wait_for(lambda: firm.statuses(event)[-1:] == ["failed"])
    [due] = [step["due_at"] for step in firm.actions(event) if step["due_at"]]

    with acting(firm.settings(schedule=(5.0,)), config):
        firm.ended(event)

    assert datetime.now(UTC) >= due
    assert [step["attempt"] for step in firm.actions(event)] == [0, 1, 1, 2, 2]


def test_alerts_of_one_subject_keep_their_order_through_failures(firm, receiver):
    receiver.answers["/a"] = [(503, {}), (503, {})]
    subject = "odoo:firm:project.project:12"
    events = [firm.alert(subject, episode=episode) for episode in range(1, 6)]
    firm.publish(*events)

    with acting(firm.settings(), firm.policy(hook(receiver, "/a"))):
        firm.ended(*events)

    wanted = [event["meta"]["event_id"] for event in events]
    assert [body["id"] for _, _, body in receiver.seen] == [wanted[0], wanted[0], *wanted]


def test_a_record_that_is_no_alert_is_parked_and_the_next_one_is_acted_upon(firm, receiver, monkeypatch, topic_prefix):
    own = dataclasses.replace(ALERTS, name=f"{topic_prefix}alerts", partitions=1)  # nobody else shall meet the record
    topics.apply(firm.kafka, topics.plan(firm.kafka, [own]), [own])
    monkeypatch.setattr(sources, "ALERTS", own)
    event = firm.alert()
    writer = EventWriter(producer(firm.kafka))
    writer.send_bytes(own.name, b"k", b"\x07rubbish")
    writer.send_bytes(own.name, b"k", None)
    writer.send_bytes(own.name, b"k", codec.encode("burnline.internal.CaptureCursor", CURSOR))
    good = codec.encode(own.record, event)
    writer.send_bytes(own.name, b"k", good[:-1])
    writer.send_bytes(own.name, b"k", good, [("ce_id", b"another")])
    writer.send_bytes(own.name, b"k", b"\x00\x00\x0f\x42\x3f")
    writer.send_bytes(own.name, event["meta"]["subject"].encode(), good)  # no headers are no contradiction
    writer.flush()

    with acting(firm.settings(), firm.policy(hook(receiver, "/a"))):
        firm.ended(event)

    letters = [codec.decode(r.value()).value["current"] for r in read_to_end(firm.kafka, "ops.dead-letter.v1")]
    parked = {found["offset"]: found for found in letters if found["topic"] == own.name}
    assert {offset: found["reason"] for offset, found in parked.items()} == {
        0: "wrong_magic",
        1: "empty",
        2: "wrong_record",
        3: "truncated",
        4: "headers_contradict",
        5: "unknown_schema",
    }
    assert parked[3]["value"] == good[:-1]
    assert all(found["stage"] == "actions" and found["remedy"] for found in parked.values())
    assert len(receiver.at("/a")) == 1


def test_killed_between_the_effect_and_its_record_it_delivers_again_under_the_same_id(firm, receiver):
    receiver.answers["/a"] = [("hold", {})]
    config = firm.policy(hook(receiver, "/a"))
    event = firm.alert()
    firm.publish(event)

    with process(firm, config) as runner:
        assert receiver.held.wait(60)  # the receiver has it, the runner does not know yet
        runner.send_signal(signal.SIGKILL)
        runner.wait()
    with acting(firm.settings(), config):
        firm.ended(event)
    with acting(firm.settings(group=f"third-{firm.id}"), config):  # all alerts again
        firm.publish(last := firm.alert())
        firm.ended(last)

    deliveries = [webhook_id for _, webhook_id, body in receiver.seen if body["id"] == event["meta"]["event_id"]]
    assert len(deliveries) == 2
    assert len(set(deliveries)) == 1
    assert firm.statuses(event) == ["requested", "attempted", "attempted", "succeeded"]


def test_two_runners_share_the_work_and_hand_it_over(firm, receiver):
    config = firm.policy(hook(receiver, "/a"))
    first, second = ([firm.alert() for _ in range(30)] for _ in range(2))
    with acting(firm.settings(), config):
        firm.publish(*first)
        firm.ended(*first)
        with acting(firm.settings(), config):
            firm.publish(*second)
            firm.ended(*second)
    with acting(firm.settings(), config):
        firm.publish(last := firm.alert())
        firm.ended(last)

    ids = [webhook_id for _, webhook_id, _ in receiver.seen]
    assert len(ids) >= 61
    assert len(set(ids)) == 61
    assert all(firm.statuses(event).count("succeeded") >= 1 for event in [*first, *second, last])


def test_more_alerts_than_may_be_under_way_wait_their_turn(firm, receiver):
    events = [firm.alert() for _ in range(40)]
    firm.publish(*events)

    with acting(firm.settings(in_flight=2), firm.policy(hook(receiver, "/a"))):
        firm.ended(*events)

    assert len(receiver.seen) == 40


def test_an_odoo_that_is_down_holds_up_no_webhook_and_is_given_up_with_a_reason(firm, receiver):
    event = firm.alert()
    firm.publish(event)
    down = OdooSettings(url="http://127.0.0.1:1", db="none", password="none")

    with acting(firm.settings(schedule=()), firm.policy({"target": "odoo_activity"}, hook(receiver, "/a")), down):
        wait_for(lambda: {"succeeded", "abandoned"} <= set(firm.statuses(event)))

    [given_up] = [step for step in firm.actions(event) if step["status"] == "abandoned"]
    assert given_up["target"] == "odoo_activity"
    assert "no Odoo answers at http://127.0.0.1:1" in given_up["detail"]


def test_a_broker_that_refuses_for_a_while_costs_nothing(firm, receiver, monkeypatch):
    event = firm.alert()
    firm.publish(event)
    send, refusals = Journal._send, [Transient("away"), Transient("away")]

    def refuse_at_first(self, batch):
        if refusals:
            raise refusals.pop()
        send(self, batch)

    monkeypatch.setattr(Journal, "_send", refuse_at_first)
    with acting(firm.settings(), firm.policy(hook(receiver, "/a"))):
        firm.ended(event)

    assert firm.statuses(event) == ["requested", "attempted", "succeeded"]
    assert len(receiver.seen) == 1


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        pytest.param(
            {"target": "webhook", "url": "http://127.0.0.1:1/", "secret": "absent"},
            "absent, which is not set",
            id="a secret that is not there",
        ),
        pytest.param({"target": "odoo_activity"}, "no Odoo is configured", id="an Odoo that is not there"),
        pytest.param({"target": "pager"}, r"actions\.rules\.0\.then\.0\.target", id="a policy that is wrong"),
    ],
)
def test_what_a_person_must_correct_is_told_before_anything_is_done(firm, target, reason):
    with pytest.raises(Fatal, match=reason):
        run(firm.settings(), firm.policy(target), None, threading.Event())


def test_without_a_broker_it_does_not_start():
    settings = Settings(kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"))

    with pytest.raises(Transient, match=r"no Kafka broker answers on 127\.0\.0\.1:1"):
        run(settings, {"actions": {"rules": []}}, None, threading.Event())
