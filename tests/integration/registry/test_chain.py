"""From Odoo to a measure with a registry in between: the same bytes as without, also for readers that know nothing of Burnline.

Every process is the real one, on a broker of its own, since the topics are those of the registry of topics.
"""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from infra.embedded_kafka import EmbeddedKafka
from infra.embedded_odoo import EmbeddedOdoo
from infra.kafka import topics
from infra.kafka.clients import consumer, producer
from infra.kafka.reader import partitions_of, read_to_end
from infra.odoo.client import Odoo, connect
from infra.registry.start import resolve
from infra.settings import KafkaSettings, OdooSettings, RegistrySettings
from schemas import codec, numbering
from schemas.numbering import Numbering
from schemas.released import index
from schemas.topics import TOPICS
from streams.engine.failures import EXIT_TRANSIENT
from tests.integration.registry.conftest import Published, variables
from tests.support.registries import Forwarding, Gateway

TIMESHEETS, BURN, DEAD_LETTERS = "delivery.timesheet.v1", "measure.budget-burn.v1", "ops.dead-letter.v1"
UNKNOWN = 987_654
DEADLINE = 90.0


class Firm:
    """A consultant with a line of work in an Odoo, captured and measured by real processes."""

    def __init__(self, odoo: EmbeddedOdoo, broker: EmbeddedKafka, registry: str, folder: Path) -> None:
        self.kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        self.registry = RegistrySettings(url=registry, cache_dir=folder / "registry")
        self._folder, self._registry = folder, registry
        self._odoo: Odoo = connect(OdooSettings(url=odoo.url, db=odoo.db, user=odoo.user, password=odoo.password))
        self._variables = variables(
            ODOO_URL=odoo.url,
            ODOO_DB=odoo.db,
            ODOO_USER=odoo.user,
            ODOO_PASSWORD=odoo.password,
            BURNLINE_KAFKA__BOOTSTRAP_SERVERS=broker.bootstrap_servers,
            BURNLINE_REGISTRY__URL=registry,
            BURNLINE_REGISTRY__CACHE_DIR=str(folder / "registry"),
            BURNLINE_REGISTRY__PATIENCE="2",
            BURNLINE_STREAMS__WEB_PORT="0",
            BURNLINE_STREAMS__DATA_DIR=str(folder / "streams"),
            BURNLINE_STREAMS__SESSION_TIMEOUT="6",
            BURNLINE_CAPTURE__OVERLAP="20",
            BURNLINE_CLOCK__PERIOD="5",
        )
        topics.apply(self.kafka, topics.plan(self.kafka))
        self._measures = consumer(self.kafka, group=f"test.{uuid.uuid4()}", fetch_wait_max_ms=100)
        self._measures.assign([TopicPartition(BURN, partition, 0) for partition in partitions_of(self.kafka, BURN)])
        self._minutes: float | None = None
        employee = self._create("hr.employee", name="Ada", hourly_cost=50.0)
        project = self._create("project.project", name="Engine", allow_timesheets=True, allocated_hours=100.0)
        self.line = self._create(
            "account.analytic.line", name="work", project_id=project, employee_id=employee, unit_amount=2.0,
            date="2026-03-05",
        )  # fmt: skip
        self.subject = f"odoo:{odoo.db}:project.project:{project}".encode()

    def _create(self, model: str, **values: object) -> int:
        made: list[int] = self._odoo.call(model, "create", vals_list=[values])
        return made[0]

    def work(self, hours: float) -> None:
        self._odoo.call("account.analytic.line", "write", [self.line], vals={"unit_amount": hours})

    @contextmanager
    def running(self, *names: str) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
        """These commands, until the context ends; an assertion that fails shows what they said."""
        started: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for name in names:
                with self._log(name).open("wb") as log:
                    command = [sys.executable, "-m", "burnline", name]
                    started[name] = subprocess.Popen(command, env=self._variables, stdout=log, stderr=log)
            yield started
        except AssertionError as error:
            said = {name: self._log(name).read_text()[-3000:] for name in started}
            raise AssertionError(f"{error}\n{said}") from error
        finally:
            for process in started.values():
                process.terminate()
            for process in started.values():
                process.wait(60)

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def records(self, topic: str) -> list[Message]:
        return list(read_to_end(self.kafka, topic))

    def values(self, topic: str) -> list[bytes]:
        """What was written on a topic by anybody but `send`."""
        values = (record.value() for record in self.records(topic))
        return [value for value in values if value is not None and value[1:5] != UNKNOWN.to_bytes(4)]

    def measured(self, hours: float) -> bool:
        """Whether the measure of the project has come to hold this much work."""
        for record in self._measures.consume(100, 0.2):
            if record.key() == self.subject and (value := record.value()):
                self._minutes = codec.decode(value).value["current"]["actual_minutes"]
        return self._minutes == hours * 60

    def close(self) -> None:
        self._measures.close()

    def send(self, topic: str, value: bytes) -> None:
        """A record of somebody else."""
        client = producer(self.kafka)
        client.produce(topic, value, b"odoo:elsewhere:account.analytic.line:1")
        assert client.flush(30) == 0


