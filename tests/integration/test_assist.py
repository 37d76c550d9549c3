"""The assistant on a real broker, with real endpoints that hang, drip, talk nonsense or want to approve: it proposes, and nothing else comes of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from consumers.assist import run
from consumers.assist.run import READ
from consumers.core.assist.alerts import Alerts
from consumers.core.assist.ideas import PROPOSALS, RULES, proposal_event
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import AssistSettings, KafkaSettings, Settings
from schemas.topics import TOPICS
from tests.support.actions import Firm as Alerting
from tests.support.actions import prepared
from tests.support.at_work import at_work
from tests.support.drill import until
from tests.support.governed import Firm
from tests.support.governing import PROJECT, raised
from tests.support.guarded import burnline
from tests.unit.consumers.assist.test_ideas import invoice
from tests.unit.consumers.assist.test_model import GOOD

pytestmark = pytest.mark.kafka


class Endpoint:
    """A model: what it was asked, it keeps; how it answers, a test says."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.asked: list[dict[str, Any]] = []
        self.over = threading.Event()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                endpoint.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                try:
                    answer(self)
                except (BrokenPipeError, ConnectionResetError):  # the assistant did not wait
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/ask"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def answers(body: bytes, status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(5)


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(50):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


@pytest.fixture
def firm(kafka_bootstrap: str, topic_prefix: str) -> Firm:
    made = Firm(KafkaSettings(bootstrap_servers=kafka_bootstrap), topic_prefix)
    own = [made.topic(name) for name in (*READ, PROPOSALS.name)]
    topics.apply(made.kafka, topics.plan(made.kafka, own), own)
    made.send("finance.invoice.v1", invoice(1), invoice(2, days=2))
    return made


@contextmanager
def assisting(firm: Firm, **assist: Any) -> Iterator[None]:
    settings = Settings(kafka=firm.kafka, assist=AssistSettings(**assist))
    with at_work(lambda stop: run(settings, stop, prefix=firm.prefix)):
        until(lambda: proposed(firm), "the history was read: two of its invoices are alike")
        yield


def proposed(firm: Firm) -> list[tuple[str, str]]:
    """Kind and maker of each proposal, in order."""
    return [(one["current"]["kind"], one["current"]["made_by"]) for one in firm.published(PROPOSALS.name)]


DUPLICATE = ("duplicate_invoice", "rules/1")
BY_RULES = [("priority", "rules/1"), ("summary", "rules/1")]


def test_without_a_model_the_rules_propose_each_thing_once_whatever_restarts(firm: Firm) -> None:
    for _ in range(2):
        with assisting(firm):
            firm.alerts(raised())
            until(lambda: len(proposed(firm)) >= 3, "three proposals")
    with assisting(firm):
        firm.alerts(raised(PROJECT + "0"))
        until(lambda: len(proposed(firm)) >= 5, "and two more")

    assert proposed(firm) == [DUPLICATE, *BY_RULES, *BY_RULES]


def test_a_model_s_words_are_proposed_and_it_is_told_no_more_than_is_shared(firm: Firm) -> None:
    model = Endpoint(answers(json.dumps(GOOD).encode()))
    try:
        with assisting(firm, model_url=model.url):
            firm.alerts(raised(), raised("odoo:firm:hr.employee:3", subject_kind="consultant", rule="utilization.band"))
            until(lambda: len(proposed(firm)) == 5, "a person's alert, too")
    finally:
        model.close()

    by_model = [("priority", "model 127.0.0.1"), ("summary", "model 127.0.0.1")]
    assert proposed(firm) == [DUPLICATE, *by_model, *BY_RULES]  # nothing about a person was asked
    assert len(model.asked) == 1
    sent = json.dumps(model.asked)
    assert "182" not in sent  # what the values say is confidential
    assert PROJECT not in sent
    assert firm.published(PROPOSALS.name)[1]["current"]["text"] == GOOD["priority"]["text"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(hangs, id="it hangs"),
        pytest.param(drips, id="it drips"),
        pytest.param(answers(b"x" * 1_000_000), id="it talks for a megabyte"),
        pytest.param(answers(b"<html>bad gateway</html>"), id="rubbish"),
        pytest.param(answers(json.dumps(GOOD).encode(), 500), id="an error"),
        pytest.param(answers(json.dumps({"action": "approve", "reference": "17"}).encode()), id="it wants to approve"),
        pytest.param(
            answers(json.dumps(GOOD | {"tool_calls": [{"name": "post_invoice"}]}).encode()), id="it wants to post"
        ),
    ],
)
def test_an_endpoint_of_no_use_costs_its_time_once_and_the_rules_propose(firm: Firm, answer: Any) -> None:
    model = Endpoint(answer)
    try:
        with assisting(firm, model_url=model.url, timeout=0.5):
            firm.alerts(*(raised(f"{PROJECT}{number}") for number in range(20)))
            until(lambda: len(proposed(firm)) >= 41, "all of them")
    finally:
        model.close()

    assert proposed(firm) == [DUPLICATE, *BY_RULES * 20]
    assert len(model.asked) == 1  # then it is left alone


def test_nothing_but_proposals_is_written_whatever_the_model_says(firm: Firm) -> None:
    own = [firm.topic(name) for name in TOPICS if TOPICS[name].public]
    topics.apply(firm.kafka, topics.plan(firm.kafka, own), own)
    wants = {"action": "approve", "topic": "governance.approval.v1", "status": "approved"}
    model = Endpoint(answers(json.dumps(wants).encode()))
    try:
        with assisting(firm, model_url=model.url):
            firm.alerts(raised())
            firm.send("finance.invoice.v1", invoice(3, days=1))
            until(lambda: len(proposed(firm)) == 5, "what the rules think of an alert, and two more suspicions")
    finally:
        model.close()

    written = {topic.name for topic in own if next(iter(read_to_end(firm.kafka, topic.name)), None) is not None}
    assert written == {firm.prefix + name for name in (*READ, PROPOSALS.name)}


def test_people_are_shown_what_is_thought_of_alerts_that_stand(kafka_bootstrap: str) -> None:
    kafka = prepared(kafka_bootstrap)
    own, writer = Alerting(kafka), EventWriter(producer(kafka))
    stands, ended = own.alert(), own.alert()
    own.publish(stands, ended, own.alert(ended["meta"]["subject"], status="cleared"))
    for event in (stands, ended):
        for idea in Alerts().take(event):
            writer.send(PROPOSALS, proposal_event(idea, RULES, own.now))
    writer.flush()

    done = burnline("show", "proposals", "--json", BURNLINE_KAFKA__BOOTSTRAP_SERVERS=kafka_bootstrap)

    mine = {stands["meta"]["subject"], ended["meta"]["subject"]}
    shown = [row for row in map(json.loads, done.stdout.splitlines()) if row["about"] in mine]
    assert [(row["about"], row["kind"]) for row in shown] == [
        (stands["meta"]["subject"], "priority"), (stands["meta"]["subject"], "summary"),
    ], done.stderr  # fmt: skip
