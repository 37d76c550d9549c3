"""From one major to the next, on a real broker: old and new subscribers run all the while, and each sees every event once."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple

import fastavro
import pytest
from confluent_kafka import Message

from infra.errors import PoisonMessage
from infra.kafka import carry_over as module
from infra.kafka import topics as cluster
from infra.kafka.carry_over import Carried, carry_over
from infra.kafka.clients import consumer, producer, transactional_producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from producers.webhooks.entries import Outgoing, records
from schemas import codec, released, successions
from schemas.events import event_id
from schemas.topics import TOPICS, Topic
from tests.support.majors import ANNOUNCED, SUNSET, Majors

pytestmark = pytest.mark.kafka
ORDERS, BEFORE, AFTER = 5, 4, 3


class Seen(NamedTuple):
    """One event as a subscriber got it."""

    key: str
    value: Any
    headers: dict[str, bytes]


class Subscriber:
    """A program of its own, from now until it is stopped; `decode` is all it knows of schemas."""

    def __init__(self, kafka: KafkaSettings, topic: Topic, decode: Callable[[bytes], Any]) -> None:
        self.seen: list[Seen] = []
        self.died: list[BaseException] = []
        self._changed, self._stop = threading.Condition(), threading.Event()
        self._consumer = consumer(kafka, group=f"{topic.name}.subscriber")
        self._consumer.subscribe([topic.name])
        self._decode = decode
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                record = self._consumer.poll(0.1)
                if record is not None and record.error() is None:
                    self._take(record)
        except BaseException as error:  # noqa: BLE001  shown by the test
            self.died.append(error)
        finally:
            self._consumer.close()

    def _take(self, record: Message) -> None:
        value = self._decode(record.value() or b"")
        with self._changed:
            self.seen.append(Seen((record.key() or b"").decode(), value, dict(record.headers() or ())))
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.died or len(self.seen) >= count, 90), (
                f"{len(self.seen)} of {count}"
            )
        assert self.died == []

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka_bootstrap)


@pytest.fixture
def majors(tmp_path: Path, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, kafka: KafkaSettings) -> Majors:
    made = Majors(tmp_path, topic_prefix)
    made.contracts.join(monkeypatch)
    cluster.apply(kafka, cluster.plan(kafka, [made.old]), [made.old])
    return made


@pytest.fixture
def subscribe(kafka: KafkaSettings) -> Iterator[Callable[[Topic, Callable[[bytes], Any]], Subscriber]]:
    running: list[Subscriber] = []

    def start(topic: Topic, decode: Callable[[bytes], Any]) -> Subscriber:
        running.append(Subscriber(kafka, topic, decode))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def by_version_1_alone(record: str) -> Callable[[bytes], Any]:
    """A decoder of somebody who took the first release home, and knows nothing else."""
    (release,) = released.released(record)
    schema = fastavro.parse_schema(release.schema)

    def decode(data: bytes) -> Any:
        assert codec.HEADER.unpack_from(data) == (0, release.wire_id)
        return fastavro.schemaless_reader(io.BytesIO(data[codec.HEADER.size :]), schema)

    return decode


def write(kafka: KafkaSettings, topic: Topic, events: list[dict[str, Any]]) -> None:
    writer = EventWriter(producer(kafka))
    for event in events:
        writer.send(topic, event)
    writer.flush()


def the_change(majors: Majors, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> successions.Succession:
    """What a release of the program with the new major brings."""
    found = majors.move()
    majors.contracts.join(monkeypatch)
    monkeypatch.setattr(successions, "SUCCESSIONS", (found,))
    cluster.apply(kafka, cluster.plan(kafka, [majors.new]), [majors.new])
    return found


def history(majors: Majors, versions: range) -> list[dict[str, Any]]:
    return [majors.old_event(order, version) for version in versions for order in range(ORDERS)]


EVERY = Counter((f"shop:order:{order}", version) for order in range(ORDERS) for version in range(1, BEFORE + AFTER + 1))


def test_old_and_new_subscribers_see_every_event_once(majors, kafka, subscribe, monkeypatch):
    old_reader = subscribe(majors.old, by_version_1_alone(majors.old.record))
    write(kafka, majors.old, history(majors, range(1, BEFORE + 1)))
    old_reader.wait_for(ORDERS * BEFORE)

    succession = the_change(majors, kafka, monkeypatch)
    assert majors.contracts.check() == ()
    new_reader = subscribe(majors.new, lambda data: codec.decode(data).value)
    assert carry_over(kafka, succession) == Carried(told=ORDERS * BEFORE)
    assert carry_over(kafka, succession) == Carried()

    transactions = transactional_producer(kafka, f"{majors.new.name}.producer", timeout=30)
    for commit in (False, True):  # what is taken back is seen on neither topic
        transactions.begin_transaction()
        for version in range(BEFORE + 1, BEFORE + AFTER + 1):
            for order in range(ORDERS):
                EventWriter(transactions).send(majors.new, majors.new_event(order, version))
        transactions.flush()
        (transactions.commit_transaction if commit else transactions.abort_transaction)(30)
    assert carry_over(kafka, succession) == Carried(there=ORDERS * AFTER)

    for reader, topic in ((old_reader, majors.old), (new_reader, majors.new)):
        reader.wait_for(EVERY.total())
        assert Counter((seen.key, seen.value["meta"]["version"]) for seen in reader.seen) == EVERY
        assert sum(1 for _ in read_to_end(kafka, topic.name)) == EVERY.total()
        assert all(identified(seen, topic) for seen in reader.seen)
        for order in range(ORDERS):
            versions = [s.value["meta"]["version"] for s in reader.seen if s.key == f"shop:order:{order}"]
            assert versions == sorted(versions)
    assert {seen.value["current"]["pieces"] for seen in old_reader.seen} == set(range(1, BEFORE + AFTER + 1))
    assert Counter(seen.value["current"]["quantity"]["unit"] for seen in new_reader.seen) == {
        "piece": ORDERS * BEFORE, "box": ORDERS * AFTER,
    }  # fmt: skip
    totals = {s.value["meta"]["version"]: s.value["current"]["total"] for s in old_reader.seen}
    assert totals == {s.value["meta"]["version"]: s.value["current"]["total"] for s in new_reader.seen}
    assert totals[BEFORE + 1] == Decimal("50.5000")

    told = [seen.headers for seen in old_reader.seen if seen.value["meta"]["version"] > BEFORE]
    untold = [seen.headers for seen in (*old_reader.seen[: ORDERS * BEFORE], *new_reader.seen)]
    assert not [headers for headers in untold if {"deprecation", "sunset", "successor"} & set(headers)]
    assert {headers["successor"].decode() for headers in told} == {majors.new.name}
    assert {since(headers["deprecation"]).date() for headers in told} == {ANNOUNCED}
    assert {parsedate_to_datetime(headers["sunset"].decode()).date() for headers in told} == {SUNSET}


def identified(seen: Seen, topic: Topic) -> bool:
    """Whether an event has the id and type that it would have had, had it been written to this topic alone."""
    head = seen.value["meta"]
    kind = topic.event_type(head["event_type"].rsplit(".", 2)[1])
    identity = event_id(head["source"], head["subject"], head["version"], kind)
    assert seen.headers["ce_id"].decode() == str(head["event_id"])
    return (str(head["event_id"]), head["event_type"]) == (identity, kind)


def since(header: bytes) -> datetime:
    """A moment as RFC 9745 writes it."""
    assert header.startswith(b"@")
    return datetime.fromtimestamp(int(header[1:]), UTC)


def test_a_carry_over_that_was_stopped_goes_on_where_it_was(majors, kafka, monkeypatch):
    write(kafka, majors.old, history(majors, range(1, BEFORE + 1)))
    succession = the_change(majors, kafka, monkeypatch)
    monkeypatch.setattr(module, "AT_ONCE", 3)
    left = 7

    def upcast(event: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return succession.upcast(event)

    with pytest.raises(KeyboardInterrupt):
        carry_over(kafka, successions.Succession(succession.old, succession.new, upcast, succession.downcast))
    assert carry_over(kafka, succession) == Carried(told=ORDERS * BEFORE - 6)
    found = [codec.decode(record.value() or b"").value for record in read_to_end(kafka, majors.new.name)]
    assert Counter((e["meta"]["subject"], e["meta"]["version"]) for e in found) == Counter(
        (e["meta"]["subject"], e["meta"]["version"]) for e in history(majors, range(1, BEFORE + 1))
    )


def test_tombstones_are_carried_and_what_cannot_be_told_is_parked(majors, kafka, topic_prefix, monkeypatch):
    letters = TOPICS["ops.dead-letter.v1"]
    own = Topic(f"{topic_prefix}letters", letters.record, "", letters.process, "", letters.data_class, letters.verbs)
    cluster.apply(kafka, cluster.plan(kafka, [own]), [own])
    writer = EventWriter(producer(kafka))
    writer.send_bytes(majors.old.name, b"shop:order:1", None)
    writer.send_bytes(majors.old.name, b"shop:order:2", b"\x07rubbish")
    writer.send(majors.old, majors.old_event(3, 1))
    writer.flush()
    succession = the_change(majors, kafka, monkeypatch)

    def upcast(event: Any) -> Any:
        raise PoisonMessage("an order that nobody understands")

    broken = successions.Succession(succession.old, succession.new, upcast, succession.downcast)
    assert carry_over(kafka, broken, dead_letters=own) == Carried(told=1, parked=2)
    assert [(record.key(), record.value()) for record in read_to_end(kafka, majors.new.name)] == [
        (b"shop:order:1", None)
    ]
    found = [codec.decode(record.value() or b"").value["current"] for record in read_to_end(kafka, own.name)]
    assert {letter["error"] for letter in found} >= {"an order that nobody understands"}
    assert {(letter["stage"], letter["topic"]) for letter in found} == {("carry-over", majors.old.name)}


def test_what_webhooks_bring_is_told_on_both(majors, kafka, monkeypatch):
    the_change(majors, kafka, monkeypatch)

    writer = EventWriter(producer(kafka))
    for record in records([Outgoing(majors.new, majors.new_event(order, 1)) for order in range(ORDERS)]):
        writer.send_bytes(record.topic, record.key, record.value, record.headers)
    writer.flush()
    for topic, event in ((majors.old, majors.old_event), (majors.new, majors.new_event)):
        found = {
            (r.key() or b"").decode(): codec.decode(r.value() or b"").value for r in read_to_end(kafka, topic.name)
        }
        assert {key: value["meta"]["event_id"] for key, value in found.items()} == {
            f"shop:order:{order}": event(order, 1)["meta"]["event_id"] for order in range(ORDERS)
        }
