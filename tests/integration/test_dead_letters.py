"""The queue of dead letters, on a real broker: listed, tried again in order, discarded, edited; decided whole or not at all."""

from __future__ import annotations

import base64
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from structlog.testing import CapturingLogger
from typer.testing import CliRunner

from burnline.cli import app
from burnline.commands.output import plain
from burnline.docs.samples import sample
from consumers import dead_letters, dead_letters_desk, dead_letters_plan, dead_letters_watch
from consumers.core import reentry
from consumers.core.letter_queue import Filter
from consumers.core.policy import Policy
from infra.dead_letters import DEAD_LETTERS, parked
from infra.errors import Fatal, PoisonMessage
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings, WebhookSettings
from producers.core.webhook_signature import signature
from producers.webhooks import intake, serve
from schemas import codec
from schemas.topics import TOPICS, topic
from tests.support.drill import until

NOW = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)
INVOICES = "finance.invoice.v1"
SUBJECT = "odoo:firm:account.move:138"


class Desk:
    """Topics of this test's own, under the names that the programs know them by."""

    def __init__(self, kafka: KafkaSettings, prefix: str) -> None:
        self.settings = Settings(kafka=kafka)
        self.letters = replace(DEAD_LETTERS, name=f"{prefix}letters", partitions=2)
        self.hints = replace(topic("ops.webhook.v1"), name=f"{prefix}hints", partitions=1)
        self.invoices = replace(topic(INVOICES), name=f"{prefix}invoices", partitions=1)
        self.consultants = replace(topic("people.consultant.v1"), name=f"{prefix}consultants", partitions=1)
        own = [self.letters, self.hints, self.invoices, self.consultants]
        topics.apply(kafka, topics.plan(kafka, own), own)
        self.known = {**TOPICS, **{one.name: one for one in own}}
        self.writer = EventWriter(producer(kafka))

    def write(self, *letters):
        for one in letters:
            self.writer.send(self.letters, one)
        self.writer.flush()

    def record(self, version: int, *, subject: str = SUBJECT, value: bytes | None = None) -> int:
        """Put a version of an invoice on its topic; returns its offset."""
        event = sample(topic(INVOICES))
        event["meta"] |= {"subject": subject, "version": version}
        data = codec.encode(self.invoices.record, event) if value is None else value
        headers = [("ce_source", b"odoo:firm"), ("ce_id", event["meta"]["event_id"].encode())]
        self.writer.send_bytes(self.invoices.name, subject.encode(), data, headers)
        self.writer.flush()
        return max(record.offset() for record in read_to_end(self.settings.kafka, self.invoices.name))

    def park(self, offset: int, **more):
        given = {"key": SUBJECT.encode(), "value": b"\x01bad", "headers": None, "stage": "streams.decode", "at": NOW}
        given |= {"error": PoisonMessage("broken", remedy="mend it", reason="wrong_magic")} | more
        letter = parked(given.pop("topic", self.invoices.name), 0, offset, **given)
        self.write(letter)
        return letter["meta"]["event_id"]

    def status(self, identity):
        return dead_letters.queue(self.settings).letters[identity].status

    def on(self, contract):
        return list(read_to_end(self.settings.kafka, contract.name))


@pytest.fixture
def desk(kafka_bootstrap, topic_prefix, monkeypatch):
    made = Desk(KafkaSettings(bootstrap_servers=kafka_bootstrap), topic_prefix)
    monkeypatch.setattr(dead_letters, "TOPIC", made.letters)
    monkeypatch.setattr(dead_letters_desk, "DESK", f"{topic_prefix}desk")
    monkeypatch.setattr(dead_letters_desk, "DELIVERIES", made.hints)
    monkeypatch.setattr(reentry, "TOPICS", made.known)
    monkeypatch.setattr("burnline.commands.dlq_decide.TOPICS", made.known)
    monkeypatch.setattr("infra.logs.configure", lambda _level: None)  # it would log into a file that the runner closes
    monkeypatch.setenv("BURNLINE_KAFKA__BOOTSTRAP_SERVERS", kafka_bootstrap)
    return made


