"""Drills: workers are killed and paused in mid-flow; nothing may be missing, and nothing doubled.

Each drill ends with a count of everything: states from their topics, and outputs as a `read_committed` subscriber sees them.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from infra.embedded_kafka import EmbeddedKafka
from streams.engine.failures import EXIT_FENCED, EXIT_TRANSIENT
from tests.support.disks import filled, small_disk, stutter
from tests.support.drill import SESSION, arrived, drill, until

pytestmark = [pytest.mark.drill, pytest.mark.kafka]


KILLS = int(os.environ.get("BURNLINE_TEST_KILLS", "20"))
SEED = int(os.environ.get("BURNLINE_TEST_SEED", "1"))


@pytest.mark.timeout(300 + 10 * KILLS)
def test_kill_minus_nine_at_random(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> None:
    """One worker or both, at any moment: in its start, its restore, a batch, or the very commit. Copies on the disk are of any age."""
    chance = random.Random(SEED)  # noqa: S311  a drill that fails can be had again
    with drill(kafka_bootstrap, topic_prefix + "toy", tmp_path) as (kafka, workers, flow):
        for kill in range(1, KILLS + 1):
            time.sleep(chance.uniform(0.2, 1.5))
            workers.kill(*chance.choice((("a",), ("b",), ("a", "b"))))
            workers.supervise()
            if kill % 10 == 0:
                arrived(kafka, topic_prefix + "toy", workers, flow.sent)  # it goes on, with all that was killed in it


def test_from_one_worker_to_four_and_down_to_two(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> None:
    with drill(kafka_bootstrap, topic_prefix + "toy", tmp_path, ("a",)) as (kafka, workers, flow):
        for name in ("b", "c", "d"):
            workers.start(name)
        until(lambda: all(workers.told(name, "state_restored") for name in ("b", "c", "d")), "all four have a share")
        arrived(kafka, topic_prefix + "toy", workers, flow.sent)
        assert [workers.end(name) for name in ("a", "c")] == [0, 0]
        arrived(kafka, topic_prefix + "toy", workers, flow.sent)
    assert workers.left == [], f"growing and shrinking is no fault: {workers.left}\n{workers.logs()}"


def test_a_worker_paused_beyond_its_session_cannot_write(
    kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    with drill(kafka_bootstrap, topic_prefix + "toy", tmp_path) as (kafka, workers, flow):
        for name in ("a", "b"):
            workers.signal(name, signal.SIGSTOP)
            paused = time.monotonic()
            # its successor has taken over when records sent after its death have arrived, in all partitions
            while time.monotonic() - paused < SESSION + 1:
                workers.supervise()
                time.sleep(0.1)
            arrived(kafka, topic_prefix + "toy", workers, flow.sent)
            workers.signal(name, signal.SIGCONT)
            arrived(kafka, topic_prefix + "toy", workers, flow.sent)
    # fenced by the broker, or it gave up by itself since its transaction's time was over; never a defect
    assert {status for _, status in workers.left} <= {EXIT_FENCED, EXIT_TRANSIENT}, workers.left


def test_a_broker_that_dies_in_mid_flow_loses_nothing(topic_prefix: str, tmp_path: Path) -> None:
    port = free_port()
    broker = EmbeddedKafka(tmp_path / "kafka", port=port)
    broker.start()
    try:
        with drill(f"127.0.0.1:{port}", topic_prefix + "toy", tmp_path) as (kafka, workers, flow):
            for end in (broker.kill, broker.stop):
                end()
                broker.start()
                arrived(kafka, topic_prefix + "toy", workers, flow.sent)
        # workers wait for the broker, or leave and are started again
        assert {status for _, status in workers.left} <= {EXIT_FENCED, EXIT_TRANSIENT}, workers.left
    finally:
        broker.stop()


def test_a_slow_and_a_full_disk_lose_nothing(topic_prefix: str, tmp_path: Path) -> None:
    """The broker's disk is slow, then full, which ends it until there is room again; the workers have no room for a copy all the while."""
    with small_disk(tmp_path / "disk", "400m") as disk, small_disk(tmp_path / "data", "64k") as copies, filled(copies):
        port = free_port()
        broker = EmbeddedKafka(disk / "kafka", port=port)
        broker.start()
        try:
            with drill(f"127.0.0.1:{port}", topic_prefix + "toy", tmp_path) as (kafka, workers, flow):
                stutter(broker.pid, SESSION)
                arrived(kafka, topic_prefix + "toy", workers, flow.sent)
                with filled(disk):
                    until(lambda: not is_alive(broker.pid), "the broker ends, since it cannot write")
                broker.kill()
                broker.start()
                workers.kill("a")
                arrived(kafka, topic_prefix + "toy", workers, flow.sent)
                assert workers.told("a", "checkpoint_failed"), "the disk of the copies is full"
            assert {status for _, status in workers.left} <= {EXIT_FENCED, EXIT_TRANSIENT}, workers.left
        finally:
            broker.stop()


def is_alive(pid: int) -> bool:
    """Whether the process runs, and is not only waiting to be waited for."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def free_port() -> int:
    """A port that stays the same while the broker comes and goes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
