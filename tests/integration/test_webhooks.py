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
from producers.core.webhook_signature import signature
from producers.webhooks import serve
from schemas import codec

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OLDER = "whsec_" + base64.b64encode(b"o" * 32).decode()
FORGED = "whsec_" + base64.b64encode(b"f" * 32).decode()
TOKEN = "t" * 43
LIMIT = 4096
ODOOS = ("ops.dead-letter.v1", {"topic": "/odoo"})
TOPICS = ("ops.webhook.v1", "finance.dispute.v1", "ops.dead-letter.v1")


@contextmanager
def running(bootstrap, spool, **changed):
    """A server on a free port, stopped in the end."""
    changed = {
        "sources": {
            "helpdesk": f"{SECRET} {OLDER}",
            "walled": {"secret": SECRET, "kind": "helpdesk", "allow": ["203.0.113.0/24"]},
        },
        "odoo_ack_timeout": 0.9,  # the suites share few disks
        **changed,
    }
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=bootstrap),
        webhooks=WebhookSettings(
            port=0,
            odoo_token=TOKEN,
            max_body_bytes=LIMIT,
            spool_dir=spool,
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
def url(kafka, tmp_path_factory):
    with running(kafka.bootstrap_servers, tmp_path_factory.mktemp("spool"), proxies=["127.0.0.0/8"]) as address:
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


def signed_bytes(body):
    """The library signs text; the standard signs bytes."""
    delivery, at = f"msg_{uuid.uuid4().hex}", str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    return signed("") | {
        "webhook-id": delivery,
        "webhook-timestamp": at,
        "webhook-signature": signature(key, delivery, at, body),
    }


def post(url, body, headers):
    return httpx.post(f"{url}/webhooks/helpdesk", content=body, headers=headers)


def there(kafka, topic, wanted):
    found = [codec.decode(record.value()).value for record in read_to_end(kafka, topic)]
    return [event for event in found if all(event["current"][name] == value for name, value in wanted.items())]


def events(kafka, topic, /, least=1, **wanted):
    """The events of a topic whose current state has these values, in order, once so many are there."""
    wait_for(lambda: len(there(kafka, topic, wanted)) >= least, 60)
    return there(kafka, topic, wanted)


def marked(url, kafka):
    """A dispute that is on Kafka when this returns: what was sent before it is there, too, if it ever will be."""
    invoice = an_invoice()
    body = payload(invoice)
    assert post(url, body, signed(body)).status_code == 202
    events(kafka, "finance.dispute.v1", invoice_id=invoice)


def hint(url, record, **more):
    body = {"_action": "tell(#12)", "_id": record, "_model": "account.analytic.line", **more}
    return httpx.post(f"{url}/odoo/{TOKEN}", json=body)


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
    marked(url, kafka)
    assert len(events(kafka, "ops.webhook.v1", delivery_id=delivery)) == 1
    assert len(events(kafka, "finance.dispute.v1", invoice_id=invoice)) == 1


def test_sent_again_after_a_restart_it_is_known(kafka, tmp_path):
    invoice = an_invoice()
    body, delivery = payload(invoice), f"msg_{uuid.uuid4().hex}"
    for _ in range(2):
        with running(kafka.bootstrap_servers, tmp_path) as restarted:
            assert post(restarted, body, signed(body, delivery=delivery)).status_code == 202
            marked(restarted, kafka)
    assert len(events(kafka, "finance.dispute.v1", invoice_id=invoice)) == 1


def test_where_the_spool_was_lost_it_has_the_same_ids(url, kafka, tmp_path):
    invoice = an_invoice()
    body, delivery = payload(invoice), f"msg_{uuid.uuid4().hex}"
    assert post(url, body, signed(body, delivery=delivery)).status_code == 202
    with running(kafka.bootstrap_servers, tmp_path) as bereft:
        assert post(bereft, body, signed(body, delivery=delivery)).status_code == 202
        for topic, wanted in (
            ("ops.webhook.v1", {"delivery_id": delivery}),
            ("finance.dispute.v1", {"invoice_id": invoice}),
        ):
            found = events(kafka, topic, 2, **wanted)
            assert len({event["meta"]["event_id"] for event in found}) == 1


def test_an_id_used_for_another_body_is_a_conflict(url, kafka):
    first, second = payload(an_invoice()), payload(replayed := an_invoice())
    delivery = f"msg_{uuid.uuid4().hex}"
    assert post(url, first, signed(first, delivery=delivery)).status_code == 202
    assert post(url, second, signed(second, delivery=delivery)).status_code == 409
    assert post(url, first, signed(first, delivery=delivery)).status_code == 202
    marked(url, kafka)
    assert not there(kafka, "finance.dispute.v1", {"invoice_id": replayed})


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
    marked(url, kafka)
    assert len(events(kafka, "ops.dead-letter.v1", key=letter["current"]["key"])) == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(payload(7).encode()[:-9], id="cut off"),
        pytest.param(
            payload(7, reason="é").replace("\\u00e9", "é").encode("latin-1"), id="of another charset than UTF-8"
        ),
        pytest.param(b'{"type":' + b"[" * 40 + b"]" * 40 + b"}", id="nested too deeply"),
        pytest.param(b"<html>gateway time-out</html>", id="a page"),
    ],
)
def test_what_is_no_json_is_told_and_kept_raw_and_parked(url, kafka, body):
    headers = signed_bytes(body)
    answer = post(url, body, headers)
    assert answer.status_code == 400
    [raw] = events(kafka, "ops.webhook.v1", delivery_id=headers["webhook-id"])
    [letter] = events(kafka, "ops.dead-letter.v1", key=f"helpdesk:delivery:{headers['webhook-id']}".encode())
    assert raw["current"]["body"] == letter["current"]["value"] == body
    assert letter["current"]["error"] == answer.json()["error"]


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
        pytest.param(
            "helpdesk",
            ("{}", signed("{}") | {"content-type": "application/json; charset=latin-1"}),
            415,
            id="a charset that JSON does not have",
        ),
        pytest.param("helpdesk", ("x" * (LIMIT + 1), signed("{}")), 413, id="declared too large"),
        pytest.param("helpdesk", ("x" * 5_000_000, signed("{}")), 413, id="five megabytes"),
        pytest.param("walled", ("{}", signed("{}")), 403, id="from an address that its source may not call from"),
        pytest.param(
            "walled",
            ("{}", signed("{}") | {"x-forwarded-for": "203.0.113.9, 198.51.100.1"}),
            403,
            id="whoever calls may write what it likes before what the proxy wrote",
        ),
    ],
)
def test_what_is_turned_away_leaves_nothing_behind(url, kafka, source, given, status):
    body, headers = given

    assert httpx.post(f"{url}/webhooks/{source}", content=body, headers=headers).status_code == status

    marked(url, kafka)
    assert not there(kafka, "ops.webhook.v1", {"delivery_id": headers.get("webhook-id", "none")})


