"""A worker dies for good, and another goes on with its lanes: from the warm copies that it has, without restoring them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.engine import metrics
from streams.engine.checkpoints import Checkpoints, Copy
from streams.engine.group import Group, Watch
from streams.engine.ownership import Ownership
from streams.engine.restore import restore
from streams.engine.standby import Standbys
from streams.engine.topology import SEPARATOR, Partition, Processor, partition_of
from tests.support import toy
from tests.support.drill import Workers, assert_exact, until
from tests.support.toy_world import World

pytestmark = pytest.mark.kafka
LINES = 6_000


@pytest.fixture
def world(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> World:
    made = World(kafka_bootstrap, f"{topic_prefix}toy", tmp_path)
    made.create_topics()
    return made


def restored_rows() -> float:
    return metrics.RESTORED_ROWS._value.get()


def followed(lanes: int) -> bool:
    """Whether so many lanes of both processors are followed, and nothing of them is missing."""
    return metrics.STANDBYS._value.get() == 2 * lanes and metrics.STANDBY_BEHIND._value.get() == 0


def test_what_a_killed_worker_had_is_taken_over_without_restoring_it(world: World, kafka_bootstrap: str) -> None:
    world.send(LINES)
    workers = Workers(kafka_bootstrap, world.prefix, world.folder, ("victim",))
    try:
        world.arrived()
        with world.worker("survivor") as survivor:
            until(lambda: survivor.status().inputs == 6, "three lanes of two processors are with the survivor")
            until(lambda: survivor.status().ready, "they are ready")
            until(lambda: followed(3), "it follows the other three")
            world.send(500)
            world.arrived()
            until(lambda: followed(3), "and what was added")
            before = restored_rows()
            workers.processes.pop("victim").kill()
            until(lambda: survivor.status().inputs == 12 and survivor.status().ready, "it has all of them")
            assert restored_rows() - before < LINES / 10, "a half of them, twice, are in the states it took over"
            world.send(500)
            world.arrived()
    finally:
        workers.stop()
    assert_exact(world.kafka, world.prefix, world.sent)


class Seen(Watch):
    """The group as a test wants it."""

    def __init__(self, group: Any) -> None:
        self.now = group


@contextmanager
def following(world: World, lanes: set[int]) -> Iterator[Standbys]:
    """The copies of a worker that follows these lanes, all of another's."""
    group = Group({"other": frozenset(lanes), "me": frozenset()})
    settings = world.settings("me").streams
    processors = {p.state: p for p in toy.topology(world.prefix).processors}
    checkpoints = Checkpoints(settings.data_dir / "standby", "toy")
    own = Ownership({})
    own.assign([])
    with Standbys(world.kafka, checkpoints, processors, watch=Seen(group), own=own, instance="me", each=1) as standbys:
        yield standbys


def restored(world: World, warm: Any, folder: str) -> tuple[dict[Partition, Any], int, float]:
    """All states, the rows read for them, and the CPU seconds that it took."""
    wanted: dict[Partition, Processor] = {
        (p.input, n): p for p in toy.topology(world.prefix).processors for n in range(6)
    }
    began = time.thread_time()
    found = list(
        restore(
            world.kafka,
            world.settings().streams.group,
            wanted,
            Checkpoints(world.folder / folder, "toy"),
            warm,
            timeout=30,
        )
    )
    return {f.place: f.state for f in found}, sum(f.rows for f in found), time.thread_time() - began


def nothing(_: Partition) -> Copy | None:
    return None


def test_a_copy_is_the_state_and_costs_little_to_take(world: World) -> None:
    world.send(LINES)
    with world.worker():
        world.arrived()
    with following(world, set(range(6))) as standbys:
        until(lambda: followed(6), "all lanes are followed")
        warm, few, quick = restored(world, standbys.take, "warm")
    cold, many, slow = restored(world, nothing, "cold")
    assert warm == cold
    assert (few, many) == (0, 2 * LINES)
    assert quick < slow / 2


def test_a_copy_follows_what_is_deleted_and_takes_nothing_that_was_not_committed(world: World) -> None:
    world.send(300)
    with world.worker():
        world.arrived()
    state = toy.topology(world.prefix).processors[0].state
    subject, record = "s1", "r1"
    with following(world, set(range(6))) as standbys:
        until(lambda: followed(6), "all lanes are followed")
        world.producer.produce(state, None, f"{subject}{SEPARATOR}{record}".encode(), partition_of(subject, 6))
        assert world.producer.flush(30) == 0
        place = state, partition_of(subject, 6)
        until(lambda: followed(6) and gone(standbys, place, subject, record), "the row is gone from the copy")
        warm, _, _ = restored(world, standbys.take, "warm")
    cold, _, _ = restored(world, nothing, "cold")
    assert warm == cold


def gone(standbys: Standbys, place: Partition, subject: str, record: str) -> bool:
    with standbys._lock:
        found = standbys._followed.get(place)
        return found is not None and found.loaded and record not in found.copy.state.records[subject]


FORGETFUL = """
import os, sys
from confluent_kafka import Consumer
member = Consumer({"bootstrap.servers": sys.argv[1], "group.id": sys.argv[2], "group.instance.id": "forgetful",
    "partition.assignment.strategy": "cooperative-sticky", "session.timeout.ms": 30000, "heartbeat.interval.ms": 1000})
member.subscribe([sys.argv[3]], on_assign=lambda m, p: (m.incremental_assign(p), print(len(p), flush=True)),
    on_revoke=lambda m, p: sys.argv[4] == "dies" and os._exit(9))
while True:
    member.poll(0.1)
"""


def test_a_lane_that_a_member_gave_back_as_it_died_is_not_forgotten(world: World, kafka_bootstrap: str) -> None:
    """Back under its static name it has its old assignment, without a rebalance: what it gave back would be nobody's for ever."""
    group, clock = f"{world.prefix}.group", toy.topology(world.prefix).clock

    def member(fate: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", FORGETFUL, kafka_bootstrap, group, clock, fate]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    first = member("dies")
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "6\n"
        with world.worker() as engine:
            assert first.wait(60) == 9, "it died as it was asked to give lanes to the worker"
            again = member("lives")
            try:
                assert again.stdout is not None
                assert again.stdout.readline() == "3\n", "what it did not give back"
                until(lambda: engine.status().inputs == 6, "the worker has what was given back")
            finally:
                again.kill()
                again.wait()
    finally:
        first.kill()
        first.wait()
