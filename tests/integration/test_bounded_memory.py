"""A worker that may hold hardly anything in memory, on a real broker, killed and restarted: byte for byte what one that holds everything makes."""

from __future__ import annotations

import random
import re
import shutil
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from infra.embedded_kafka import EmbeddedKafka
from infra.errors import Transient
from infra.kafka.clients import producer
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings
from streams.rebuild.run import rebuild
from tests.bench.bench_streams import begin_clock, found_firm, lag, send_timesheet, tick, until_ready, worker
from tests.integration.test_rebuild import COMPOSE
from tests.support.drill import until

pytestmark = pytest.mark.kafka
DAY, LITTLE = 400, 11.0
"""Lines of a day; megabytes, of 14 that the firm takes."""


def figures(log: Path) -> dict[str, float]:
    """What the worker tells of itself."""
    port = int(re.findall(r'"port": (\d+).*pages_served', log.read_text())[-1])
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        lines = [line.rsplit(" ", 1) for line in page.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines if name.startswith("burnline_streams_")}


def taken(kafka: KafkaSettings) -> bool:
    """Whether the workers have done all that there is."""
    with suppress(Transient):  # asked of a broker that is busy
        return not lag(kafka)
    return False


def assert_as_recomputed(kafka: KafkaSettings, lines: int) -> None:
    """The rows are those that a rebuild makes, which puts nothing away."""
    report = rebuild(Settings(kafka=kafka), COMPOSE, look_only=True)
    assert not [name for name, difference in report.processors.items() if difference.any], report.processors
    assert report.processors["budget-burn"].same > lines
    assert report.alerts, "a firm in which nothing ever happens proves little"


def test_what_does_not_fit_is_put_away_and_nothing_depends_on_it(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path / "kafka") as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        writer, chance = EventWriter(producer(kafka)), random.Random(1)  # noqa: S311  the same firm each time
        found_firm(kafka, writer)
        sent = 0

        def work(process: psutil.Popen | None = None) -> None:
            """A day's lines; a worker is killed in the midst of them."""
            nonlocal sent
            for number in range(sent + 1, sent + DAY + 1):
                send_timesheet(writer, number, chance)
                if number == sent + DAY // 2:
                    writer.flush()
                    until(lambda: process is None or lag(kafka) < DAY // 4, "the worker is in the midst of it")
                    if process is not None:
                        process.kill()
            writer.flush()
            sent += DAY

        for life, fate in enumerate(["killed", "killed, and its disk is lost", "ends"]):
            log = tmp_path / f"{life}.log"
            with worker(kafka, log, memory_mb=LITTLE, checkpoint_every=1, session_timeout=6) as process:
                until_ready(process, log)
                until(lambda: taken(kafka), "what was left is taken")
                if not life:
                    begin_clock(writer)
                    until(lambda: taken(kafka), "the day has begun")
                work()
                until(lambda: taken(kafka), "a day's work is taken")
                tick(writer, life + 1)
                until(lambda: taken(kafka), "the next day has begun")
                told = figures(log)
                assert told["burnline_streams_put_away_subjects"] > 100
                assert told["burnline_streams_fetched_subjects_total"] > 100
                assert told["burnline_streams_state_bytes"] < LITTLE * 1e6
                if fate != "ends":
                    work(process)
            if "disk" in fate:
                shutil.rmtree(tmp_path / "streams")
        assert_as_recomputed(kafka, sent)


def test_what_another_worker_put_away_is_taken_over_as_it_was(tmp_path: Path) -> None:
    """Copies of its states are put away as well, and go on being followed."""
    with EmbeddedKafka(tmp_path / "kafka") as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        writer, chance = EventWriter(producer(kafka)), random.Random(1)  # noqa: S311  the same firm each time
        found_firm(kafka, writer)
        logs = {name: tmp_path / f"{name}.log" for name in ("victim", "survivor")}
        little = {"memory_mb": LITTLE, "checkpoint_every": 1, "session_timeout": 6, "standbys": 1}

        def work(day: int) -> None:
            for number in range(day * DAY + 1, (day + 1) * DAY + 1):
                send_timesheet(writer, number, chance)
            writer.flush()

        def followed() -> bool:
            told = figures(logs["survivor"])
            return told["burnline_streams_standbys"] > 0 and told["burnline_streams_standby_behind_rows"] == 0

        with worker(kafka, logs["victim"], instance="victim", **little) as victim:
            until_ready(victim, logs["victim"])
            until(lambda: taken(kafka), "the firm is known")
            begin_clock(writer)
            work(0)
            until(lambda: taken(kafka), "a day's work is taken")
            tick(writer, 1)
            until(lambda: taken(kafka), "the next day has begun")
            assert figures(logs["victim"])["burnline_streams_put_away_subjects"] > 100
            with worker(kafka, logs["survivor"], instance="survivor", **little) as survivor:
                until_ready(survivor, logs["survivor"])
                work(1)
                until(lambda: taken(kafka) and followed(), "the survivor has half, and follows the other half")
                restored = figures(logs["survivor"])["burnline_streams_restored_rows_total"]
                victim.kill()
                work(2)
                until(lambda: taken(kafka), "it goes on with all of it")
                tick(writer, 2)
                until(lambda: taken(kafka), "another day has begun")
                told = figures(logs["survivor"])
                assert told["burnline_streams_put_away_subjects"] > 100
                assert told["burnline_streams_state_bytes"] < LITTLE * 1e6
                assert told["burnline_streams_restored_rows_total"] - restored < DAY, (
                    "it took over, instead of restoring"
                )
        assert_as_recomputed(kafka, 3 * DAY)
