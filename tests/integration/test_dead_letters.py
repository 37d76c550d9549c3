"""The list of dead letters, on a real broker."""

import dataclasses
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from burnline.cli import app
from consumers import dead_letters as module
from consumers.dead_letters import dead_letters
from infra.dead_letters import DEAD_LETTERS, parked
from infra.errors import PoisonMessage
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings
from schemas import codec

NOW = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)


@pytest.fixture
def settings(kafka_bootstrap, topic_prefix, monkeypatch):
    """Settings, and a topic of dead letters of this test's own."""
    made = Settings(kafka=KafkaSettings(bootstrap_servers=kafka_bootstrap))
    own = dataclasses.replace(DEAD_LETTERS, name=f"{topic_prefix}letters", partitions=2)
    topics.apply(made.kafka, topics.plan(made.kafka, [own]), [own])
    monkeypatch.setattr(module, "TOPIC", own)
    return made


def letter(offset, *, topic="delivery.timesheet.v1", minutes=0):
    error = PoisonMessage("broken", remedy="mend it")
    at = NOW + timedelta(minutes=minutes)
    return parked(
        topic, 0, offset, key=uuid.uuid4().bytes, value=b"v", headers=None, error=error, stage="streams", at=at
    )


def write(settings, *letters):
    writer = EventWriter(producer(settings.kafka))
    for one in letters:
        writer.send(module.TOPIC, one)
    writer.flush()


def offsets(letters):
    return [one["current"]["offset"] for one in letters]


def test_they_come_newest_first(settings):
    write(settings, letter(1, minutes=5), letter(2, minutes=9), letter(3, minutes=1))

    assert offsets(dead_letters(settings)) == [2, 1, 3]
    assert offsets(dead_letters(settings, limit=1)) == [2]


def test_they_are_found_by_topic_and_by_owner(settings):
    write(settings, letter(1), letter(2, topic="finance.invoice.v1"))

    assert offsets(dead_letters(settings, topic="finance.invoice.v1")) == [2]
    assert offsets(dead_letters(settings, owner="delivery-operations")) == [1]
    assert dead_letters(settings, owner="nobody") == []


def test_a_letter_parked_twice_shows_as_one(settings):
    once = letter(1)
    write(settings, once, once)

    assert offsets(dead_letters(settings)) == [1]


@pytest.fixture
def broken(settings):
    """A letter, something that is none, and another record."""
    writer = EventWriter(producer(settings.kafka))
    writer.send_bytes(module.TOPIC.name, b"k", b"\x07rubbish", partition=1)
    writer.send_bytes(module.TOPIC.name, b"k", codec.encode_wire("burnline.internal.TickEntry", {"at": 1}), partition=1)
    writer.send(module.TOPIC, letter(1), partition=0)
    writer.flush()


@pytest.mark.usefixtures("broken")
def test_a_letter_that_cannot_be_read_is_told_of_and_the_others_are_listed(settings):
    told = []

    assert offsets(dead_letters(settings, told=told.append)) == [1]
    assert [(one.topic, one.partition, one.offset, one.reason) for one in told] == [
        (module.TOPIC.name, 1, 0, "wrong_magic"),
        (module.TOPIC.name, 1, 1, "wrong_record"),
    ]


@pytest.mark.usefixtures("broken")
def test_the_list_shows_reasons_and_ends_with_1_where_a_letter_cannot_be_read(settings, monkeypatch):
    monkeypatch.setattr("infra.logs.configure", lambda _level: None)  # it would log into a file that the runner closes
    monkeypatch.setenv("BURNLINE_KAFKA__BOOTSTRAP_SERVERS", settings.kafka.bootstrap_servers)

    done = CliRunner().invoke(app, ["dlq", "list", "--json"])

    assert done.exit_code == 1
    (shown,) = map(json.loads, done.stdout.splitlines())
    assert (shown["offset"], shown["reason"], shown["value_size"]) == (1, "rejected", 1)
    assert "partition 1, offset 0: the first byte is 7" in done.stderr
    assert "what to do:" in done.stderr
