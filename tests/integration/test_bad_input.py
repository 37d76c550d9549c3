"""Bad input on a real broker: every record that cannot be handled is parked with its reason and its place, and the work goes on.

The engine runs the measures themselves, on topics of this test's own: good events before, between and after the bad ones must all count.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from infra.dead_letters import EXCERPT
from infra.errors import BurnlineError, PoisonMessage
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings, StreamsSettings
from schemas import codec
from schemas.events import Headers, cloudevents_headers, meta, odoo_key
from schemas.topics import Topic, topic
from streams import core
from streams.engine.engine import Engine
from streams.engine.topology import Topology
from streams.wiring import topology
from tests.support.drill import until
from tests.support.toy_world import working

pytestmark = pytest.mark.kafka
NOW = datetime(2026, 3, 30, 6, tzinfo=UTC)
TIMESHEET, PROJECT, CLOCK = "delivery.timesheet.v1", "delivery.project.v1", "ops.clock.v1"
LARGE = 12_000_000
MB = 1_000_000


def event(name: str, verb: str, subject: str, current: dict[str, Any]) -> dict[str, Any]:
    head = meta(
        topic(name), verb, source="odoo:firm", subject=subject, version=1, occurred_at=NOW, recorded_at=NOW,
        mode="poll", tenant="firm", company_id=1,
    )  # fmt: skip
    return {"meta": head, "previous": None, "current": current, "changed": []}


def timesheet(number: int, **changes: Any) -> dict[str, Any]:
    state = {
        "id": number, "employee_id": 3, "user_id": 4, "project_id": 5, "task_id": None, "company_id": 1,
        "date": date(2026, 3, 27), "minutes": 60, "billable": True, "billable_type": None, "leave": False, "approved": False,
        "status": "logged", "cost": Decimal(50), "currency": "EUR", "invoice_id": None, "order_line_id": None,
    }  # fmt: skip
    return event(TIMESHEET, "logged", odoo_key("firm", "account.analytic.line", number), {**state, **changes})


def project() -> dict[str, Any]:
    state = {
        "id": 5, "name": "Project", "client_id": 7, "manager_id": 2, "company_id": 1, "currency": "EUR", "timezone": "UTC",
        "account_id": 1, "budget_minutes": 6000, "budget_cost": None, "starts_on": None, "ends_on": None, "active": True,
        "status": None,
    }  # fmt: skip
    return event(PROJECT, "created", odoo_key("firm", "project.project", 5), state)


def tick() -> dict[str, Any]:
    head = event(CLOCK, "ticked", "clock:0", {})["meta"]
    return {"meta": head, "current": {"partition": 0, "at": NOW, "period_seconds": 60}}


class World:
    """The measures on topics of their own, of one partition each."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.kafka, self.prefix = KafkaSettings(bootstrap_servers=bootstrap), prefix
        whole = topology(core.Measures())
        self.topology = Topology(
            sources={prefix + name: topic(name).record for name in (TIMESHEET, PROJECT, CLOCK)},
            route=lambda name, content: core.route(name.removeprefix(prefix), content),
            processors=tuple(
                replace(
                    p,
                    input=prefix + p.input,
                    state=prefix + p.state,
                    measure=self.own(p.measure),
                    more={kind: self.own(other) for kind, other in p.more.items()},
                )
                for p in whole.processors
            ),
            clock=prefix + CLOCK,
            alerts=self.own(whole.alerts),
            dead_letters=self.own(whole.dead_letters),
        )
        inputs = [replace(topic(TIMESHEET), name=p.input, partitions=1) for p in self.topology.processors]
        states = [replace(topic(CLOCK), name=p.state, partitions=1, extra={}) for p in self.topology.processors]
        sources = [
            replace(topic(n), name=prefix + n, partitions=1, extra={"max.message.bytes": str(LARGE)})
            for n in (TIMESHEET, PROJECT, CLOCK)
        ]
        measures = {t.name: t for p in self.topology.processors for t in (p.measure, *p.more.values())}.values()
        declared = [*sources, *inputs, *states, *measures, self.topology.alerts, self.topology.dead_letters]
        topics.apply(self.kafka, topics.plan(self.kafka, declared), declared)
        self._producer = producer(KafkaSettings(bootstrap_servers=bootstrap, max_message_bytes=LARGE))

    def own(self, contract: Topic) -> Topic:
        return replace(contract, name=self.prefix + contract.name, partitions=1)

    def send(self, name: str, one: dict[str, Any], headers: Headers | None = None) -> None:
        told = cloudevents_headers(topic(name), one["meta"]) if headers is None else headers
        self.raw(name, codec.encode(topic(name).record, one), one["meta"]["subject"].encode(), told)

    def raw(self, name: str, value: bytes, key: bytes, headers: Headers | None = None) -> None:
        self._producer.produce(self.prefix + name, value, key, 0, headers=headers or [])
        assert self._producer.flush(30) == 0

    @contextmanager
    def worker(self) -> Iterator[Engine]:
        streams = StreamsSettings(
            instance="a", group=f"{self.prefix}group", session_timeout=6, transaction_timeout=10, linger=0.05
        )
        with working(Engine(Settings(kafka=self.kafka, streams=streams), self.topology)) as engine:
            yield engine

    def minutes(self, engine: Engine) -> int:
        found = engine.look_up("budget-burn", odoo_key("firm", "project.project", 5)).result(10)
        return 0 if found is None else found["current"]["actual_minutes"]

    def letters(self) -> dict[int, dict[str, Any]]:
        """Dead letters by the offset of the record they are about."""
        records = read_to_end(self.kafka, self.topology.dead_letters.name)
        letters = [codec.decode(record.value() or b"").value["current"] for record in records]
        return {letter["offset"]: letter for letter in letters}


