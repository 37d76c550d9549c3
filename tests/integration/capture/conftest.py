"""A capture at work between an Odoo and a real Kafka, and what a subscriber of committed records sees of it.

The lab's database is shared, and one capture of a database fences another: tests against it take a lock for the machine.
"""

import fcntl
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import odoorpc
import pytest
import stamina
from confluent_kafka import Consumer, KafkaException, TopicPartition

import producers.capture
from infra.embedded_odoo import EmbeddedOdoo
from infra.errors import PoisonMessage
from infra.kafka import topics
from infra.kafka.clients import consumer
from infra.settings import CaptureSettings, KafkaSettings, OdooSettings, Settings
from schemas import codec
from schemas.events import odoo_key
from schemas.topics import TOPICS

LAB = Path(__file__).resolve().parents[4] / "shared" / "odoo" / "lab"
DEADLINE = 60.0
QUICK = {"poll_interval": 0.2, "overlap": 30.0, "sweep_interval": 2.0}


class Odoo(Protocol):
    url: str
    db: str
    user: str
    password: str

    def sql(self, query: str) -> Sequence[Sequence[Any]]: ...


class Client:
    """What people do in Odoo, over odoorpc."""

    def __init__(self, odoo: Odoo, kind: str) -> None:
        self.odoo, self.kind, self.db = odoo, kind, odoo.db
        at = urlsplit(odoo.url)
        self.rpc = odoorpc.ODOO(at.hostname, port=at.port)
        self.rpc.login(odoo.db, odoo.user, odoo.password)

    def __call__(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.rpc.execute_kw(model, method, list(args), kwargs)

    def commit_late(self, line: int, hours: float, seconds: float) -> None:
        """Begin a transaction, write the line, and commit `seconds` later: the stamp says when it began."""
        if isinstance(self.odoo, EmbeddedOdoo):
            with self.odoo.transaction() as transaction:
                transaction.write("account.analytic.line", [line], {"unit_amount": hours})
                time.sleep(seconds)  # the transaction's own duration, not a wait for anything
            return
        self.odoo.sql(
            f"begin; update account_analytic_line set unit_amount = {hours}, write_date = now() at time zone 'utc'"  # noqa: S608  numbers of our own
            f" where id = {line}; select pg_sleep({seconds}); commit"
        )


class Subscriber:
    """Every committed event from the moment it was made, by key."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka
        self.events: dict[tuple[str, str], list[Any]] = defaultdict(list)
        self._reader: Consumer = consumer(kafka, group=f"test.{uuid4()}", fetch_wait_max_ms=50)
        self.check: Callable[[], None] = lambda: None
        topics = [topic for topic in TOPICS.values() if topic.publishers[0] == "capture" and topic.public]
        places = [TopicPartition(topic.name, p) for topic in topics for p in range(topic.partitions)]
        for place in places:
            for attempt in stamina.retry_context(on=KafkaException, attempts=20, wait_initial=0.1, wait_max=1.0):
                with attempt:  # a topic just made has no leader for a moment
                    place.offset = self._reader.get_watermark_offsets(place, timeout=10)[1]
        self._reader.assign(places)

    def poll(self, seconds: float = 0.1) -> None:
        for record in self._reader.consume(5000, seconds):
            if record.error() is not None:
                continue  # the broker may be away for a while: what counts is what arrives in the end
            key, topic, value = record.key(), record.topic(), record.value()
            assert key is not None
            assert topic is not None
            assert value is not None
            try:
                event = codec.decode(value).value
            except PoisonMessage:
                continue  # other tests on this broker write what nobody can read; an event of ours would be missed below
            self.events[topic, key.decode()].append(event)

    def until(
        self, topic: str, key: str, enough: Callable[[list[Any]], bool], *, deadline: float = DEADLINE
    ) -> list[Any]:
        """The events of one key, once there are enough of them."""
        end = time.monotonic() + deadline
        while not enough(self.events[topic, key]):
            assert time.monotonic() < end, f"{key} on {topic} has only {verbs(self.events[topic, key])}"
            self.check()
            self.poll()
        return self.events[topic, key]

    def verb(self, topic: str, key: str, last: str) -> list[Any]:
        """The events of one key, once the last one is called this."""
        return self.until(topic, key, lambda events: bool(events) and verbs(events)[-1] == last)

    def close(self) -> None:
        self._reader.close()


def verbs(events: Sequence[Any]) -> list[str]:
    return [event["meta"]["event_type"].split(".")[2] for event in events]


class Running:
    """A capture in a thread."""

    def __init__(self, settings: Settings, config: dict[str, object] | None = None) -> None:
        self.settings, self.stop = settings, threading.Event()
        self.started = threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self.result: Future[dict[str, int]] = self._pool.submit(
            producers.capture.run, settings, config or {}, once=False, stop=self.stop
        )

    def check(self) -> None:
        """Raises what ended it, if anything did."""
        if self.result.done():
            self.result.result()

    def end(self) -> dict[str, int]:
        """Stop it; raises what ended it."""
        self.stop.set()
        try:
            return self.result.result(DEADLINE)
        finally:
            self._pool.shutdown()


class World:
    """One Odoo, one broker, a running capture and a subscriber."""

    def __init__(self, odoo: Client, kafka: KafkaSettings, subscriber: Subscriber) -> None:
        self.odoo, self.kafka, self.subscriber = odoo, kafka, subscriber

    def key(self, model: str, record_id: int) -> str:
        return odoo_key(self.odoo.db, model, record_id)

    def verb(self, topic: str, model: str, record_id: int, last: str) -> list[Any]:
        return self.subscriber.verb(topic, self.key(model, record_id), last)

    def until(self, topic: str, model: str, record_id: int, enough: Callable[[list[Any]], bool]) -> list[Any]:
        return self.subscriber.until(topic, self.key(model, record_id), enough)


def make_settings(odoo: Odoo, kafka: KafkaSettings, **capture: Any) -> Settings:
    return Settings(
        kafka=kafka,
        odoo=OdooSettings(url=odoo.url, db=odoo.db, user=odoo.user, password=odoo.password, timeout=30),  # type: ignore[arg-type]
        capture=CaptureSettings(**{**QUICK, **capture}),
    )


@contextmanager
def alone_with(database: str) -> Iterator[None]:
    with (Path(tempfile.gettempdir()) / f"burnline-test-capture-{database}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    """The shared broker, with every topic of the registry."""
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    topics.apply(settings, topics.plan(settings))
    return settings


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedOdoo]:
    """An Odoo of one's own, with a database that nobody else has."""
    with EmbeddedOdoo(tmp_path / "firm.db", db=f"firm-{uuid4().hex[:8]}") as odoo:
        yield odoo


@pytest.fixture(scope="module", params=["embedded", pytest.param("real", marks=pytest.mark.odoo)])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, kafka: KafkaSettings
) -> Iterator[World]:
    """A capture that runs for the whole module, against both Odoos."""
    if request.param == "real":
        if not LAB.exists():
            pytest.skip("no real Odoo here: ../shared/odoo/lab does not exist")
        real = request.getfixturevalue("real_odoo")
        with alone_with(real.db):
            yield from _world(real, "real", kafka)
    else:
        file = tmp_path_factory.mktemp("odoo") / "firm.db"
        with EmbeddedOdoo(file, db=f"firm-{uuid4().hex[:8]}") as odoo:
            yield from _world(odoo, "embedded", kafka)


