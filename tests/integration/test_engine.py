"""The engine on a real broker: exactly once through restarts, rebalances and rivals, and what it says when it cannot work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, TopicPartition

from infra.errors import BurnlineError, Fatal, Transient
from infra.kafka.clients import consumer, transactional_producer
from infra.kafka.reader import read_to_end
from schemas import codec
from streams.engine import metrics
from streams.engine.batch import Outputs
from streams.engine.engine import ElsewhereError, Engine
from streams.engine.failures import EXIT_TRANSIENT, Fenced
from streams.engine.ownership import Position
from streams.engine.publishing import Published
from streams.engine.topology import SEPARATOR, Partition, partition_of
from streams.engine.transaction import Transactions
from tests.support import toy
from tests.support.drill import Workers, assert_exact, rows, until
from tests.support.toy_world import World

pytestmark = pytest.mark.kafka


@pytest.fixture
def world(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> World:
    made = World(kafka_bootstrap, f"{topic_prefix}toy", tmp_path)
    made.create_topics()
    return made


def lag(world: World) -> int:
    """Offsets that the group has still to commit, markers of transactions included."""
    toys = toy.topology(world.prefix)
    names = [*toys.sources, *(p.input for p in toys.processors)]
    probe = consumer(world.kafka, group=world.settings().streams.group)
    try:
        committed = probe.committed([TopicPartition(name, p) for name in names for p in range(6)], 10)
        return sum(probe.get_watermark_offsets(tp, timeout=10)[1] - max(tp.offset, 0) for tp in committed)
    finally:
        probe.close()


def test_what_comes_in_goes_out_once_through_an_orderly_restart(world: World) -> None:
    world.send(500)
    with world.worker():
        world.arrived()
    world.send(500)
    with world.worker() as engine:
        world.arrived()
        found = engine.look_up("first", "s7").result(10)
    assert found is not None
    assert found["current"]["period_seconds"] == len([n for n in range(1000) if n % 60 == 7])
    assert_exact(world.kafka, world.prefix, world.sent)


def test_a_group_that_has_done_everything_has_no_lag(world: World) -> None:
    world.send(50)
    with world.worker() as engine:
        world.arrived()
        until(lambda: lag(world) == 0, "a lag of zero")
        until(lambda: engine.status().stands == 0, "and it says so")


def test_a_second_worker_shares_the_work_and_the_first_keeps_what_it_still_owns(world: World) -> None:
    world.send(200)
    with world.worker("a") as first:
        world.arrived()
        with world.worker("b") as second:
            until(lambda: first.status().inputs == second.status().inputs == 6, "six partitions each")
            until(lambda: first.status().ready and second.status().ready, "both ready")
            world.send(200)
            world.arrived()
            here, there = _ask(first, "s1"), _ask(second, "s1")
            assert sorted(map(type, (here, there)), key=str) == sorted((dict, ElsewhereError), key=str)
    assert_exact(world.kafka, world.prefix, world.sent)


def _ask(engine: Engine, subject: str) -> Any:
    try:
        return engine.look_up("second", subject).result(10)
    except ElsewhereError as error:
        return error


@pytest.mark.parametrize(
    ("processor", "subject", "answer"),
    [
        pytest.param("first", "nobody", None, id="a subject without a state has no measure"),
        pytest.param("third", "s1", KeyError, id="there is no such processor"),
    ],
)
def test_a_look_up_of_what_is_not_there(world: World, processor: str, subject: str, answer: Any) -> None:
    with world.worker() as engine:
        asked = engine.look_up(processor, subject)
        if answer is None:
            assert asked.result(10) is None
        else:
            with pytest.raises(answer):
                asked.result(10)


def test_a_record_that_nobody_can_read_is_parked_and_the_rest_goes_on(world: World) -> None:
    world.send(5)
    world.raw(b"no Avro")
    world.raw(codec.encode_wire(toy.ENTRY, toy.entry("s1", "bad", day=toy.POISONED)))
    world.send(5)
    with world.worker():
        world.arrived()
        letters = f"{world.prefix}.dead-letters"
        until(lambda: len(rows(world.kafka, letters)) == 2, "two dead letters")
    stages = {codec.decode(value).value["current"]["stage"] for _, _, value in rows(world.kafka, letters)}
    assert stages == {"streams.decode", "streams.first"}


def test_a_tick_reaches_the_partition_it_was_written_to_and_no_other(world: World) -> None:
    clock = toy.topology(world.prefix).clock
    for partition in (0, 0, 3):
        world.producer.produce(clock, codec.encode("burnline.ops.TickEvent", toy.event("tick", 1)), partition=partition)
    assert world.producer.flush(30) == 0
    with world.worker():
        state = f"{world.prefix}.first-state"
        until(lambda: {p for p, _, _ in rows(world.kafka, state)} == {0, 3}, "a row of the tick in both partitions")
    assert {codec.decode_wire(value).name for _, _, value in rows(world.kafka, state)} == {toy.TICK}


def joining(world: World, instance: str, *, topic: str = "source", strategy: str = "cooperative-sticky") -> Any:
    """A member of the group that wants the source partitions."""
    member = consumer(
        world.kafka,
        group=f"{world.prefix}.group",
        group_instance_id=instance,
        session_timeout_ms=6000,
        partition_assignment_strategy=strategy,
    )
    member.subscribe([f"{world.prefix}.{topic}"])
    return member


def joined(world: World, instance: str, *, topic: str = "source", strategy: str = "cooperative-sticky") -> Any:
    """A member of the group that has the source partitions."""
    member = joining(world, instance, topic=topic, strategy=strategy)
    deadline = time.monotonic() + 30
    while not member.assignment():
        member.poll(0.1)
        assert time.monotonic() < deadline, "no assignment"
    return member


def positions(world: World) -> dict[Partition, Position]:
    return {(f"{world.prefix}.source", 0): Position(1)}


def one_batch(world: World) -> Outputs:
    return Outputs(
        rows=[((f"{world.prefix}.first-state", 2), [{"key": b"zombie", "value": b"row"}])],
        events=[(f"{world.prefix}.alerts", b"zombie", b"event", [])],
    )


@pytest.mark.parametrize("rival", ["the same member again", "the same producer again"])
def test_a_zombie_is_fenced_and_nothing_of_its_batch_is_seen(world: World, rival: str) -> None:
    name = f"{world.prefix}.group.a"
    member, writes = joined(world, "a"), transactional_producer(world.kafka, name, timeout=6)
    if rival == "the same member again":
        successor: Any = joined(world, "a")
    else:
        successor = transactional_producer(world.kafka, name, timeout=6)
    try:
        with pytest.raises(Fenced):
            Transactions(writes, member, timeout=6).commit(one_batch(world), positions(world))
        assert rows(world.kafka, f"{world.prefix}.first-state") == []
        assert rows(world.kafka, f"{world.prefix}.alerts") == []
    finally:
        for client in (member, successor):
            client.close()


class OneBehind:
    """A consumer whose group made a new generation while its first answer was on its way."""

    def __init__(self, member: Any, stale: Any) -> None:
        self._member, self._answers = member, [stale]

    def memberid(self) -> str:
        return str(self._member.memberid())

    def consumer_group_metadata(self) -> Any:
        return self._answers.pop() if self._answers else self._member.consumer_group_metadata()


def test_a_batch_that_meets_with_a_new_generation_is_written_again_in_it_once(world: World) -> None:
    """Of a group that rebalances cooperatively a member learns of a new generation while it works, and goes on with what it has."""
    member = joined(world, "a")
    stale = member.consumer_group_metadata()
    other = joining(world, "b")
    writes = transactional_producer(world.kafka, f"{world.prefix}.group.a", timeout=20)
    rows_of = [{"key": f"r{number}".encode(), "value": b"row" * 300} for number in range(20_000)]
    try:
        until(
            lambda: not (member.poll(0.1) or other.poll(0.1)) and other.assignment(), "the group has a new generation"
        )
        before = metrics.ABORTED._value.get()
        commits = Transactions(writes, OneBehind(member, stale), timeout=20)  # type: ignore[arg-type]  # it is asked for no more
        commits.commit(Outputs(rows=[((f"{world.prefix}.first-state", 2), rows_of)]), positions(world))
        commits.commit(one_batch(world), positions(world))
    finally:
        for client in (member, other):
            client.close()
    assert metrics.ABORTED._value.get() - before == 1
    assert len(rows(world.kafka, f"{world.prefix}.first-state")) == 20_001


def test_records_without_headers_lie_where_those_with_headers_do_in_their_order(world: World) -> None:
    """They are queued many at a time, which must not tear apart what has one key."""
    topic = f"{world.prefix}.second-state"
    keys = [f"key {number % 50}".encode() for number in range(5_000)]
    plain = [Published(topic, key, str(number).encode(), []) for number, key in enumerate(keys)]
    told = [Published(topic, key, b"", [("ce_id", b"1")]) for key in set(keys)]
    member, writes = joined(world, "a"), transactional_producer(world.kafka, f"{world.prefix}.group.a", timeout=20)
    try:
        Transactions(writes, member, timeout=20).commit(Outputs(events=plain), positions(world))
        Transactions(writes, member, timeout=20).commit(Outputs(events=told), positions(world))
    finally:
        member.close()
    found = list(read_to_end(world.kafka, topic))
    lies = {record.key(): record.partition() for record in found if record.headers()}
    assert len(set(lies.values())) > 1
    assert all(lies[record.key()] == record.partition() for record in found)
    for key in lies:
        values = [int(record.value() or b"") for record in found if record.key() == key and record.value()]
        assert values == [number for number, one in enumerate(keys) if one == key]


class OutOfOrder:
    """A producer whose records the broker says so often to be out of order, when they are there already, as it does after some batches that were taken back."""

    def __init__(self, producer: Any, times: int) -> None:
        self._producer, self._times = producer, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def commit_transaction(self, timeout: float) -> None:
        if self._times:
            self._times -= 1
            assert self._producer.flush(timeout) == 0
            raise KafkaException(KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, txn_requires_abort=True))
        self._producer.commit_transaction(timeout)


@pytest.mark.parametrize(
    ("times", "timeout", "seen"),
    [
        pytest.param(2, 20, 1, id="it is written again, and seen once"),
        pytest.param(1000, 2, 0, id="it is given up in time, and never seen"),
    ],
)
def test_a_batch_whose_records_are_out_of_order_is_taken_back(
    world: World, times: int, timeout: int, seen: int
) -> None:
    member = joined(world, "a")
    writes: Any = OutOfOrder(transactional_producer(world.kafka, f"{world.prefix}.group.a", timeout=20), times)
    before = metrics.ABORTED._value.get()
    try:
        with nullcontext() if seen else pytest.raises(Transient, match="OUT_OF_ORDER_SEQUENCE_NUMBER"):
            Transactions(writes, member, timeout=timeout).commit(one_batch(world), positions(world))
        committed = member.committed([TopicPartition(f"{world.prefix}.source", 0)], 30)
    finally:
        member.close()
    assert len(rows(world.kafka, f"{world.prefix}.first-state")) == seen
    assert len(rows(world.kafka, f"{world.prefix}.alerts")) == seen
    assert committed[0].offset == (1 if seen else OFFSET_INVALID)
    assert metrics.ABORTED._value.get() - before >= 2


def test_a_worker_that_meets_with_one_of_a_release_that_was_eager_goes_on_after_its_end(
    world: World, kafka_bootstrap: str, tmp_path: Path
) -> None:
    """Kafka refuses a group without a common protocol, and the client cannot speak both: there is no rolling upgrade (ADR 0041)."""
    old = joined(world, "old", topic="clock", strategy="range")
    workers = Workers(kafka_bootstrap, world.prefix, tmp_path, ("new",))
    try:
        with polled(old):
            until(lambda: workers.processes["new"].poll() is not None, "the new one leaves")
        assert workers.processes["new"].returncode == EXIT_TRANSIENT
        assert workers.told("new", "INCONSISTENT_GROUP_PROTOCOL")
        assert workers.told("new", "stop all of them, then start this one")
        world.send(20)
        until(lambda: workers.supervise() or arrived(world), "started again, it goes on alone")
        late = joining(world, "old", topic="clock", strategy="range")
        try:
            until(lambda: of_another_protocol(late.poll(0.1)), "the old one is refused, too")
        finally:
            late.close()
    finally:
        workers.stop()
    assert_exact(world.kafka, world.prefix, world.sent)


def arrived(world: World) -> bool:
    return len(rows(world.kafka, f"{world.prefix}.second-state")) >= world.sent


def of_another_protocol(record: Any) -> bool:
    return record is not None and record.error().code() == KafkaError.INCONSISTENT_GROUP_PROTOCOL


@contextmanager
def polled(member: Any) -> Iterator[None]:
    """A member that is polled by a thread meanwhile, and then leaves."""
    stop = threading.Event()

    def poll() -> None:
        while not stop.is_set():
            member.poll(0.1)
        member.unsubscribe()
        member.close()

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_who_is_no_member_any_more_cannot_commit_though_the_group_is_empty(world: World) -> None:
    """Of an empty group Kafka takes positions from anybody: a worker that slept while all others came and went would be believed."""
    member = joined(world, "a")
    writes = transactional_producer(world.kafka, f"{world.prefix}.group.a", timeout=6)
    member.unsubscribe()
    until(lambda: not member.poll(0.1) and not member.memberid(), "it has left")
    try:
        with pytest.raises(Fenced, match="no member"):
            Transactions(writes, member, timeout=6).commit(one_batch(world), positions(world))
    finally:
        member.close()
    assert rows(world.kafka, f"{world.prefix}.first-state") == []


def test_rows_go_to_the_partition_they_name_whatever_their_key(world: World) -> None:
    member, name = joined(world, "a"), f"{world.prefix}.group.a"
    try:
        Transactions(transactional_producer(world.kafka, name, timeout=6), member, timeout=6).commit(
            one_batch(world), positions(world)
        )
    finally:
        member.close()
    assert rows(world.kafka, f"{world.prefix}.first-state") == [(2, "zombie", b"row")]


def test_a_state_that_cannot_be_read_stops_the_worker(world: World) -> None:
    world.producer.produce(f"{world.prefix}.first-state", b"junk", b"s1\x1fr1", partition_of("s1", 6))
    assert world.producer.flush(30) == 0
    with pytest.raises(Fatal, match="s1 · r1"):
        Engine(world.settings(), toy.topology(world.prefix)).run(threading.Event())


def _without_topics(bootstrap: str, prefix: str, folder: Path) -> World:
    return World(bootstrap, prefix, folder)


def _without_broker(_bootstrap: str, prefix: str, folder: Path) -> World:
    return World("127.0.0.1:1", prefix, folder)


@pytest.mark.parametrize(
    ("build", "kind", "says"),
    [
        pytest.param(_without_topics, Fatal, "topics are missing", id="nobody has made the topics"),
        pytest.param(_without_broker, Transient, "no Kafka broker answers", id="Kafka is down at the start"),
    ],
)
def test_a_worker_that_cannot_begin_says_why_and_what_to_do(  # noqa: PLR0917  three fixtures and three columns
    kafka_bootstrap: str,
    topic_prefix: str,
    tmp_path: Path,
    build: Callable[[str, str, Path], World],
    kind: type[BurnlineError],
    says: str,
) -> None:
    world = build(kafka_bootstrap, f"{topic_prefix}toy", tmp_path)
    with pytest.raises(kind, match=says) as refused:
        Engine(world.settings(), toy.topology(world.prefix)).run(threading.Event())
    assert refused.value.remedy


def restored_rows() -> float:
    return metrics.RESTORED_ROWS._value.get()


def test_a_restart_reads_only_what_is_newer_than_its_own_copy(world: World) -> None:
    world.send(400)
    with world.worker():
        world.arrived()
    before = restored_rows()
    with world.worker("b"):  # has no copy, and leaves the state further on
        world.send(50)
        world.arrived()
    assert restored_rows() - before == 800
    before = restored_rows()
    with world.worker():
        world.send(50)
        world.arrived()
    assert restored_rows() - before == 100, "what the other has added in two processors, and nothing else"
    assert_exact(world.kafka, world.prefix, world.sent)


def test_who_leaves_in_order_is_not_waited_for(world: World) -> None:
    world.session = 40.0
    with world.worker("b") as other:
        with world.worker():
            until(lambda: 0 < other.status().inputs < 12, "both have a share")
        # long before the session of the one that left would be over
        until(lambda: other.status().ready and other.status().inputs == 12, "the other has all of it", timeout=35)


def test_a_record_that_breaks_the_program_stops_its_partition_and_no_other(world: World) -> None:
    def to(partition: int, name: str, day: int) -> None:
        value = codec.encode_wire(toy.ENTRY, toy.entry("s0", name, day=day))
        world.producer.produce(f"{world.prefix}.source", value, b"key", partition)
        assert world.producer.flush(30) == 0

    def remembered() -> set[str]:
        return {key.split(SEPARATOR)[1] for _, key, _ in rows(world.kafka, f"{world.prefix}.second-state")}

    to(0, "before", 1)
    with world.worker() as engine:
        until(lambda: remembered() == {"before"}, "what came before it")
        to(0, "broken", toy.BROKEN)
        until(lambda: engine.status().stopped, "the worker has met it")
        to(0, "behind", 1)
        to(1, "beside", 1)
        until(lambda: remembered() == {"before", "beside"}, "what is on other partitions, and nothing behind it")
        until(lambda: engine.status().ready, "its states are restored")
    assert remembered() == {"before", "beside"}
    assert rows(world.kafka, f"{world.prefix}.dead-letters") == [], "it is not parked: nobody but us is to blame"
