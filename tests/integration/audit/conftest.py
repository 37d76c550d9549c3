"""An Odoo whose records stand on a real Kafka, and a hand that tampers with the topic behind the capture's back."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest

import producers.capture
from infra.embedded_odoo import EmbeddedOdoo
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.settings import CaptureSettings, KafkaSettings, OdooSettings, Settings
from producers.audit import Difference, Outcome, Request, run
from schemas import codec
from schemas.events import cloudevents_headers, event_id, odoo_key
from schemas.topics import topic

LINE, TIMESHEET = "account.analytic.line", "delivery.timesheet.v1"


class Tampering:
    """Records written to the timesheets' topic as if the capture had written them."""

    def __init__(self, kafka: KafkaSettings, database: str) -> None:
        self.kafka, self.database = kafka, database

    def events(self, record_id: int) -> list[Any]:
        """The events of a line, in order."""
        key = odoo_key(self.database, LINE, record_id).encode()
        found = [record.value() for record in read_to_end(self.kafka, TIMESHEET) if record.key() == key]
        return [codec.decode(value).value for value in found if value is not None]

    def write(self, event: Any) -> None:
        """One more event, its id made of what it says it is."""
        meta = event["meta"]
        meta["event_id"] = event_id(meta["source"], meta["subject"], meta["version"], meta["event_type"])
        contract = topic(TIMESHEET)
        out = producer(self.kafka)
        value = codec.encode(contract.record, event)
        out.produce(TIMESHEET, key=meta["subject"].encode(), value=value, headers=cloudevents_headers(contract, meta))
        assert out.flush(30) == 0


class Audited:
    """One Odoo, its capture, and audits of it."""

    def __init__(self, settings: Settings, odoo: EmbeddedOdoo) -> None:
        self.settings, self.odoo = settings, odoo
        self.tampering = Tampering(settings.kafka, odoo.db)

    def capture(self) -> dict[str, int]:
        return producers.capture.run(self.settings, {}, once=True, stop=threading.Event())

    def audit(self, **request: Any) -> tuple[Outcome, list[Difference]]:
        told: list[Difference] = []
        outcome = run(self.settings, {}, Request(**{"settle": 0.1, **request}), on_difference=told.append)
        return outcome, told

    def change(self, work: Callable[[Any], Any]) -> Any:
        with self.odoo.transaction() as transaction:
            return work(transaction)


@pytest.fixture(scope="module")
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    topics.apply(settings, topics.plan(settings))
    return settings


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory, kafka: KafkaSettings) -> Iterator[Audited]:
    """One Odoo for the module; every test mends what it harms."""
    folder = tmp_path_factory.mktemp("odoo")
    with EmbeddedOdoo(folder / "firm.db", db=f"audit-{uuid4().hex[:8]}") as odoo:
        given = {"url": odoo.url, "db": odoo.db, "user": odoo.user, "password": odoo.password}
        yield Audited(Settings(kafka=kafka, odoo=OdooSettings(**given), capture=CaptureSettings()), odoo)


@pytest.fixture(scope="module")
def supply(audited: Audited) -> Iterator[int]:
    """Timesheets that the topic knows, one after the other."""

    def work(transaction: Any) -> list[int]:
        employee = transaction.create("hr.employee", {"name": "Ann"})
        project = transaction.create("project.project", {"name": "P"})
        task = transaction.create("project.task", {"name": "t", "project_id": project, "user_ids": [(6, 0, [2])]})
        values = {"project_id": project, "employee_id": employee, "task_id": task, "date": "2026-03-05", "name": "w"}
        return [transaction.create(LINE, {**values, "unit_amount": 1.0 + number % 8}) for number in range(60)]

    made: list[int] = audited.change(work)
    audited.capture()
    return iter(made)


@pytest.fixture
def lines(supply: Iterator[int]) -> Sequence[int]:
    """Three of them, which no other test has."""
    return [next(supply) for _ in range(3)]


@pytest.fixture
def unique() -> str:
    return f"audit-{uuid4().hex[:12]}"