@pytest.fixture
def world(kafka_bootstrap: str, topic_prefix: str) -> World:
    return World(kafka_bootstrap, topic_prefix)


GOOD = codec.encode(topic(TIMESHEET).record, timesheet(99))
OTHER = codec.encode("burnline.ops.TickEvent", tick())


def money_beyond_64_bits() -> bytes:
    plain = codec.decode_wire(GOOD).value
    plain["current"]["cost"] = b"\x7f" * 12
    return codec.encode_wire(topic(TIMESHEET).record, plain)


def contradicting(name: str) -> Headers:
    told = dict(cloudevents_headers(topic(TIMESHEET), timesheet(99)["meta"]))
    return list({**told, name: b"something else"}.items())


BAD: list[tuple[str, bytes, Headers | None, str, str]] = [
    ("nothing at all", b"", None, "empty", "streams.decode"),
    ("somebody wrote JSON", b'{"minutes": 60}', None, "wrong_magic", "streams.decode"),
    ("a schema nobody released", b"\x00\x00\x0f\x42\x3f" + GOOD[5:], None, "unknown_schema", "streams.decode"),
    ("cut short", GOOD[:-9], None, "truncated", "streams.decode"),
    ("something follows", GOOD + b"\x00", None, "malformed", "streams.decode"),
    ("a symbol from the future", GOOD.replace(b"\x04\x08firm", b"\x7e\x08firm"), None, "unknown_symbol", "streams.decode"),
    ("a record of another topic", OTHER, None, "wrong_record", "streams.decode"),
    ("another id in the header", GOOD, contradicting("ce_id"), "headers_contradict", "streams.decode"),
    ("another type in the header", GOOD, contradicting("ce_type"), "headers_contradict", "streams.decode"),
    ("another subject in the header", GOOD, contradicting("ce_subject"), "headers_contradict", "streams.decode"),
    ("more money than there is", money_beyond_64_bits(), None, "breaks_schema", "streams.frame"),
    ("ten megabytes of anything", b"\x07" * 10 * MB, None, "wrong_magic", "streams.decode"),
    ("ten megabytes with a header's beginning", GOOD[:5] + b"\x7f" * 10 * MB, None, "malformed", "streams.decode"),
]  # fmt: skip


