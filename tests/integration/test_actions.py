"""The action runner on a real broker, against a real receiver over HTTP: each alert acts once, in order, whatever happens."""

import base64
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook

from consumers.actions import run, sources
from consumers.actions.journal import Journal
from infra.errors import BurnlineError, Fatal, Transient
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import end_offsets, read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import ActionSettings, KafkaSettings, OdooSettings, Settings
from schemas import codec
from tests.support.alerts import ALERTS, alert

SECRET = "whsec_" + base64.b64encode(b"a" * 32).decode()
CURSOR = {"model": "m", "snapshot_done": True, "snapshot_id": 4, "high_water": None, "swept_at": None}
RUNNER = """
import json, sys, threading
from consumers.actions import run, sources
from consumers.actions.journal import Journal
from infra.settings import load_settings
settings = load_settings()
run(settings, json.loads(sys.argv[1]), settings.odoo if settings.odoo.url else None, threading.Event())
"""


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def kafka(kafka_bootstrap):
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    topics.apply(settings, topics.plan(settings))

    def have_leaders():  # topics that were just made have none for a moment
        try:
            return [
                end_offsets(settings, name, range(6))
                for name in ("governance.alert.v1", "governance.action.v1", "ops.dead-letter.v1")
            ]
        except Transient:
            return False

    wait_for(have_leaders)
    return settings


class Receiver:
    """An HTTP server that verifies every delivery and answers what it is told to, by path; what it saw, it keeps."""

    def __init__(self):
        self.seen = []
        self.answers = {}
        self.held = threading.Event()
        self.release = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                Webhook(SECRET).verify(body, dict(self.headers))
                receiver.seen.append((self.path, self.headers["webhook-id"], json.loads(body)))
                script = receiver.answers.get(self.path, [])
                status, headers = script.pop(0) if script else (200, {})
                if status == "hold":
                    receiver.held.set()
                    receiver.release.wait(60)
                    status = 200
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except (BrokenPipeError, ConnectionResetError):  # the sender was killed, or did not wait
                    self.close_connection = True

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    def at(self, path):
        return [entry for entry in list(self.seen) if entry[0] == path]

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


class Firm:
    """One test's alerts, policy and group: others on the same broker do not concern it."""

    def __init__(self, kafka):
        self.kafka = kafka
        self.id = uuid.uuid4().hex
        self.rule = f"test-{self.id}.hours"

    def settings(self, **changed):
        quick = {
            "schedule": (0.05, 0.1),
            "timeout": 2.0,
            "oldest": 10**9,
            "allowed_networks": ("127.0.0.0/8",),
            "group": f"test.actions-{self.id}",
        }
        secrets = {"webhook_secrets": {"n8n": SECRET}}
        return Settings(kafka=self.kafka, actions=ActionSettings(**(quick | secrets | changed)))

    def policy(self, *targets):
        when = {"rule": f"test-{self.id}.*"}
        return {"actions": {"rules": [{"name": "test", "owner": "owners", "when": when, "then": list(targets)}]}}

    def publish(self, *events):
        writer = EventWriter(producer(self.kafka))
        for event in events:
            writer.send(ALERTS, event)
        writer.flush()

    def alert(self, subject=None, **changed):
        return alert(
            subject or f"odoo:firm:project.project:{uuid.uuid4().int % 10**9}", **({"rule": self.rule} | changed)
        )

    def actions(self, event):
        """Status, attempt and detail of every step about an alert, in order."""
        identity = event["current"]["alert_id"]
        steps = [codec.decode(r.value()).value for r in read_to_end(self.kafka, "governance.action.v1")]
        return [step["current"] for step in steps if step["current"]["alert_id"] == identity]

    def statuses(self, event):
        return [step["status"] for step in self.actions(event)]

    def ended(self, *events):
        return wait_for(lambda: all({"succeeded", "abandoned"} & set(self.statuses(event)) for event in events))


@pytest.fixture
def firm(kafka):
    return Firm(kafka)


@contextmanager
def acting(settings, config, odoo=None):
    """A runner in a thread; what it raised is raised in the end."""
    stop, failures = threading.Event(), []

    def target():
        try:
            run(settings, config, odoo, stop)
        except BurnlineError as error:
            failures.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def hook(receiver, path, **changed):
    return {"target": "webhook", "url": receiver.url(path), "secret": "n8n", **changed}


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


@contextmanager
def process(firm, config, **env):
    """A runner as a process of its own."""
    names = {
        "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": firm.kafka.bootstrap_servers,
        "BURNLINE_ACTIONS__GROUP": f"test.actions-{firm.id}",
        "BURNLINE_ACTIONS__WEBHOOK_SECRETS__N8N": SECRET,
        "BURNLINE_ACTIONS__TIMEOUT": "60",
        "BURNLINE_ACTIONS__OLDEST": "1000000000",
        "BURNLINE_ACTIONS__ALLOWED_NETWORKS": '["127.0.0.0/8"]',
        "BURNLINE_ACTIONS__SESSION_TIMEOUT": "6",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("BURNLINE_", "ODOO_"))}
    started = subprocess.Popen([sys.executable, "-c", RUNNER, json.dumps(config)], env=inherited | names | env)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


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
