"""The webhook server over real HTTP, on a real broker: what senders are told, and what subscribers then find."""

import asyncio
import base64
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from standardwebhooks import Webhook

from infra.errors import Fatal, Transient
from infra.kafka import topics
from infra.kafka.reader import end_offsets, read_to_end
from infra.settings import KafkaSettings, Settings, WebhookSettings
from producers.webhooks import serve
from schemas import codec

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OLDER = "whsec_" + base64.b64encode(b"o" * 32).decode()
FORGED = "whsec_" + base64.b64encode(b"f" * 32).decode()
TOKEN = "t" * 43
LIMIT = 4096
TOPICS = ("ops.webhook.v1", "finance.dispute.v1", "ops.dead-letter.v1")


@contextmanager
def running(bootstrap, **changed):
    """A server on a free port, stopped in the end."""
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=bootstrap),
        webhooks=WebhookSettings(
            port=0,
            sources={"helpdesk": f"{SECRET} {OLDER}"},
            odoo_token=TOKEN,
            max_body_bytes=LIMIT,
            **changed,
        ),
    )
    stop, listening, ports = threading.Event(), threading.Event(), []

    def on_listening(port):
        ports.append(port)
        listening.set()

    thread = threading.Thread(
        target=serve, args=(settings,), kwargs={"database": "firm", "on_listening": on_listening, "stop": stop}
    )
    thread.start()
    try:
        assert listening.wait(10)
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def has_leaders(settings):
    """Topics that were just made have none for a moment."""
    try:
        return [end_offsets(settings, topic, range(6)) for topic in TOPICS]
    except Transient:
        return False


@pytest.fixture(scope="module")
def kafka(kafka_bootstrap):
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    topics.apply(settings, topics.plan(settings))
    wait_for(lambda: has_leaders(settings))
    return settings


@pytest.fixture(scope="module")
def url(kafka):
    with running(kafka.bootstrap_servers) as address:
        yield address


def payload(invoice, kind="dispute.opened", **data):
    moment = datetime.now(UTC).isoformat()
    return json.dumps({"type": kind, "timestamp": moment, "data": {"invoice_id": invoice, **data}})


def signed(body, *, delivery=None, secret=SECRET, at=None):
    delivery, at = delivery or f"msg_{uuid.uuid4().hex}", at or datetime.now(UTC)
    return {
        "content-type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(delivery, at, body),
    }


def post(url, body, headers):
    return httpx.post(f"{url}/webhooks/helpdesk", content=body, headers=headers)


def events(kafka, topic, /, **wanted):
    """The events of a topic whose current state has these values, in order."""
    found = [codec.decode(record.value()).value for record in read_to_end(kafka, topic)]
    return [event for event in found if all(event["current"][name] == value for name, value in wanted.items())]


def an_invoice():
    return uuid.uuid4().int % (1 << 30) + 1


def test_a_signed_dispute_is_an_event_and_a_raw_delivery_once_it_is_answered(url, kafka):
    invoice = an_invoice()
    body = payload(invoice, amount="4000.00", currency="EUR", reason="wrong hours")
    headers = signed(body)

    assert post(url, body, headers).status_code == 202

    [raw] = events(kafka, "ops.webhook.v1", delivery_id=headers["webhook-id"])
    [dispute] = events(kafka, "finance.dispute.v1", invoice_id=invoice)
    assert raw["current"]["body"] == body.encode()
    assert raw["current"]["verified"]
    assert dispute["meta"]["causation_id"] == raw["meta"]["event_id"]
    assert dispute["meta"]["source"] == "helpdesk"
    assert str(dispute["current"]["amount"]) == "4000.0000"


def test_the_older_secret_still_opens_while_it_is_replaced(url):
    body = payload(an_invoice())

    assert post(url, body, signed(body, secret=OLDER)).status_code == 202