def dlq(*arguments):
    done = CliRunner().invoke(app, ["dlq", *arguments, "--json"])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def letter(offset, *, name="delivery.timesheet.v1", minutes=0):
    error = PoisonMessage("broken", remedy="mend it")
    at = NOW + timedelta(minutes=minutes)
    return parked(
        name, 0, offset, key=uuid.uuid4().bytes, value=b"v", headers=None, error=error, stage="streams", at=at
    )


def offsets(settings, **wanted):
    found = dead_letters.letters(dead_letters.queue(settings), Filter(**wanted))
    return [one.event["current"]["offset"] for one in found]


def test_they_come_newest_first_and_are_found_by_topic_and_owner(desk):
    desk.write(letter(1, minutes=5), letter(2, minutes=9, name=INVOICES), letter(3, minutes=1))

    assert offsets(desk.settings) == [2, 1, 3]
    assert offsets(desk.settings, topic=INVOICES) == [2]
    assert offsets(desk.settings, owner="delivery-operations") == [1, 3]
    assert offsets(desk.settings, owner="nobody") == []


def test_a_letter_parked_twice_shows_as_one(desk):
    once = letter(1)
    desk.write(once, once)

    assert offsets(desk.settings) == [1]


def test_the_list_shows_reasons_and_ends_with_1_where_a_letter_cannot_be_read(desk):
    desk.writer.send_bytes(desk.letters.name, b"k", b"\x07rubbish", partition=1)
    other = codec.encode_wire("burnline.internal.TickEntry", {"at": 1})
    desk.writer.send_bytes(desk.letters.name, b"k", other, partition=1)
    desk.write(letter(1))

    code, (shown,), told = dlq("list")

    assert code == 1
    assert (shown["offset"], shown["reason"], shown["value_size"]) == (1, "rejected", 1)
    assert shown["value"] == "***", "a timesheet is about a person"
    assert "partition 1, offset 0: the first byte is 7" in told
    assert "what to do:" in told


def test_a_letter_is_shown_whole_with_its_record_in_words(desk):
    event = sample(topic(INVOICES))
    identity = desk.park(0, value=codec.encode(desk.invoices.record, event), stage="streams.route")

    code, (shown,), _ = dlq("show", identity[:10])

    assert code == 0
    assert (shown["id"], shown["stage"], shown["status"], shown["decisions"]) == (
        identity,
        "streams.route",
        "parked",
        [],
    )
    assert shown["record"]["current"]["number"] == event["current"]["number"]


def test_a_letter_goes_back_to_the_end_of_its_partition_and_is_known_there(desk):
    at = desk.record(3)
    identity = desk.park(at)

    code, (row,), told = dlq("retry", identity, "--reason", "mended in 1.4", "--yes")

    assert (code, row["outcome"], row["how"]) == (0, "retried", "as a record"), told
    first, copy = desk.on(desk.invoices)
    assert (copy.key(), copy.value(), copy.partition()) == (first.key(), first.value(), first.partition())
    headers = dict(copy.headers())
    assert headers["burnline-letter"] == identity.encode()
    assert "ce_source" not in headers, "capture must not take it for its own last word"
    assert headers["ce_id"] == dict(first.headers())["ce_id"]
    (one,) = dead_letters.queue(desk.settings).letters.values()
    assert (one.status, one.decisions[0].note) == ("retried", "mended in 1.4")

    desk.write(
        parked(
            desk.invoices.name, 0, copy.offset(), key=copy.key(), value=copy.value(), headers=copy.headers(),
            error=PoisonMessage("still broken"), stage="streams.decode", at=NOW + timedelta(hours=1),
        )
    )  # fmt: skip
    (again,) = dead_letters.queue(desk.settings).letters.values()
    assert (again.identity, again.status, again.event["current"]["attempts"]) == (identity, "parked", 2)
    assert again.event["current"]["first_failed_at"] == NOW


