"""Bad input to the capture: rows too large to send, hints and events nobody can read. Each is parked or told of; the rest goes on.

It has a broker of its own, since what it writes would be in the way of others.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import producers.capture
from infra.embedded_kafka import EmbeddedKafka
from infra.embedded_odoo import EmbeddedOdoo
from infra.errors import Fatal, PoisonMessage
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings
from producers.capture import hints
from schemas import codec
from schemas.events import Headers, cloudevents_headers, odoo_key
from schemas.topics import TOPICS
from tests.support.drill import until

pytestmark = pytest.mark.kafka
LINE, PROJECT = "account.analytic.line", "project.project"
TIMESHEET, PROJECTS = "delivery.timesheet.v1", "delivery.project.v1"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka")) as broker:
        settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        topics.apply(settings, topics.plan(settings))
        yield settings


@pytest.fixture
def settings(embedded: EmbeddedOdoo, kafka: KafkaSettings, settings_for: Any) -> Settings:
    made: Settings = settings_for(embedded, kafka)
    return made


@pytest.fixture
def line(embedded: EmbeddedOdoo, settings: Settings) -> int:
    """An hour of work on a project, captured."""
    with embedded.transaction() as transaction:
        project = transaction.create(PROJECT, {"name": "P"})
        line = transaction.create(LINE, {"name": "w", "project_id": project, "unit_amount": 1.0})
    once(settings)
    return line


def once(settings: Settings) -> dict[str, int]:
    return producers.capture.run(settings, {}, once=True, stop=threading.Event())


def events(kafka: KafkaSettings, name: str, key: str) -> list[Any]:
    """The events of a key that can be read."""
    found: list[Any] = []
    for record in read_to_end(kafka, name):
        if record.key() == key.encode():
            with contextlib.suppress(PoisonMessage):
                found.append(codec.decode_as(TOPICS[name].record, record.value() or b""))
    return found


def letters(kafka: KafkaSettings, **wanted: Any) -> list[Any]:
    """Dead letters of which these fields say this."""
    records = read_to_end(kafka, "ops.dead-letter.v1")
    found = [codec.decode(record.value() or b"").value["current"] for record in records]
    return [letter for letter in found if all(letter[name] == value for name, value in wanted.items())]


def write(kafka: KafkaSettings, name: str, key: str, value: bytes, headers: Headers | None = None) -> None:
    writer = EventWriter(producer(kafka))
    writer.send_bytes(name, key.encode(), value, headers)
    writer.flush()


def test_a_row_too_large_to_send_is_parked_once_and_the_others_go_on(
    embedded: EmbeddedOdoo, kafka: KafkaSettings, settings: Settings
) -> None:
    with embedded.transaction() as transaction:
        large = transaction.create(PROJECT, {"name": "x" * 2_000_000})
        small = transaction.create(PROJECT, {"name": "P"})
    once(settings)
    once(settings)
    assert len(events(kafka, PROJECTS, odoo_key(embedded.db, PROJECT, small))) == 1
    assert events(kafka, PROJECTS, odoo_key(embedded.db, PROJECT, large)) == []
    letter, *again = letters(kafka, key=odoo_key(embedded.db, PROJECT, large).encode())
    assert (letter["reason"], letter["stage"], letter["topic"]) == ("too_large", "capture.map", PROJECTS)
    assert letter["value_size"] > 2_000_000 > len(letter["value"])
    assert {one["value_sha256"] for one in again} <= {letter["value_sha256"]}, "a second run parks the same"
    with embedded.transaction() as transaction:
        transaction.write(PROJECT, [large], {"name": "short"})
    once(settings)
    (event,) = events(kafka, PROJECTS, odoo_key(embedded.db, PROJECT, large))
    assert event["current"]["name"] == "short"


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        pytest.param(lambda good: good[:-3], "truncated", id="cut short"),
        pytest.param(lambda good: b"{" + good[1:], "wrong_magic", id="no Avro"),
        pytest.param(
            lambda _: codec.encode_wire("burnline.internal.TickEntry", {"at": 1}), "wrong_record", id="another"
        ),
    ],
)
def test_an_event_that_nobody_can_read_is_parked_and_the_one_before_it_is_the_image(  # noqa: PLR0917  fixtures
    embedded: EmbeddedOdoo, kafka: KafkaSettings, settings: Settings, line: int, spoiled: Any, reason: str
) -> None:
    key = odoo_key(embedded.db, LINE, line)
    (first,) = events(kafka, TIMESHEET, key)
    good = codec.encode(TOPICS[TIMESHEET].record, first)
    ours: Headers = [("ce_source", f"odoo:{embedded.db}".encode())]
    write(kafka, TIMESHEET, key, spoiled(good), ours)
    write(kafka, TIMESHEET, odoo_key(embedded.db, LINE, 999_999), spoiled(good), ours)  # of a record that nobody knows
    with embedded.transaction() as transaction:
        transaction.write(LINE, [line], {"unit_amount": 2.0})
    once(settings)
    _, second = events(kafka, TIMESHEET, key)
    assert (second["meta"]["version"], second["previous"]) == (2, first["current"])
    found = letters(kafka, stage="capture.images", reason=reason)
    assert {letter["key"].decode() for letter in found if embedded.db in letter["key"].decode()} == {
        key,
        odoo_key(embedded.db, LINE, 999_999),
    }


def test_an_event_of_a_later_release_stops_the_capture_since_others_can_read_it(
    embedded: EmbeddedOdoo, kafka: KafkaSettings, settings: Settings, line: int
) -> None:
    ours: Headers = [("ce_source", f"odoo:{embedded.db}".encode())]
    write(kafka, TIMESHEET, odoo_key(embedded.db, LINE, line), b"\x00\x00\x0f\x42\x3f", ours)
    with pytest.raises(Fatal, match=rf"{LINE} {line} .* schema number 999999") as refused:
        once(settings)
    assert "update this program" in refused.value.remedy


def test_a_cursor_that_nobody_can_read_costs_a_reading_and_publishes_nothing_twice(
    embedded: EmbeddedOdoo, kafka: KafkaSettings, settings: Settings, line: int
) -> None:
    for model in (LINE, PROJECT):
        write(kafka, "internal.capture-cursor.v1", odoo_key(embedded.db, model, 0).rpartition(":")[0], b"\x07rubbish")
    assert once(settings) == {}
    assert len(events(kafka, TIMESHEET, odoo_key(embedded.db, LINE, line))) == 1
    assert once(settings) == {}


def test_hints_that_are_none_are_parked_with_their_reasons_and_the_capture_goes_on(  # noqa: PLR0917  fixtures
    embedded: EmbeddedOdoo,
    kafka: KafkaSettings,
    settings: Settings,
    line: int,
    begin: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = odoo_key(embedded.db, LINE, line)
    own = dataclasses.replace(TOPICS["ops.webhook.v1"], name=f"test.{embedded.db}.hints", partitions=1)
    topics.apply(kafka, topics.plan(kafka, [own]), [own])
    monkeypatch.setattr(hints, "DELIVERIES", own)
    running = begin(settings)
    delivery = {
        "delivery_id": "d", "webhook_source": "odoo", "verified": False, "received_at": read_meta(kafka, key)["recorded_at"],
        "content_type": "application/json", "body": b"{}", "model": LINE, "record_id": line, "action": None,
    }  # fmt: skip
    event = {"meta": read_meta(kafka, key), "current": delivery}
    good = codec.encode(own.record, event)

    def parked() -> set[str]:
        return {letter["reason"] for letter in letters(kafka, topic=own.name, stage="capture.hints")}

    def told() -> bool:
        """Hints count from the moment the capture listens, so they are given until it does."""
        running.check()
        write(kafka, own.name, key, b"no Avro")
        write(kafka, own.name, key, good[:-2])
        write(kafka, own.name, key, codec.encode_wire("burnline.internal.TickEntry", {"at": 1}))
        told_otherwise = {**dict(cloudevents_headers(own, event["meta"])), "ce_subject": b"another"}  # type: ignore[arg-type]
        write(kafka, own.name, key, good, list(told_otherwise.items()))
        return parked() >= {"wrong_magic", "truncated", "wrong_record", "headers_contradict"}

    until(told, "a letter for each kind")
    with embedded.transaction() as transaction:
        transaction.write(LINE, [line], {"unit_amount": 3.0})
    until(lambda: len(events(kafka, TIMESHEET, key)) == 2, "the next change")
    running.end()


def read_meta(kafka: KafkaSettings, key: str) -> Any:
    return events(kafka, TIMESHEET, key)[0]["meta"]
