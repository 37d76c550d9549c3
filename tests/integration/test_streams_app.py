"""The worker as it is run: the Faust app around the engine, its pages, and how it leaves."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.embedded_kafka import EmbeddedKafka
from infra.kafka.clients import producer
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from streams.engine.failures import EXIT_TRANSIENT
from tests.bench.bench_streams import prepare, send_timesheet
from tests.support.drill import ROOT, until

FAUST = [sys.executable, "-m", "faust", "-A", "streams.app", "worker"]
TOKEN = "t" * 43
MODULE = [sys.executable, "-m", "streams.app"]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker of its own: the worker runs on the topics of the registry, which other tests use too."""
    with EmbeddedKafka(tmp_path_factory.mktemp("broker") / "kafka") as started:
        yield started


def environment(bootstrap: str, folder: Path, port: int = 0) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BURNLINE_")}
    return kept | {
        "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "BURNLINE_STREAMS__WEB_PORT": str(port),
        "BURNLINE_STREAMS__DATA_DIR": str(folder),
        "BURNLINE_STREAMS__SESSION_TIMEOUT": "6",
        "BURNLINE_STREAMS__STATE_TOKEN": TOKEN,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(client: httpx.Client, path: str) -> httpx.Response | None:
    try:
        response = client.get(path)
    except httpx.TransportError:
        return None
    return response if response.status_code == 200 else None


@pytest.mark.kafka
@pytest.mark.parametrize("command", [pytest.param(FAUST, id="faust's command"), pytest.param(MODULE, id="ours")])
def test_a_worker_gets_ready_answers_and_leaves_in_order(
    broker: EmbeddedKafka, tmp_path: Path, command: list[str]
) -> None:
    kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
    writer, chance = EventWriter(producer(kafka)), random.Random(1)  # noqa: S311  the same firm each time
    prepare(kafka, writer)
    for number in range(1, 601):
        send_timesheet(writer, number, chance)
    writer.flush()
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            command, env=environment(broker.bootstrap_servers, tmp_path, port), cwd=ROOT, stdout=log, stderr=log
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            until(lambda: answers(client, "/ready") or worker.poll() is not None, "a worker that is ready")
            subject = "odoo:bench:hr.employee:2"
            until(lambda: revision(client, subject) == 3, "master data and two timesheets in the measure")
            assert client.get("/health").json()["status"] == "alive"
            assert "burnline_streams_records_total" in client.get("/metrics").text
            missing = client.get("/state/utilization/odoo:bench:hr.employee:9999")
            unknown = client.get(f"/state/nonsense/{subject}")
            assert (missing.status_code, unknown.status_code) == (404, 404)
            path, rebound = f"/state/utilization/{subject}", {"host": f"burnline.example:{port}"}
            refused = client.get(path, headers=rebound)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "bearer")
            allowed = client.get(path, headers=rebound | {"authorization": f"Bearer {TOKEN}"})
            assert allowed.json()["current"]["revision"] == 3
        worker.terminate()
        assert worker.wait(30) == 0, (tmp_path / "log").read_text()
    finally:
        worker.kill()
        worker.wait()


def revision(client: httpx.Client, subject: str) -> Any:
    found = answers(client, f"/state/utilization/{subject}")
    return found and found.json()["current"]["revision"]


def left(bootstrap: str, folder: Path, command: list[str]) -> tuple[int, str]:
    done = subprocess.run(
        command, env=environment(bootstrap, folder), cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", [pytest.param(FAUST, id="faust's command"), pytest.param(MODULE, id="ours")])
def test_without_a_broker_the_worker_leaves_and_says_why(tmp_path: Path, command: list[str]) -> None:
    status, said = left("127.0.0.1:1", tmp_path, command)
    assert status == EXIT_TRANSIENT
    assert "no Kafka broker answers on 127.0.0.1:1" in said
    assert "remedy" in said