def test_a_letter_behind_which_a_newer_record_stands_does_not_go_back(desk):
    at = desk.record(3)
    identity = desk.park(at)
    desk.record(9, subject="odoo:firm:account.move:999")
    newer = desk.record(4)

    code, (row,), _ = dlq("retry", identity, "--reason", "again", "--yes")

    assert (code, row["outcome"]) == (1, "refused")
    assert f"a newer record of {SUBJECT} stands at offset {newer}" in row["how"]
    assert "discard" in row["remedy"]
    assert len(desk.on(desk.invoices)) == 3
    assert desk.status(identity) == "parked"


def test_what_comes_in_while_a_copy_is_on_its_way_stays_the_last_word(desk):
    desk.record(1, subject="odoo:firm:account.move:1")
    overtaken, fine = desk.park(desk.record(3)), desk.park(0, key=b"odoo:firm:account.move:1")
    plans = dead_letters_plan.plan(
        desk.settings.kafka, dead_letters.letters(dead_letters.queue(desk.settings), Filter()), Policy()
    )
    assert {one.way for one in plans} == {reentry.Way.RECORD}
    desk.record(4)  # after the look, before the copy

    dead_letters_desk.Desk(desk.settings, "ada").retry(plans, "again")

    versions = [codec.decode(record.value()).value["meta"]["version"] for record in desk.on(desk.invoices)]
    assert versions == [1, 3, 4, 1]
    assert (desk.status(overtaken), desk.status(fine)) == ("parked", "retried")
    (refused,) = [one.way for one in plans if isinstance(one.way, reentry.Refusal)]
    assert "came in while it was sent back" in refused.why


def test_a_row_of_odoo_is_read_again_and_nothing_of_it_travels(desk):
    key = b"odoo:firm:hr.employee:7"
    identity = desk.park(-1, topic="people.consultant.v1", key=key, value=b"Ada Example", stage="capture.map")

    code, (row,), _ = dlq("retry", "--key", key.decode(), "--reason", "mended in Odoo", "--yes")

    assert (code, row["how"]) == (0, "as a hint")
    (hint,) = desk.on(desk.hints)
    told = codec.decode(hint.value()).value["current"]
    assert (hint.key(), told["model"], told["record_id"]) == (key, "hr.employee", 7)
    assert all(b"Ada" not in (record.value() or b"") for record in desk.on(desk.letters))
    assert desk.status(identity) == "retried"


def test_a_withheld_record_is_read_where_it_stands_and_is_gone_once_it_was_erased(desk):
    desk.writer.send_bytes(desk.consultants.name, b"who", b"Ada Example")
    desk.writer.flush()
    common = {"key": b"who", "value": b"Ada Example", "stage": "streams.decode"}
    held, gone = (desk.park(offset, topic=desk.consultants.name, **common) for offset in (0, 7))
    (one, other) = (dead_letters.queue(desk.settings).letters[identity] for identity in (held, gone))
    one.event["current"]["value"] = other.event["current"]["value"] = None  # as `parked` withholds it of the real topic

    found, lost = dead_letters_plan.plan(desk.settings.kafka, [one, other], Policy())

    assert (found.way, found.value) == (reentry.Way.RECORD, b"Ada Example")
    assert isinstance(lost.way, reentry.Refusal)
    assert "is gone from its topic" in lost.way.why


def test_an_edited_record_goes_back_in_the_place_of_the_broken_one(desk, tmp_path):
    at = desk.record(3, value=b"\x01bad")
    identity = desk.park(at)
    file = tmp_path / "mended.json"
    event = sample(topic(INVOICES))
    event["meta"]["subject"] = SUBJECT
    file.write_text(json.dumps(event, default=plain))

    code, (row,), told = dlq("edit", identity, "--record", str(file), "--reason", "a byte was lost", "--yes")

    assert (code, row["outcome"]) == (0, "retried"), told
    _, copy = desk.on(desk.invoices)
    assert codec.decode(copy.value()).value["meta"]["subject"] == SUBJECT
    (one,) = dead_letters.queue(desk.settings).letters.values()
    assert one.decisions[0].note.startswith("a byte was lost (edited: ")


