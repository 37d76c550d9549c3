"""A rebuild on a real broker: byte for byte what the workers wrote, and in its place only while no worker is there."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from infra.embedded_kafka import EmbeddedKafka
from infra.errors import BurnlineError, Fatal, Transient
from infra.kafka.clients import producer
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings, StreamsSettings
from streams import core
from streams.engine.engine import Engine
from streams.engine.topology import Topology
from streams.rebuild.readers import Compose
from streams.rebuild.run import rebuild
from streams.rebuild.swap import standing
from streams.wiring import topology
from tests.bench.bench_streams import begin_clock, found_firm, lag, send_timesheet, tick
from tests.support.drill import until

pytestmark = pytest.mark.kafka
COMPOSE = partial(topology, core.Measures())
TOPOLOGY = COMPOSE()
SUBJECT = "odoo:bench:hr.employee:2"


@dataclass
class Firm:
    """A firm whose history the workers have followed, and what they remember of it."""

    settings: Settings
    half: int
    rows: dict[str, dict[int, dict[bytes, bytes]]]

    def standing(self) -> dict[str, dict[int, dict[bytes, bytes]]]:
        return {processor.name: standing(self.settings.kafka, processor, 6) for processor in TOPOLOGY.processors}


@contextmanager
def worker(settings: Settings) -> Iterator[Engine]:
    engine, stop = Engine(settings, TOPOLOGY), threading.Event()
    thread = threading.Thread(target=engine.run, args=(stop,), daemon=True)
    thread.start()
    try:
        until(lambda: engine.status().ready, "a worker that is ready")
        yield engine
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    folder = tmp_path_factory.mktemp("rebuild")
    with EmbeddedKafka(folder / "kafka") as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        settings = Settings(kafka=kafka, streams=StreamsSettings(session_timeout=6, data_dir=folder / "streams"))
        writer, chance = EventWriter(producer(kafka)), random.Random(1)  # noqa: S311  the same firm each time
        found_firm(kafka, writer)
        made = Firm(settings, 0, {})
        with worker(settings):
            # live, a worker follows; a backlog of several topics it takes in whatever order it comes
            until(lambda: not lag(kafka), "everybody is known")
            begin_clock(writer)
            until(lambda: not lag(kafka), "the day has begun")
            for day in range(3):
                for number in range(day * 400 + 1, day * 400 + 401):
                    send_timesheet(writer, number, chance)
                writer.flush()
                until(lambda: not lag(kafka), "everything is taken")  # the clock goes on when the day's work is known
                if day == 1:
                    made.half = round(time.time() * 1000)
                    time.sleep(0.01)
                tick(writer, day + 1)
            until(lambda: not lag(kafka), "everything is taken")
        made.rows = made.standing()
        yield made


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_history_gives_the_same_bytes_as_the_workers_did(firm: Firm, processes: int) -> None:
    report = rebuild(firm.settings, COMPOSE, processes=processes, look_only=True)
    assert report.records > 1200
    assert not [name for name, difference in report.processors.items() if difference.any], report.processors
    assert sum(difference.same for difference in report.processors.values()) > 2400
    assert report.alerts, "a firm in which nothing ever happens proves little"


@pytest.mark.parametrize("only", ["utilization", "client-exposure"])
def test_of_one_processor_the_same_and_nothing_of_the_others(firm: Firm, only: str) -> None:
    report = rebuild(firm.settings, COMPOSE, processes=2, only=only, look_only=True)
    assert list(report.processors) == [only]
    assert not report.processors[only].any


def without_readers() -> Topology:
    """The topology; and whoever makes it loses its children to a `kill -9`."""
    for child in multiprocessing.active_children():
        child.kill()
        child.join()
    return COMPOSE()


def broken_in_readers() -> Topology:
    if multiprocessing.parent_process() is not None:
        raise Fatal("the policy is broken", remedy="mend it")
    return COMPOSE()


@pytest.mark.parametrize(
    ("compose", "error", "says"),
    [
        pytest.param(without_readers, Transient, r"ended before its end \(status -9\)", id="a reader is killed"),
        pytest.param(broken_in_readers, Fatal, "the policy is broken", id="a reader fails"),
    ],
)
def test_a_reader_that_is_lost_ends_the_rebuild_and_nothing_has_changed(
    firm: Firm, compose: Compose, error: type[BurnlineError], says: str
) -> None:
    with pytest.raises(error, match=says):
        rebuild(firm.settings, compose, processes=3)
    assert multiprocessing.active_children() == []
    assert firm.standing() == firm.rows


def test_interrupted_it_leaves_no_reader_behind(firm: Firm) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(firm.settings, COMPOSE, processes=3, tell=interrupt)
    assert multiprocessing.active_children() == []
    assert firm.standing() == firm.rows


@pytest.mark.parametrize("processes", [1, 3])
def test_as_of_a_moment_later_records_are_not_there(firm: Firm, processes: int) -> None:
    report = rebuild(firm.settings, COMPOSE, processes=processes, as_of=firm.half)
    burn = report.processors["budget-burn"]
    assert burn.removed == 400, "the lines of the third day"
    assert not report.swapped


def test_a_broken_state_is_replaced_and_a_copy_of_it_on_the_disk_is_not_taken(firm: Firm) -> None:
    [utilization, *_] = TOPOLOGY.processors
    sender = producer(firm.settings.kafka)
    for number, rows in firm.rows["utilization"].items():
        (lost, _), (kept, value) = [row for row in rows.items() if b"analytic.line" in row[0]][:2]
        sender.produce(utilization.state, None, lost, partition=number)
        sender.produce(utilization.state, value, kept + b"-again", partition=number)
    assert sender.flush(30) == 0
    with worker(firm.settings) as engine, pytest.raises(Transient, match="are running"):
        rebuild(firm.settings, COMPOSE, patience=0.1)
    assert firm.standing() != firm.rows
    report = rebuild(firm.settings, COMPOSE, only="utilization")
    assert (report.swapped, report.processors["utilization"][1:]) == (True, (0, 6, 6))
    assert firm.standing() == firm.rows
    with worker(firm.settings) as engine:
        found = engine.look_up("utilization", SUBJECT).result(20)
        assert found is not None
        assert found["current"]["revision"] == 6, "master data, known once, and four lines"
    assert not rebuild(firm.settings, COMPOSE, look_only=True).processors["utilization"].any
