"""Reading ranges of a topic on a real broker: all that is in them and nothing else, whatever transactions lie between, and whoever died in one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from infra.errors import Transient
from infra.kafka import reader, topics
from infra.kafka.clients import producer, transactional_producer
from infra.kafka.reader import end_offsets, read_many, read_ranges, read_to_end
from infra.settings import KafkaSettings
from schemas.topics import topic

pytestmark = pytest.mark.kafka
SIZES = {0: 7_000, 1: 3, 2: 0, 3: 2_500}


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka_bootstrap)


@pytest.fixture
def name(kafka: KafkaSettings, topic_prefix: str) -> str:
    own = replace(topic("ops.clock.v1"), name=f"{topic_prefix}read", partitions=len(SIZES))
    topics.apply(kafka, topics.plan(kafka, [own]), [own])
    return own.name


@pytest.fixture
def filled(kafka: KafkaSettings, name: str) -> str:
    """A topic with so many numbered records in each partition."""
    made = producer(kafka)
    for partition, size in SIZES.items():
        for number in range(size):
            made.produce(name, str(number).encode(), partition=partition)
    assert made.flush(60) == 0
    return name


def numbers(records: Any) -> dict[int, list[int]]:
    """What was read, by partition."""
    found: dict[int, list[int]] = {}
    for record in records:
        found.setdefault(record.partition(), []).append(int(record.value()))
    return found


@pytest.mark.parametrize(
    "ranges",
    [
        pytest.param({0: (0, 7_000), 1: (0, 3), 2: (0, 0), 3: (0, 2_500)}, id="all"),
        pytest.param({0: (6_990, 7_000)}, id="a part of one, up to its end"),
        pytest.param({0: (10, 20), 3: (2_000, 2_001)}, id="parts, and more behind them"),
        pytest.param({0: (0, 5_001), 1: (1, 2)}, id="across what is asked for at once"),
        pytest.param({0: (5, 5), 2: (0, 0)}, id="nothing"),
    ],
)
def test_a_range_has_its_beginning_and_not_its_end(
    kafka: KafkaSettings, filled: str, ranges: dict[int, tuple[int, int]]
) -> None:
    wanted = {p: list(range(begin, end)) for p, (begin, end) in ranges.items() if end > begin}
    assert numbers(read_ranges(kafka, filled, ranges, 30)) == wanted
    assert numbers(record for some in read_many(kafka, filled, ranges, 30) for record in some) == wanted


def write(kafka: KafkaSettings, name: str, value: bytes, ended: Callable[[Any], object], *, timeout: float = 30) -> Any:
    """A record in a transaction of its own, on its disk already, which is ended in this way."""
    writes = transactional_producer(kafka, f"{name}.writer", timeout=timeout)
    writes.begin_transaction()
    writes.produce(name, value, partition=0)
    assert writes.flush(30) == 0
    ended(writes)
    return writes


def test_what_was_taken_back_is_read_only_by_who_asks_for_it(kafka: KafkaSettings, name: str) -> None:
    write(kafka, name, b"1", lambda writes: writes.commit_transaction(30))
    write(kafka, name, b"2", lambda writes: writes.abort_transaction(30))
    write(kafka, name, b"3", lambda writes: writes.commit_transaction(30))
    assert numbers(read_to_end(kafka, name)) == {0: [1, 3]}
    assert numbers(read_to_end(kafka, name, uncommitted=True)) == {0: [1, 2, 3]}
    assert numbers(read_ranges(kafka, name, {0: (0, 4)}, 30)) == {0: [1]}, (
        "what ends a range is a mark; the next record is beyond it"
    )


def test_one_that_waits_for_ever_gives_up_and_says_so(kafka: KafkaSettings, name: str) -> None:
    writes = write(kafka, name, b"1", lambda _: None)
    with pytest.raises(Transient, match="stands still for 1 s"):
        list(read_to_end(kafka, name, stall=1))
    writes.abort_transaction(30)


def test_a_writer_that_died_in_a_transaction_is_outwaited(kafka: KafkaSettings, name: str) -> None:
    write(kafka, name, b"1", lambda writes: writes.commit_transaction(30))
    dead = write(kafka, name, b"2", lambda _: None, timeout=5)
    began = time.monotonic()
    assert numbers(read_to_end(kafka, name)) == {0: [1]}
    assert time.monotonic() - began > 2, "it was waited for"
    assert time.monotonic() - began < reader.STALL
    assert end_offsets(kafka, name, [0])[0][1] == 4, "two records, and a mark behind each"
    del dead