def test_discarding_records_who_and_why_and_a_dry_run_decides_nothing(desk, monkeypatch):
    monkeypatch.setenv("BURNLINE_OPERATOR__NAME", "ada")
    one, other = desk.park(1), desk.park(2)

    code, rows, _ = dlq("discard", "--because", "wrong_magic", "--reason", "a test sender", "--dry-run")
    assert (code, {row["outcome"] for row in rows}, desk.status(one)) == (0, {"would be discarded"}, "parked")

    code, rows, _ = dlq("discard", one, "--reason", "a test sender", "--yes")
    assert (code, desk.status(one), desk.status(other)) == (0, "discarded", "parked")
    (decision,) = dead_letters.queue(desk.settings).letters[one].decisions
    assert (decision.by, decision.note) == ("ada", "a test sender")
    assert [row["id"] for row in dlq("list")[1]] == [other]
    assert [row["id"] for row in dlq("list", "--status", "discarded")[1]] == [one]
    code, (row,), _ = dlq("retry", one, "--reason", "after all", "--yes")
    assert (code, row["outcome"], row["how"]) == (1, "refused", "it was discarded already")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--reason", "r"], "no letter is named", id="all of them is nobody's wish"),
        pytest.param(["--topic", INVOICES, "--reason", " "], "without a reason", id="no reason"),
        pytest.param(
            ["--stage", "streams.decode", "--limit", "1", "--reason", "r"], "no more than 1", id="more than the limit"
        ),
        pytest.param(["ffffffff", "--reason", "r"], "no letter ffffffff", id="no such letter"),
    ],
)
def test_a_wrong_call_decides_nothing(desk, arguments, said):
    desk.park(1), desk.park(2)
    done = CliRunner().invoke(app, ["dlq", "discard", *arguments, "--yes"])
    assert isinstance(done.exception, Fatal)
    assert said in str(done.exception)
    assert {one.status for one in dead_letters.queue(desk.settings).letters.values()} == {"parked"}


SECRET, NEWER = ("whsec_" + base64.b64encode(letter * 24).decode() for letter in (b"0", b"1"))
TOKEN = "t" * 43
DISPUTE = json.dumps(
    {"type": "dispute.opened", "timestamp": NOW.isoformat(), "data": {"invoice_id": 138, "opened_on": "2026-03-01"}}
).encode()
HINT = b'{"_model": "account.move", "_id": 138}'


@pytest.fixture
def server(desk, tmp_path, monkeypatch):
    """The real webhook server, whose letters are this desk's; and the settings of one who works the queue beside it."""
    monkeypatch.setattr(intake, "DEAD_LETTERS", desk.letters)
    monkeypatch.setattr(intake, "DELIVERIES", desk.hints)
    monkeypatch.setattr("producers.webhooks.app.log", CapturingLogger())  # it shares standard output with the command
    topics.apply(desk.settings.kafka, topics.plan(desk.settings.kafka))
    sources = {
        "helpdesk": f"{SECRET},{NEWER}",
        "walled": {"secret": SECRET, "kind": "helpdesk", "allow": ["203.0.113.0/24"]},
    }
    own = {"sources": sources, "odoo_token": TOKEN, "spool_dir": tmp_path / "spool", "odoo_ack_timeout": 0.9}
    settings = Settings(kafka=desk.settings.kafka, webhooks=WebhookSettings(port=0, **own))
    stop, ports = threading.Event(), queue.SimpleQueue()
    running = {"database": "firm", "on_listening": ports.put, "stop": stop}
    thread = threading.Thread(target=serve, args=(settings,), kwargs=running)
    thread.start()
    try:
        port = ports.get(timeout=60)
        monkeypatch.setenv("BURNLINE_WEBHOOKS__PORT", str(port))
        monkeypatch.setenv("BURNLINE_WEBHOOKS__SOURCES", json.dumps(sources))
        monkeypatch.setenv("BURNLINE_WEBHOOKS__ODOO_TOKEN", TOKEN)
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nobody is there: it is not to be gone through
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        thread.join(60)