def test_sent_again_it_is_welcome_and_changes_nothing(url, kafka):
    invoice = an_invoice()
    body = payload(invoice)
    delivery = f"msg_{uuid.uuid4().hex}"

    async def many():
        async with httpx.AsyncClient() as client:
            posts = [
                client.post(f"{url}/webhooks/helpdesk", content=body, headers=signed(body, delivery=delivery))
                for _ in range(20)
            ]
            return await asyncio.gather(*posts)

    assert {answer.status_code for answer in asyncio.run(many())} == {202}
    assert post(url, body, signed(body, delivery=delivery)).status_code == 202
    assert len(events(kafka, "ops.webhook.v1", delivery_id=delivery)) == 1
    assert len(events(kafka, "finance.dispute.v1", invoice_id=invoice)) == 1


def test_sent_again_after_a_restart_it_has_the_same_ids(url, kafka):
    invoice = an_invoice()
    body = payload(invoice)
    delivery = f"msg_{uuid.uuid4().hex}"
    assert post(url, body, signed(body, delivery=delivery)).status_code == 202

    with running(kafka.bootstrap_servers) as restarted:
        assert post(restarted, body, signed(body, delivery=delivery)).status_code == 202

    for topic, wanted in (
        ("ops.webhook.v1", {"delivery_id": delivery}),
        ("finance.dispute.v1", {"invoice_id": invoice}),
    ):
        found = events(kafka, topic, **wanted)
        assert len(found) == 2
        assert len({event["meta"]["event_id"] for event in found}) == 1


def test_what_maps_to_no_event_is_told_and_kept_raw_and_parked_with_an_owner(url, kafka):
    body = payload(an_invoice(), amount=12.5, currency="EUR")
    headers = signed(body)

    answer = post(url, body, headers)

    assert answer.status_code == 422
    assert "data.amount" in answer.json()["error"]
    assert len(events(kafka, "ops.webhook.v1", delivery_id=headers["webhook-id"])) == 1
    [letter] = events(kafka, "ops.dead-letter.v1", key=f"helpdesk:delivery:{headers['webhook-id']}".encode())
    assert letter["current"]["owner"] == "finance-operations"
    assert letter["current"]["value"] == body.encode()
    assert post(url, body, headers).status_code == 422
    assert len(events(kafka, "ops.dead-letter.v1", key=letter["current"]["key"])) == 1


def chunks(size):
    for _ in range(size // 512):
        yield b"x" * 512


@pytest.mark.parametrize(
    ("source", "given", "status"),
    [
        pytest.param("helpdesk", ("{}", {"content-type": "application/json"}), 401, id="unsigned"),
        pytest.param("helpdesk", ("{ }", signed("{}")), 401, id="not what was signed"),
        pytest.param("helpdesk", ("{}", signed("{}", secret=FORGED)), 401, id="forged"),
        pytest.param("helpdesk", ("{}", signed("{}", at=datetime.now(UTC) - timedelta(hours=1))), 400, id="a replay"),
        pytest.param("helpdesk", ("{}", signed("{}", at=datetime.now(UTC) + timedelta(hours=1))), 400, id="for later"),
        pytest.param("stranger", ("{}", signed("{}")), 404, id="unknown source"),
        pytest.param("helpdesk", ("{}", signed("{}") | {"content-type": "text/plain"}), 415, id="not JSON"),
        pytest.param("helpdesk", ("x" * (LIMIT + 1), signed("{}")), 413, id="declared too large"),
    ],
)
def test_what_is_turned_away_leaves_nothing_behind(url, kafka, source, given, status):
    body, headers = given

    assert httpx.post(f"{url}/webhooks/{source}", content=body, headers=headers).status_code == status

    assert not events(kafka, "ops.webhook.v1", delivery_id=headers.get("webhook-id", "none"))


def test_a_body_without_a_length_is_counted_while_it_is_read(url):
    answer = httpx.post(f"{url}/webhooks/helpdesk", content=chunks(LIMIT * 4), headers=signed("{}"))

    assert answer.status_code == 413


def test_odoos_post_is_a_hint_under_the_key_of_its_record(url, kafka):
    record = an_invoice()
    body = {"_action": "tell(#12)", "_id": record, "_model": "account.analytic.line", "unit_amount": 2.0}

    assert httpx.post(f"{url}/odoo/{TOKEN}", json=body).status_code == 202

    [hint] = events(kafka, "ops.webhook.v1", record_id=record)
    assert hint["meta"]["subject"] == f"odoo:firm:account.analytic.line:{record}"
    assert not hint["current"]["verified"]
    assert hint["current"]["action"] == "tell(#12)"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("guess", id="shorter"),
        pytest.param("T" * 43, id="as long"),
        pytest.param("t%C3%A9", id="not ASCII"),
    ],
)
def test_a_wrong_token_looks_like_no_such_place(url, token):
    assert httpx.post(f"{url}/odoo/{token}", json={}).status_code == 404


