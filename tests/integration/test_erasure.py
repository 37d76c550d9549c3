"""Erasing a person, on a real broker: the log itself is read after compaction, and holds nothing of them."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from burnline.cli import app
from burnline.docs.samples import sample
from consumers import erasure
from infra.errors import Fatal
from infra.kafka import topics
from infra.kafka.clients import consumer, producer
from infra.kafka.compaction import EAGER, eagerly_compacted
from infra.kafka.reader import read_to_end
from infra.kafka.states import states
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings, StreamsSettings
from schemas import codec
from schemas.topics import topic
from tests.support.toy import entry

PERSON, OTHER = "odoo:firm:hr.employee:7", "odoo:firm:hr.employee:71"
NAME, FORMER, ELSE = "Ada Example", "Ada Former", "Bea Example"
NAMES = (
    "people.consultant.v1",
    "measure.utilization.v1",
    "internal.utilization-state.v1",
    "delivery.timesheet.v1",
    "ops.webhook.v1",
    "ops.dead-letter.v1",
)


@pytest.fixture
def firm(kafka_bootstrap, topic_prefix, monkeypatch):
    """Two consultants in topics of this test's own: their records, measures and rows of state, in partition 1 of 2."""
    own = [replace(topic(name), name=topic_prefix + name, partitions=2) for name in NAMES]
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    topics.apply(kafka, topics.plan(kafka, own), own)
    monkeypatch.setattr(erasure, "TOPICS", {one.name: one for one in own})
    monkeypatch.setattr("infra.logs.configure", lambda _level: None)  # it would log into a file that the runner closes
    monkeypatch.setenv("BURNLINE_KAFKA__BOOTSTRAP_SERVERS", kafka_bootstrap)
    monkeypatch.setenv("BURNLINE_STREAMS__GROUP", f"{topic_prefix}streams")
    consultants, measures, state, timesheets, _, _ = own
    writer = EventWriter(producer(kafka))
    for subject, name, former in ((PERSON, NAME, FORMER), (OTHER, ELSE, ELSE)):
        for told in (former, name):
            event = sample(consultants)
            event["meta"]["subject"], event["current"]["name"], event["previous"] = subject, told, None
            writer.send(consultants, event, partition=1)
        measure = sample(measures)
        measure["meta"]["subject"] = subject
        writer.send(measures, measure, partition=1)
        row = codec.encode_wire("burnline.internal.TimeEntry", entry(subject, "r"))
        writer.send_bytes(state.name, f"{subject}\x1fr".encode(), row, partition=1)
        writer.send(timesheets, sample(timesheets))
    writer.flush()
    return Settings(kafka=kafka), {one.name.removeprefix(topic_prefix): one for one in own}


def erase(*arguments):
    done = CliRunner().invoke(app, ["privacy", "erase", PERSON, "--reason", "request 1", "--json", *arguments])
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def everything(settings, contract):
    return [
        (record.key(), record.value(), dict(record.headers() or ()))
        for record in read_to_end(settings.kafka, contract.name, uncommitted=True)
    ]


def test_after_compaction_the_log_holds_nothing_of_the_person_and_all_of_the_other(firm):
    settings, own = firm
    before = states(settings.kafka, [one.name for one in own.values()])

    done, rows = erase("--yes")

    assert done.exit_code == 0, done.stderr
    assert {(row["key"], row["state"]) for row in rows} == {(PERSON, "written"), (f"{PERSON}\x1fr", "written")}
    logs = {name: everything(settings, contract) for name, contract in own.items()}
    for name in NAMES[:3]:
        mine = [(value, headers) for key, value, headers in logs[name] if erasure.is_about(key, PERSON)]
        assert mine, "the tombstone tells subscribers"
        assert {value for value, _ in mine} == {None}
        assert mine[0][1]["reason"] == b"request 1"
        assert [value for key, value, _ in logs[name] if erasure.is_about(key, OTHER)][-1]
    said = b"\n".join(value or b"" for log in logs.values() for _, value, _ in log)
    assert NAME.encode() not in said
    assert FORMER.encode() not in said
    assert ELSE.encode() in said
    assert states(settings.kafka, [one.name for one in own.values()]) == before, "settings are as they were"

    again, nothing = erase("--yes")
    assert (again.exit_code, nothing) == (0, [])
    assert "nothing is left" in again.stderr