def _world(odoo: Odoo, kind: str, kafka: KafkaSettings) -> Iterator[World]:
    subscriber = Subscriber(kafka)
    running = Running(make_settings(odoo, kafka))
    subscriber.check = running.check
    try:
        yield World(Client(odoo, kind), kafka, subscriber)
    finally:
        subscriber.close()
        running.end()


@pytest.fixture
def unique() -> str:
    return f"capture-{uuid4().hex[:12]}"


@pytest.fixture
def project(world: World, unique: str) -> int:
    record_id: int = world.odoo(
        "project.project", "create", {"name": unique, "allow_timesheets": True, "allow_milestones": True}
    )
    return record_id


@pytest.fixture
def employee(world: World, unique: str) -> int:
    record_id: int = world.odoo("hr.employee", "create", {"name": unique, "hourly_cost": 50.0})
    return record_id


@pytest.fixture
def line(world: World, project: int, employee: int) -> int:
    """Two hours of work, known to the subscriber."""
    values = {"name": "work", "project_id": project, "employee_id": employee, "unit_amount": 2.0, "date": "2026-03-05"}
    record_id: int = world.odoo("account.analytic.line", "create", values)
    world.verb("delivery.timesheet.v1", "account.analytic.line", record_id, "logged")
    return record_id


@pytest.fixture
def invoice(world: World, unique: str) -> int:
    """A posted invoice, known to the subscriber."""
    partner = world.odoo("res.partner", "create", {"name": unique, "is_company": True})
    lines = [(0, 0, {"name": "work", "quantity": 2, "price_unit": 500.0})]
    values = {
        "move_type": "out_invoice",
        "partner_id": partner,
        "invoice_date": "2026-10-01",
        "invoice_line_ids": lines,
    }
    record_id: int = world.odoo("account.move", "create", values)
    world.odoo("account.move", "action_post", [record_id])
    world.verb("finance.invoice.v1", "account.move", record_id, "posted")
    return record_id


CHILD = """
import sys, threading
from producers.capture import run
from infra.settings import load_settings
def told(counts):
    print(sum(counts.values()), flush=True)
print(run(load_settings(), {}, once=True, stop=threading.Event(), on_progress=told), flush=True)
"""


@pytest.fixture
def child() -> Iterator[Callable[[Settings], subprocess.Popen[str]]]:
    """A capture `once` in a process of its own, which prints its count after each commit."""
    started: list[subprocess.Popen[str]] = []

    def start(settings: Settings) -> subprocess.Popen[str]:
        assert settings.odoo.password is not None
        environment = {
            "ODOO_URL": settings.odoo.url or "",
            "ODOO_DB": settings.odoo.db or "",
            "ODOO_USER": settings.odoo.user,
            "ODOO_PASSWORD": settings.odoo.password.get_secret_value(),
            "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers or "",
            "BURNLINE_CAPTURE__PAGE_SIZE": str(settings.capture.page_size),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[3],
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@pytest.fixture
def begin() -> Iterator[Callable[..., Running]]:
    """Start captures; those still running are stopped at the end."""
    running: list[Running] = []

    def start(settings: Settings, config: dict[str, object] | None = None) -> Running:
        running.append(Running(settings, config))
        return running[-1]

    yield start
    for one in running:
        one.stop.set()
        one.result.exception(DEADLINE)
        one._pool.shutdown()


@pytest.fixture
def subscriber_of() -> Iterator[Callable[[KafkaSettings], Subscriber]]:
    """Subscribers to any broker."""
    made: list[Subscriber] = []

    def subscribe(kafka: KafkaSettings) -> Subscriber:
        made.append(Subscriber(kafka))
        return made[-1]

    yield subscribe
    for one in made:
        one.close()


@pytest.fixture
def subscriber(kafka: KafkaSettings, subscriber_of: Callable[[KafkaSettings], Subscriber]) -> Subscriber:
    return subscriber_of(kafka)


@pytest.fixture
def settings_for() -> Callable[..., Settings]:
    """Settings of a quick capture between an Odoo and a broker."""
    return make_settings