def test_a_hint_that_names_no_record_is_parked(url, kafka):
    marker = uuid.uuid4().hex

    assert httpx.post(f"{url}/odoo/{TOKEN}", json={"x": marker}).status_code == 422

    letters = events(kafka, "ops.dead-letter.v1", topic="/odoo")
    assert [letter for letter in letters if marker.encode() in letter["current"]["value"]]


def test_it_tells_that_it_lives_and_that_it_is_ready(url):
    assert httpx.get(f"{url}/health").json() == {"status": "ok"}
    assert httpx.get(f"{url}/ready").json() == {"status": "ready"}


@pytest.fixture(scope="module")
def cut_off():
    """A server whose broker is not there."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,  # bound, never answering: no other process can take the port
        running(f"127.0.0.1:{taken.getsockname()[1]}", ack_timeout=0.5, odoo_ack_timeout=0.3) as address,
    ):
        yield address


def test_without_kafka_a_sender_is_told_to_come_back(cut_off):
    body = payload(1)

    answer = post(cut_off, body, signed(body))

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_without_kafka_odoos_users_do_not_wait_for_it(cut_off):
    began = time.monotonic()

    answer = httpx.post(f"{cut_off}/odoo/{TOKEN}", json={"_id": 1, "_model": "res.partner"}, timeout=1.0)

    assert answer.status_code == 503
    assert time.monotonic() - began < 1.0  # Odoo's own limit, not a measurement


def test_without_kafka_it_lives_but_is_not_ready(cut_off):
    assert httpx.get(f"{cut_off}/health").status_code == 200
    ready = httpx.get(f"{cut_off}/ready")
    assert ready.status_code == 503
    assert ready.json()["remedy"]


def test_a_port_in_use_is_told_in_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(webhooks=WebhookSettings(port=taken.getsockname()[1]))
        with pytest.raises(Fatal, match="cannot listen on"):
            serve(settings, database="firm")


def test_bodies_that_no_record_could_hold_are_refused_at_the_start():
    settings = Settings(webhooks=WebhookSettings(port=0, max_body_bytes=1_048_588))

    with pytest.raises(Fatal, match=r"bodies of 1,048,588 bytes, and a record takes 1,048,588") as refused:
        serve(settings, database="firm")
    assert "BURNLINE_WEBHOOKS__MAX_BODY_BYTES" in refused.value.remedy


def test_a_secret_of_no_use_is_refused_by_the_name_of_its_setting():
    settings = Settings(webhooks=WebhookSettings(port=0, sources={"n8n": "whsec_short"}))

    with pytest.raises(Fatal, match="BURNLINE_WEBHOOKS__SOURCES__N8N"):
        serve(settings, database="firm")


SERVER = """
import sys
from infra.logs import configure
from infra.settings import Settings, KafkaSettings, WebhookSettings
from producers.webhooks import serve
configure()
settings = Settings(kafka=KafkaSettings(bootstrap_servers=sys.argv[1]), webhooks=WebhookSettings(port=0))
serve(settings, database="firm", on_listening=lambda port: print(port, flush=True))
print("served", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_ends_in_order(kafka, number):
    command = [sys.executable, "-c", SERVER, kafka.bootstrap_servers]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline())
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"))
        server.send_signal(number)
        told, _ = server.communicate(timeout=30)
    finally:
        server.kill()
        server.wait()
    assert "served" in told
    assert server.returncode == 0


def answers(address):
    try:
        return httpx.get(address).status_code == 200
    except httpx.TransportError:
        return False
