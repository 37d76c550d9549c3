"""The list of dead letters, on a real broker."""

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from consumers import dead_letters as module
from consumers.dead_letters import dead_letters
from infra.dead_letters import DEAD_LETTERS, parked
from infra.errors import PoisonMessage
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings

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


def test_a_letter_that_cannot_be_read_is_named(settings):
    writer = EventWriter(producer(settings.kafka))
    writer.send_bytes(module.TOPIC.name, b"k", b"\x07rubbish", partition=1)
    writer.flush()

    with pytest.raises(PoisonMessage, match="partition 1, offset 0"):
        dead_letters(settings)
