"""Lag, tail and show on a real broker."""

import dataclasses
import json
import threading
import time
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewTopic
from typer.testing import CliRunner

from burnline.cli import app
from burnline.commands.look import COLUMNS
from consumers import show
from consumers.core.lag_verdict import Verdict
from consumers.lag import lag
from consumers.show import budget_burn, disputes, utilization
from consumers.tail import tail
from infra.errors import Fatal, Transient
from infra.kafka import topics
from infra.kafka.clients import admin, consumer, producer, transactional_producer
from infra.kafka.reader import end_offsets, latest_offsets
from infra.kafka.unread import Unread
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings
from schemas import codec
from schemas.events import meta
from schemas.topics import topic

CURSOR = {
    "model": "m", "snapshot_done": True, "snapshot_id": 4, "high_water": None, "swept_at": None,
    "snapshot_rows": 0, "snapshot_expected": None, "snapshot_began_at": None, "fields": [],
}  # fmt: skip
NOW = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def settings(kafka_bootstrap):
    return Settings(kafka=KafkaSettings(bootstrap_servers=kafka_bootstrap))


@pytest.fixture
def name(settings, topic_prefix):
    """A topic of this test's own, with one partition."""
    made = f"{topic_prefix}records"
    client = admin(settings.kafka)
    client.create_topics([NewTopic(made, 1, 1)])[made].result()

    def has_leader():
        try:
            return end_offsets(settings.kafka, made, [0])
        except Transient:
            return False

    wait_for(has_leader)
    return made


def write(settings, name, *values, keys=None):
    writer = EventWriter(producer(settings.kafka))
    for key, value in zip(keys or [b"k"] * len(values), values, strict=True):
        writer.send_bytes(name, key, value, partition=0)
    writer.flush()


def member(settings, name, group):
    """A consumer that is in the group and has read nothing yet."""
    made = consumer(settings.kafka, group=group)
    made.subscribe([name])
    wait_for(lambda: made.poll(0.1) or made.assignment())
    return made


def of(settings, group):
    return [found for found in lag(settings, looks=3, interval=0.2) if found.group == group]


def test_a_group_without_members_is_stopped_while_records_wait(settings, name, topic_prefix):
    write(settings, name, *[b"x"] * 10)
    one = member(settings, name, topic_prefix)
    one.commit(offsets=[TopicPartition(name, 0, 4)], asynchronous=False)
    one.close()

    [found] = of(settings, topic_prefix)

    assert (found.topic, found.partition, found.committed, found.end, found.lag) == (name, 0, 4, 10, 6)
    assert (found.members, found.verdict) == (0, Verdict.STOPPED)


def test_a_group_that_has_read_everything_is_ok(settings, name, topic_prefix):
    write(settings, name, *[b"x"] * 10)
    one = member(settings, name, topic_prefix)
    one.commit(offsets=[TopicPartition(name, 0, 10)], asynchronous=False)
    one.close()

    [found] = of(settings, topic_prefix)

    assert (found.lag, found.verdict) == (0, Verdict.OK)


def test_a_member_that_does_not_move_is_stalled(settings, name, topic_prefix):
    write(settings, name, *[b"x"] * 10)
    one = member(settings, name, topic_prefix)
    one.commit(offsets=[TopicPartition(name, 0, 4)], asynchronous=False)
    try:
        [found] = of(settings, topic_prefix)
    finally:
        one.close()

    assert (found.members, found.verdict) == (1, Verdict.STALLED)


def test_offsets_of_a_topic_that_was_deleted_are_left_out(settings, name, topic_prefix):
    write(settings, name, b"x")
    one = member(settings, name, topic_prefix)
    one.commit(offsets=[TopicPartition(name, 0, 0)], asynchronous=False)
    one.close()
    client = admin(settings.kafka)
    client.delete_topics([name])[name].result()

    wait_for(lambda: of(settings, topic_prefix) == [])