def test_whom_a_proxy_of_ours_names_may_call_where_the_list_says_so(url, kafka):
    invoice = an_invoice()
    body = payload(invoice)
    headers = signed(body) | {"x-forwarded-for": "198.51.100.1, 203.0.113.9"}

    assert httpx.post(f"{url}/webhooks/walled", content=body, headers=headers).status_code == 202
    events(kafka, "finance.dispute.v1", invoice_id=invoice)


def test_who_sends_too_often_is_told_when_to_come_back_and_others_are_not(kafka, tmp_path):
    def posted(url, key):
        body = payload(an_invoice())
        return post(url, body, signed(body, secret=key))

    with running(kafka.bootstrap_servers, tmp_path, rate=0.5) as url:
        assert [posted(url, FORGED).status_code for _ in range(3)] == [401] * 3  # a forger does not spend the rate
        assert [posted(url, SECRET).status_code for _ in range(2)] == [202, 429]
        assert 1 <= int(posted(url, SECRET).headers["retry-after"]) <= 2
        assert hint(url, an_invoice()).status_code == 202


def test_a_body_without_a_length_is_counted_while_it_is_read(url):
    answer = httpx.post(f"{url}/webhooks/helpdesk", content=chunks(LIMIT * 4), headers=signed("{}"))

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/webhooks/helpdesk", 405, id="deliveries are posted"),
        pytest.param("POST", "/ready", 404, id="windows are looked through"),
        pytest.param("POST", "/webhooks/helpdesk/more", 404, id="no such place"),
        pytest.param("GET", "/", 404, id="nothing here"),
    ],
)
def test_what_is_no_door_is_told_so(url, method, path, status):
    assert httpx.request(method, f"{url}{path}").status_code == status


def test_odoos_post_is_a_hint_under_the_key_of_its_record(url, kafka):
    record = an_invoice()

    assert hint(url, record, unit_amount=2.0).status_code == 202

    [found] = events(kafka, "ops.webhook.v1", record_id=record)
    assert found["meta"]["subject"] == f"odoo:firm:account.analytic.line:{record}"
    assert not found["current"]["verified"]
    assert found["current"]["action"] == "tell(#12)"


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


def test_a_hint_of_a_model_that_nothing_is_captured_of_is_parked(url, kafka):
    record = an_invoice()
    body = {"_id": record, "_model": "mail.message"}

    assert httpx.post(f"{url}/odoo/{TOKEN}", json=body).status_code == 422

    wait_for(lambda: [one for one in there(kafka, *ODOOS) if str(record).encode() in one["current"]["value"]], 60)


def test_a_hint_that_names_no_record_is_parked(url, kafka):
    marker = uuid.uuid4().hex

    assert httpx.post(f"{url}/odoo/{TOKEN}", json={"x": marker}).status_code == 422

    wait_for(lambda: marker.encode() in b"".join(letter["current"]["value"] for letter in there(kafka, *ODOOS)), 60)


def test_it_tells_that_it_lives_and_that_it_is_ready(url):
    assert httpx.get(f"{url}/health").json() == {"status": "ok"}
    ready = httpx.get(f"{url}/ready")
    assert ready.status_code == 200
    assert (ready.json()["status"], ready.json()["kafka"]) == ("ready", "answers")


def nobody():
    """An address that is bound and never answers, so that no other process can take its port."""
    return socket.create_server(("127.0.0.1", 0))