def test_a_dry_run_shows_what_is_held_and_changes_nothing(firm):
    settings, own = firm
    before = {name: everything(settings, contract) for name, contract in own.items()}

    done, rows = erase("--dry-run")

    assert done.exit_code == 0, done.stderr
    assert {row["state"] for row in rows if row["kind"] == "tombstone"} == {"would be written"}
    assert [row["part"] for row in rows if row["kind"] == "remains"] == ["value"] * 4
    assert {name: everything(settings, contract) for name, contract in own.items()} == before


def test_a_name_elsewhere_is_told_and_only_where_others_spoke_it_is_documented(firm):
    settings, own = firm
    writer = EventWriter(producer(settings.kafka))
    writer.send_bytes(own["ops.webhook.v1"].name, b"d", b'{"contact": "Ada Example"}')
    writer.send_bytes(own["delivery.timesheet.v1"].name, b"t", b"a name that should not be here: Ada Example")
    writer.flush()

    done, rows = erase("--yes")

    found = {row["topic"]: row["documented"] for row in rows if row["kind"] == "remains"}
    assert found == {own["ops.webhook.v1"].name: True, own["delivery.timesheet.v1"].name: False}
    assert done.exit_code == 1


def test_without_compaction_it_says_that_the_records_are_still_there(firm):
    done, rows = erase("--yes", "--no-compact")

    assert done.exit_code == 1
    assert {row["kind"] for row in rows} == {"tombstone", "remains"}
    _, again = erase("--yes", "--no-compact")
    assert {row["state"] for row in again if row["kind"] == "tombstone"} == {"there"}, "no second tombstone"


def test_settings_that_a_killed_erasure_left_behind_are_taken_away_by_the_next(firm):
    settings, own = firm
    contract = own["people.consultant.v1"]

    def changed():
        return {item for item in EAGER if item in states(settings.kafka, [contract.name])[contract.name].set_here}

    held = eagerly_compacted(settings.kafka, [contract.name])
    held.__enter__()  # and never left
    assert changed() == set(EAGER)

    with eagerly_compacted(settings.kafka, [contract.name]):
        assert changed() == set(EAGER)

    assert changed() == set()


def test_a_worker_of_the_streams_would_write_it_again_so_they_must_be_stopped(kafka_bootstrap, topic_prefix):
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    own = replace(topic("ops.clock.v1"), name=f"{topic_prefix}source", partitions=1)
    topics.apply(kafka, topics.plan(kafka, [own]), [own])
    settings = Settings(kafka=kafka, streams=StreamsSettings(group=f"{topic_prefix}streams"))
    erasure.refuse_running_streams(settings)
    joined = threading.Event()
    member = consumer(kafka, group=settings.streams.group)
    member.subscribe([own.name], on_assign=lambda *_: joined.set())
    try:
        for _ in range(300):
            member.poll(0.2)
            if joined.is_set():
                break
        assert joined.is_set()
        with pytest.raises(Fatal, match=r"1 worker\(s\)"):
            erasure.refuse_running_streams(settings)
    finally:
        member.close()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["Ada Example", "--reason", "r"], id="a name is no key"),
        pytest.param([PERSON, "--reason", " "], id="no reason"),
        pytest.param([PERSON], id="no reason at all"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_asked_of_the_broker(monkeypatch, arguments):
    monkeypatch.setattr("infra.logs.configure", lambda _level: None)
    monkeypatch.setenv("BURNLINE_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    assert CliRunner().invoke(app, ["privacy", "erase", *arguments]).exit_code != 0