def failed(desk, *, attempts, count=1):
    """The letters once the last of them was refused so often. What the server took reaches Kafka a little later."""
    for _ in range(240):
        found = list(dead_letters.queue(desk.settings).letters.values())
        if len(found) >= count and max(one.event["current"]["attempts"] for one in found) >= attempts:
            break
        time.sleep(0.25)
    assert len(found) == count
    assert max(one.event["current"]["attempts"] for one in found) == attempts
    return found


def knock(server, door, body):
    """Post as a sender does: signed at the door of a source, under its token as Odoo."""
    headers = {"content-type": "application/json"}
    if door == "/odoo":
        return httpx.post(f"{server}{door}/{TOKEN}", content=body, headers=headers, trust_env=False)
    delivery, at = f"msg_{uuid.uuid4().hex}", str(int(time.time()))
    said = signature(base64.b64decode(SECRET.removeprefix("whsec_")), delivery, at, body)
    headers |= {"webhook-id": delivery, "webhook-timestamp": at, "webhook-signature": said}
    return httpx.post(server + door, content=body, headers=headers, trust_env=False)


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(("/webhooks/helpdesk", b'{"type": "dispute.opened"}', 422), id="signed, and of no use"),
        pytest.param(("/webhooks/helpdesk", b'{"type": "\xe9"}', 400), id="signed, and no text"),
        pytest.param(("/odoo", b'{"_model": "no.model", "_id": 7}', 422), id="of Odoo, under its token"),
    ],
)
def test_a_refused_delivery_stays_one_letter_until_it_is_mended(desk, server, tmp_path, refused):
    """Whatever proxy the environment names: the post goes to the server beside, as the sender would have signed it."""
    door, body, status = refused
    assert knock(server, door, body).status_code == status
    ((letter,), before) = failed(desk, attempts=1), len(desk.on(desk.hints))

    for attempts in (2, 3):
        code, (row,), said = dlq("retry", "--stage", "webhooks", "--reason", "again", "--yes")
        assert (code, row["outcome"]) == (1, "refused"), said
        assert f"refused it again, with {status}:" in row["how"]
        assert row["remedy"] == "mend the body with `burnline dlq edit`"
        (again,) = failed(desk, attempts=attempts)
        assert (again.identity, again.status) == (letter.identity, "parked")
        assert again.event["meta"]["subject"] == letter.event["meta"]["subject"]
        assert again.event["current"]["first_failed_at"] == letter.event["current"]["first_failed_at"]

    file, mended = tmp_path / "body.json", HINT if door == "/odoo" else DISPUTE
    file.write_bytes(mended)
    code, (row,), said = dlq("edit", letter.identity, "--value", str(file), "--reason", "it was incomplete", "--yes")

    assert (code, row["outcome"], desk.status(letter.identity)) == (0, "retried", "retried"), said
    until(lambda: len(desk.on(desk.hints)) > before, "the delivery")
    assert codec.decode(desk.on(desk.hints)[-1].value()).value["current"]["body"] == mended
    failed(desk, attempts=3)


def test_a_delivery_that_this_machine_may_not_post_says_what_would_let_it(desk, server, monkeypatch):
    def parked_at(door):
        letter = parked(
            door,
            -1,
            -1,
            key=b"k",
            value=b"{}",
            headers=None,
            error=PoisonMessage("e", remedy="r"),
            stage="webhooks",
            at=NOW,
        )
        desk.write(letter)
        return letter["meta"]["event_id"]

    walled, forged, gone = parked_at("/webhooks/walled"), parked_at("/webhooks/helpdesk"), parked_at("/webhooks/gone")
    sources = {"walled": SECRET, "helpdesk": "whsec_" + base64.b64encode(b"f" * 24).decode()}
    monkeypatch.setenv("BURNLINE_WEBHOOKS__SOURCES", json.dumps(sources))

    code, rows, _ = dlq("retry", "--stage", "webhooks", "--reason", "again", "--yes")

    assert code == 1
    found = {row["id"]: (row["how"], row["remedy"]) for row in rows}
    assert "may not call from this address" in found[walled][0]
    assert "add this machine's to `allow`" in found[walled][1]
    assert "no signature matches" in found[forged][0]
    assert "give this machine the secret" in found[forged][1]
    assert found[gone][0] == "this machine has no secret of the source gone"
    assert {one.status for one in dead_letters.queue(desk.settings).letters.values()} == {"parked"}