@contextmanager
def firm_at(registry: str, folder: Path) -> Iterator[Firm]:
    with (
        EmbeddedKafka(folder / "kafka") as broker,
        EmbeddedOdoo(folder / "firm.db", db=f"firm-{uuid.uuid4().hex[:8]}") as odoo,
    ):
        firm = Firm(odoo, broker, registry, folder)
        try:
            yield firm
        finally:
            firm.close()


def until(condition: Callable[[], bool], what: str, *, every: float = 0.1) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE:.0f} s: {what}"
        time.sleep(every)


def as_bundled(value: bytes, numbers: Numbering) -> bytes:
    """What the record would be without the registry: decoded with its numbers, encoded with the released ones."""
    numbering.use(numbers)
    name, plain = codec.decode_wire(value)
    numbering.use(numbering.Released())
    return codec.encode_wire(name, plain)


def check_bytes(firm: Firm) -> None:
    """Every record on every topic is what it would be without the registry."""
    numbers = resolve(firm.registry, index())
    seen = set()
    for topic in TOPICS:
        for value in firm.values(topic):
            assert value == as_bundled(value, numbers), topic
            seen.add(topic)
    assert {TIMESHEETS, BURN, "ops.clock.v1", "internal.capture-cursor.v1", "internal.budget-burn-state.v1"} <= seen


def check_stock_readers(firm: Firm) -> None:
    """The deserializer of confluent-kafka, which knows the registry and nothing of Burnline, reads what we read."""
    read = AvroDeserializer(SchemaRegistryClient({"url": firm.registry.url}))
    numbering.use(resolve(firm.registry, index()))
    for topic in (TIMESHEETS, BURN):
        for value in firm.values(topic):
            theirs, ours = read(value, SerializationContext(topic, MessageField.VALUE)), codec.decode(value).value
            assert with_text_for_uuids(theirs) == ours


def with_text_for_uuids(value: Any) -> Any:
    match value:
        case uuid.UUID():
            return str(value)
        case dict():
            return {name: with_text_for_uuids(inner) for name, inner in value.items()}
        case list():
            return [with_text_for_uuids(inner) for inner in value]
    return value


@pytest.mark.kafka
def test_with_a_registry_the_bytes_are_those_without_one(
    published: Published, own_numbers: None, tmp_path: Path
) -> None:
    """And while the registry is away, who knows its numbers goes on; what nobody knows waits, and is parked in the end."""
    with (
        Gateway(Forwarding(published.url)) as gateway,
        firm_at(gateway.url, tmp_path) as firm,
        firm.running("clock"),
    ):
        numbering.use(resolve(firm.registry, index()))
        with firm.running("capture", "streams"):
            until(lambda: firm.measured(2.0), "the first line in the measure")
            gateway.stop()
            firm.work(3.0)
            until(lambda: firm.measured(3.0), "work goes on while the registry is away")
        with firm.running("capture", "streams") as processes:
            firm.work(4.0)
            until(lambda: firm.measured(4.0), "processes that start while the registry is away")
            firm.send(TIMESHEETS, codec.HEADER.pack(0, UNKNOWN) + b"?")
            until(lambda: processes["streams"].poll() is not None, "the worker leaves rather than guess")
            assert processes["streams"].returncode == EXIT_TRANSIENT
            assert firm.records(DEAD_LETTERS) == []
        gateway.start()
        with firm.running("streams"):
            until(lambda: len(firm.records(DEAD_LETTERS)) == 1, "one dead letter", every=1.0)
        letter = codec.decode(firm.records(DEAD_LETTERS)[0].value() or b"").value["current"]
        assert letter["error"] == f"schema number {UNKNOWN} is unknown to the schema registry {gateway.url}"
        assert (letter["topic"], letter["error_class"]) == (TIMESHEETS, "PoisonMessage")
        check_stock_readers(firm)
        check_bytes(firm)