def test_without_a_broker_the_address_is_named():
    with pytest.raises(Transient, match=r"127\.0\.0\.1:1") as failed:
        lag(Settings(kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1")))
    assert failed.value.remedy


def test_tail_shows_records_tombstones_and_what_cannot_be_decoded(settings, name):
    write(settings, name, codec.encode("burnline.internal.CaptureCursor", CURSOR), None, b"\x07rubbish")

    first, second, third = tail(settings, name, from_beginning=True, follow=False)

    assert (first["topic"], first["partition"], first["offset"], first["key"]) == (name, 0, 0, "k")
    assert (first["type"], first["value"]) == ("burnline.internal.CaptureCursor", CURSOR)
    assert second["tombstone"]
    assert third["raw"] == b"\x07rubbish".hex()
    assert third["reason"] == "wrong_magic"
    json.dumps([first, second, third])


def test_tail_ends_after_as_many_as_are_wanted(settings, name):
    write(settings, name, *[None] * 5)

    assert [shown["offset"] for shown in tail(settings, name, from_beginning=True, limit=3)] == [0, 1, 2]


def test_tail_ends_at_once_where_there_is_nothing(settings, name):
    assert list(tail(settings, name, from_beginning=True, follow=False)) == []


def test_tail_ends_behind_the_markers_of_transactions_and_leaves_aborted_records_out(settings, name, topic_prefix):
    made = transactional_producer(settings.kafka, topic_prefix, timeout=10)
    for value, finish in ((b"kept", made.commit_transaction), (b"undone", made.abort_transaction)):
        made.begin_transaction()
        made.produce(name, value, b"k", 0)
        made.flush()
        finish()

    shown = list(tail(settings, name, from_beginning=True, follow=False))

    assert [record["raw"] for record in shown] == [b"kept".hex()]


def test_tail_follows_from_the_end_until_it_is_stopped(settings, name):
    write(settings, name, None)
    stop, shown = threading.Event(), []

    def follow():
        shown.extend(record["offset"] for record in tail(settings, name, stop=stop))

    thread = threading.Thread(target=follow)
    thread.start()

    def another_is_seen():
        write(settings, name, None)
        return shown

    wait_for(another_is_seen)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert shown[0] > 0


def test_tail_of_a_topic_that_is_not_there_names_those_that_are(settings):
    with pytest.raises(Fatal, match=r"measure\.nothing\.v1") as failed:
        list(tail(settings, "measure.nothing.v1"))
    assert "measure.utilization.v1" in failed.value.remedy


@pytest.fixture(scope="module")
def applied(settings):
    topics.apply(settings.kafka, topics.plan(settings.kafka))

    def have_leaders():
        try:
            return latest_offsets(settings.kafka, {name: one.partitions for name, one in topics.TOPICS.items()})
        except Transient:
            return False

    wait_for(have_leaders, 180)


def event(contract, verb, subject, current, *, version=1, derived=False):
    made = {
        "meta": meta(
            contract,
            verb,
            source="test",
            subject=subject,
            version=version,
            occurred_at=NOW,
            recorded_at=NOW,
            mode="poll",
            tenant="firm",
            company_id=1,
        ),
        "current": current,
    }
    return made if derived else made | {"previous": None, "changed": []}


def invoice(number, name):
    texts = {
        "number": name,
        "move_type": "out_invoice",
        "status": "posted",
        "payment_status": "not_paid",
        "timezone": "UTC",
    }
    money = dict.fromkeys(("total", "residual", "company_residual", "company_total"), Decimal("10.0000"))
    absent = dict.fromkeys(
        (
            "partner_id",
            "invoice_date",
            "due_date",
            "currency",
            "company_currency",
            "reversed_id",
            "responsible_id",
            "company_id",
        )
    )
    return {"id": number, **texts, **money, **absent}


def aging(number, client, revision):
    numbers = {
        "invoice_id": number,
        "client_id": client,
        "company_id": 1,
        "episode": 1,
        "days_open": 31,
        "business_days_open": 22,
    }
    money = {"amount": Decimal("4000.0000"), "company_amount": Decimal("4000.0000"), "currency": "EUR"}
    days = {
        "opened_on": date(2026, 2, 10),
        "closed_on": None,
        "as_of": date(2026, 3, 13),
        "days_past_due": None,
        "sla_days": 21,
    }
    rest = {
        "status": "open",
        "bucket_open": "31-60",
        "bucket_past_due": None,
        "formula": "1",
        "moved_by": [],
        "reasons": [],
    }
    return {**numbers, **money, **days, **rest, "revision": revision}


def client(number, name):
    return {
        "id": number,
        "name": name,
        "reference": None,
        "is_company": True,
        "parent_id": None,
        "country": None,
        "active": True,
        "company_id": None,
    }


@pytest.mark.usefixtures("applied")
def test_show_joins_the_latest_measure_with_the_latest_names(settings):
    number, partner = (uuid.uuid4().int % 10**9 for _ in range(2))
    subject = f"odoo:test-{number}:account.move:{number}"
    measures, invoices, clients = (
        topic("measure.dispute-aging.v1"),
        topic("finance.invoice.v1"),
        topic("sales.client.v1"),
    )
    writer = EventWriter(producer(settings.kafka))
    for revision in (1, 2):
        writer.send(
            measures,
            event(measures, "measured", subject, aging(number, partner, revision), version=revision, derived=True),
        )
        writer.send(invoices, event(invoices, "posted", subject, invoice(number, f"INV/{revision}"), version=revision))
        writer.send(
            clients, event(clients, "changed", f"c{partner}", client(partner, f"Acme {revision}"), version=revision)
        )
    writer.flush()

    [shown] = [row for row in disputes(settings) if row["subject"] == subject]
    assert (shown["name"], shown["client"], shown["revision"], shown["amount"]) == ("INV/2", "Acme 2", 2, 4000.0)

    writer.send_bytes(clients.name, f"c{partner}".encode(), None)  # the client is erased
    writer.flush()
    [shown] = [row for row in disputes(settings) if row["subject"] == subject]
    assert shown["client"] is None

    writer.send_bytes(measures.name, subject.encode(), None)
    writer.flush()
    assert [row for row in disputes(settings) if row["subject"] == subject] == []


@pytest.mark.usefixtures("applied")
@pytest.mark.parametrize("measure", [utilization, budget_burn, disputes])
def test_show_gives_objects_that_are_json(settings, measure):
    for row in measure(settings):
        json.dumps(row)


def test_show_tells_of_every_row_that_it_leaves_out(settings, name):
    own = dataclasses.replace(topic("measure.dispute-aging.v1"), name=name)
    head = event(own, "measured", "odoo:f:account.move:1", aging(1, 2, 1), version=1, derived=True)
    write(settings, name, codec.encode(own.record, head), b"\x07rubbish", keys=(b"good", b"bad"))
    told = []

    assert [subject for subject, _ in show._latest(settings.kafka, own, told.append)] == ["good"]
    assert [(one.topic, one.partition, one.offset, one.reason) for one in told] == [(name, 0, 1, "wrong_magic")]


def test_show_tells_why_a_measure_is_doubtful_and_of_no_other(settings, name, monkeypatch):
    own = dataclasses.replace(topic("measure.dispute-aging.v1"), name=name)
    doubtful, fine = ({**aging(number, 2, 1), "reasons": ["no_due_date"] * (number == 1)} for number in (1, 2))
    records = [
        codec.encode(own.record, event(own, "measured", f"odoo:f:account.move:{number}", one, version=1, derived=True))
        for number, one in ((1, doubtful), (2, fine))
    ]
    write(settings, name, *records, keys=(b"one", b"two"))
    monkeypatch.setattr(show, "TOPICS", {name: own})
    monkeypatch.setattr(show, "MEASURE", name.partition(".")[0] + ".")

    assert [(row["subject"], row["reasons"]) for row in show.quality(settings)] == [("one", ["no_due_date"])]


def test_show_ends_with_1_where_a_row_is_missing(settings, monkeypatch):
    def missing(_settings, told):
        told(Unread("measure.utilization.v1", 0, 7, "truncated", "it is [cut] short", "mend it"))
        yield dict.fromkeys(COLUMNS["utilization"], "x")

    monkeypatch.setattr(show, "utilization", missing)
    monkeypatch.setattr("infra.logs.configure", lambda _level: None)  # it would log into a file that the runner closes
    monkeypatch.setenv("BURNLINE_KAFKA__BOOTSTRAP_SERVERS", settings.kafka.bootstrap_servers)

    done = CliRunner().invoke(app, ["show", "utilization", "--json"])

    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 1
    assert "not read: measure.utilization.v1, partition 0, offset 7: it is [cut] short" in done.stderr