def test_every_bad_record_is_parked_with_its_reason_and_its_place_and_the_good_ones_count(world: World) -> None:
    world.send(PROJECT, project())
    world.send(CLOCK, tick())
    good = offset = 0
    expected: dict[int, tuple[str, bytes, bytes, str, str]] = {}
    with world.worker() as engine:
        for number, (name, value, headers, reason, stage) in enumerate(BAD):
            world.send(TIMESHEET, timesheet(number))
            world.raw(TIMESHEET, value, f"bad-{number}".encode(), headers)
            expected[offset + 1] = (name, f"bad-{number}".encode(), value, reason, stage)
            good, offset = good + 1, offset + 2
        world.send(TIMESHEET, timesheet(100), headers=[])  # no headers: the value is what counts
        world.send(TIMESHEET, timesheet(101, currency="é" * 5 * MB))  # ten megabytes, and nothing wrong with them
        good += 2
        until(lambda: world.minutes(engine) == 60 * good, "all good events counted")
        until(lambda: len(world.letters()) >= len(BAD), "a letter for each bad one")
    letters = world.letters()
    for place, (name, key, value, reason, stage) in expected.items():
        letter = letters.pop(place)
        assert (letter["reason"], letter["stage"]) == (reason, stage), name
        assert (letter["topic"], letter["partition"]) == (world.prefix + TIMESHEET, 0), name
        assert letter["key"] == key, name
        assert letter["value"] == (value if len(value) < MB else value[:EXCERPT]), name
        assert letter["value_size"] == len(value), name
        assert letter["value_sha256"] == hashlib.sha256(value).hexdigest(), name
        assert letter["remedy"], name
    assert not letters, "nothing else was parked"


def test_a_header_that_is_no_text_stops_nothing(world: World) -> None:
    world.send(PROJECT, project())
    world.send(CLOCK, tick())
    world.send(TIMESHEET, timesheet(1), headers=[("traceparent", b"\xff\xfe"), ("empty", None)])
    world.send(TIMESHEET, timesheet(2), headers=[("ce_id", b"\xff\xfe")])
    world.send(TIMESHEET, timesheet(3))
    with world.worker() as engine:
        until(lambda: world.minutes(engine) == 120, "the good ones counted")
        until(lambda: len(world.letters()) == 1, "the bad one parked")
    assert world.letters()[1]["reason"] == "headers_contradict"


def test_a_producer_refuses_what_is_too_large_and_goes_on(kafka_bootstrap: str, topic_prefix: str) -> None:
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    own = replace(topic(TIMESHEET), name=f"{topic_prefix}own", partitions=1)
    topics.apply(kafka, topics.plan(kafka, [own]), [own])
    writer = EventWriter(producer(kafka))
    with pytest.raises(PoisonMessage, match=r"10,00\d,\d+ bytes is larger than .*own takes") as caught:
        writer.send(own, timesheet(1, currency="x" * 10 * MB))
    assert caught.value.reason == "too_large"
    writer.send(own, timesheet(2))
    writer.flush()
    assert len(list(read_to_end(kafka, own.name))) == 1


def test_topics_take_what_the_setting_says(kafka_bootstrap: str, topic_prefix: str) -> None:
    own = replace(topic(TIMESHEET), name=f"{topic_prefix}own", partitions=1)
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    topics.apply(kafka, topics.plan(kafka, [own]), [own])
    assert topics.plan(kafka, [own]) == []
    larger = KafkaSettings(bootstrap_servers=kafka_bootstrap, max_message_bytes=LARGE)
    writer = EventWriter(producer(larger))
    (change,) = topics.plan(larger, [own])
    assert (change.item, change.after) == ("max.message.bytes", str(LARGE))
    noise = random.Random(1).randbytes(3 * MB).hex()  # noqa: S311  what does not shrink: the broker counts compressed bytes
    writer.send(own, timesheet(1, currency=noise))
    with pytest.raises(BurnlineError, match="takes smaller records") as caught:
        writer.flush()
    assert "topics apply" in caught.value.remedy
    topics.apply(larger, [change], [own])
    writer.send(own, timesheet(1, currency=noise))
    writer.flush()
    (record,) = read_to_end(kafka, own.name)
    assert len(record.value() or b"") > 6 * MB