KILLED = """
import os, signal, sys
from dataclasses import replace
from consumers import dead_letters, dead_letters_desk, dead_letters_plan
from consumers.core import reentry
from consumers.core.letter_queue import Filter
from consumers.core.policy import Policy
from infra.settings import KafkaSettings, Settings
from schemas.topics import TOPICS, topic

bootstrap, prefix = sys.argv[1:]
settings = Settings(kafka=KafkaSettings(bootstrap_servers=bootstrap))
dead_letters.TOPIC = replace(dead_letters.TOPIC, name=prefix + "letters")
dead_letters_desk.DESK = prefix + "desk"
reentry.TOPICS = {**TOPICS, prefix + "invoices": replace(topic("finance.invoice.v1"), name=prefix + "invoices")}
desk = dead_letters_desk.Desk(settings, "ada")
plans = dead_letters_plan.plan(settings.kafka, dead_letters.letters(dead_letters.queue(settings), Filter()), Policy())

class Dying:
    def __getattr__(self, name):
        return getattr(producer, name)
    def commit_transaction(self, *_):
        os.kill(os.getpid(), signal.SIGKILL)

producer, desk._producer = desk._producer, Dying()
desk._writer.producer = producer
desk.retry(plans, "again")
"""


@pytest.mark.drill
def test_killed_before_the_commit_neither_the_copy_nor_the_decision_is_there_and_the_next_desk_goes_on(
    desk, topic_prefix
):
    identity = desk.park(desk.record(3))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, desk.settings.kafka.bootstrap_servers, topic_prefix],
        check=False,
        env={**os.environ},
    )
    assert done.returncode == -signal.SIGKILL
    dead_letters_desk.Desk(desk.settings, "ada")  # whoever takes the desk next ends what the dead one left open
    assert desk.status(identity) == "parked"
    assert len(desk.on(desk.invoices)) == 1

    code, _, told = dlq("retry", identity, "--reason", "again", "--yes")

    assert code == 0, told
    assert (desk.status(identity), len(desk.on(desk.invoices))) == ("retried", 2)


def test_a_storm_of_ten_thousand_is_told_five_times_whoever_watches_in_between(desk, topic_prefix, monkeypatch):
    alerts = replace(topic("governance.alert.v1"), name=f"{topic_prefix}alerts", partitions=1)
    topics.apply(desk.settings.kafka, topics.plan(desk.settings.kafka, [alerts]), [alerts])
    monkeypatch.setattr(dead_letters_watch, "LETTERS", desk.letters)
    monkeypatch.setattr(dead_letters_watch, "ALERTS", alerts)
    monkeypatch.setattr(dead_letters_watch, "WATCH", f"{topic_prefix}watch")
    storm = [letter(offset) for offset in range(10_000)]
    desk.write(*storm[:60])

    def levels():
        return [codec.decode(record.value()).value["current"]["level"] for record in desk.on(alerts)]

    def watched_until(count):
        stop = threading.Event()
        thread = threading.Thread(target=dead_letters_watch.watch, args=(desk.settings.kafka, stop))
        thread.start()
        try:
            for _ in range(240):
                if len(levels()) >= count:
                    break
                time.sleep(0.25)
        finally:
            stop.set()
            thread.join()

    watched_until(2)
    assert levels() == ["1", "10"]
    desk.write(*storm[60:])
    watched_until(5)
    watched_until(5)  # a third one finds that all of it was told

    assert levels() == ["1", "10", "100", "1000", "10000"]