def at(taken):
    return f"127.0.0.1:{taken.getsockname()[1]}"


def test_without_kafka_deliveries_and_hints_are_taken_and_reach_it_later(kafka, tmp_path):
    invoice, record = an_invoice(), an_invoice()
    body = payload(invoice)

    with nobody() as taken, running(at(taken), tmp_path) as url:
        assert post(url, body, signed(body)).status_code == 202
        assert hint(url, record).status_code == 202
        ready = httpx.get(f"{url}/ready")
        assert ready.status_code == 200
        assert ready.json()["kafka"] == "away"
        assert ready.json()["waiting_bytes"] > 0
        assert ready.json()["remedy"]
        assert httpx.get(f"{url}/health").status_code == 200

    with running(kafka.bootstrap_servers, tmp_path):
        [dispute] = events(kafka, "finance.dispute.v1", invoice_id=invoice)
        [found] = events(kafka, "ops.webhook.v1", record_id=record)
    assert dispute["meta"]["recorded_at"] < found["meta"]["recorded_at"]


def test_a_full_spool_is_told_to_senders_and_on_the_readiness_page(tmp_path):
    reason = "x" * 2000
    with nobody() as taken, running(at(taken), tmp_path, spool_max_bytes=100_000) as url:
        answers = []
        while not answers or (answers[-1].status_code == 202 and len(answers) < 1000):
            body = payload(an_invoice(), reason=reason)
            answers.append(post(url, body, signed(body)))
        assert answers[-1].status_code == 503
        assert int(answers[-1].headers["retry-after"]) > 0
        assert httpx.get(f"{url}/ready").json()["waiting_bytes"] > 90_000


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


@pytest.mark.parametrize("token", ["short", f"{TOKEN} short", ""])
def test_a_token_that_could_be_guessed_is_refused(token):
    settings = Settings(webhooks=WebhookSettings(port=0, odoo_token=token))

    with pytest.raises(Fatal, match="BURNLINE_WEBHOOKS__ODOO_TOKEN"):
        serve(settings, database="firm")


def test_a_spool_in_use_is_told_in_a_sentence(kafka, tmp_path):
    own = WebhookSettings(port=0, spool_dir=tmp_path)
    with running(kafka.bootstrap_servers, tmp_path), pytest.raises(Fatal, match="another process has the spool"):
        serve(Settings(kafka=kafka, webhooks=own), database="firm")


def test_a_source_of_no_kind_is_refused_with_the_kinds_there_are():
    settings = Settings(webhooks=WebhookSettings(port=0, sources={"docusign": SECRET}))

    with pytest.raises(Fatal, match="BURNLINE_WEBHOOKS__SOURCES__DOCUSIGN: there is no kind") as refused:
        serve(settings, database="firm")
    assert "esign" in refused.value.remedy


def test_a_secret_of_no_use_is_refused_by_the_name_of_its_setting():
    settings = Settings(webhooks=WebhookSettings(port=0, sources={"n8n": "whsec_short"}))

    with pytest.raises(Fatal, match="BURNLINE_WEBHOOKS__SOURCES__N8N"):
        serve(settings, database="firm")


SERVER = """
import sys
from infra.logs import configure
from infra.settings import Settings, KafkaSettings, WebhookSettings
from producers.webhooks import serve
configure("debug")
kafka, spool, secrets, token = sys.argv[1:]
webhooks = WebhookSettings(port=0, spool_dir=spool, sources={"helpdesk": secrets}, odoo_token=token)
settings = Settings(kafka=KafkaSettings(bootstrap_servers=kafka), webhooks=webhooks)
serve(settings, database="firm", on_listening=lambda port: print(port, flush=True))
print("served", flush=True)
"""


@contextmanager
def own_process(kafka, spool):
    """A server in a process of its own, and its address."""
    command = [sys.executable, "-c", SERVER, kafka.bootstrap_servers, str(spool), f"{SECRET} {OLDER}", TOKEN]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        wait_for(lambda: answers(f"{url}/health"))
        yield server, url
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_ends_in_order(kafka, tmp_path, number):
    with own_process(kafka, tmp_path) as (server, _):
        server.send_signal(number)
        told, _ = server.communicate(timeout=30)
    assert "served" in told
    assert server.returncode == 0


def test_secrets_and_tokens_are_never_logged(kafka, tmp_path):
    with own_process(kafka, tmp_path) as (server, url):
        body = payload(an_invoice())
        post(url, body, signed(body))
        post(url, body, signed(body, secret=FORGED))
        hint(url, 1, x=SECRET)
        httpx.post(f"{url}/odoo/{TOKEN}", content=b"{")
        httpx.post(f"{url}/odoo/{TOKEN[1:]}", content=b"{}")
        server.terminate()
        out, err = server.communicate(timeout=30)
    assert "webhook_rejected" in err
    for secret in (SECRET, OLDER, TOKEN, TOKEN[1:], SECRET.removeprefix("whsec_")):
        assert secret not in out + err


def answers(address):
    try:
        return httpx.get(address).status_code == 200
    except httpx.TransportError:
        return False
