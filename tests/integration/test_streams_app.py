"""The worker as it is run: the Faust app around the engine, its pages, and how it leaves."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.embedded_kafka import EmbeddedKafka
from infra.kafka.clients import producer, transactional_producer
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from streams.engine.failures import EXIT_TRANSIENT
from tests.bench.bench_streams import prepare, send_timesheet
from tests.support.drill import ROOT, until

FAUST = [sys.executable, "-m", "faust", "-A", "streams.app", "worker"]
TOKEN = "t" * 43
MODULE = [sys.executable, "-m", "streams.app"]
NUMBERS = count(1_000)
"""Timesheets that the topics do not have yet."""
FIGURES = (
    "batch_records", "batch_age", "fetch_seconds", "decode_seconds", "step_seconds", "measure_seconds", "commit_seconds",
    "restored_rows", "restoring_rows", "aborted_transactions", "standby_behind_rows", "stopped_partitions", "stands_seconds",
)  # fmt: skip


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
    with serving(command, broker.bootstrap_servers, tmp_path, "alone") as client:
        subject = "odoo:bench:hr.employee:2"
        until(lambda: revision(client, subject) == 4, "master data, known once, and two timesheets in the measure")
        assert client.get("/health").json()["status"] == "alive"
        figures = client.get("/metrics").text
        assert all(f"burnline_streams_{name}" in figures for name in FIGURES)
        until(lambda: "burnline_streams_ready 1.0" in client.get("/metrics").text, "the timer tells that it is ready")
        send_timesheet(writer, next(NUMBERS), chance)
        writer.flush()
        until(lambda: client.get("/live").json(), "the agent shows what passes by")
        assert {"topic", "key", "event"} == set(client.get("/live").json()[0])
        missing = client.get("/state/utilization/odoo:bench:hr.employee:9999")
        unknown = client.get(f"/state/nonsense/{subject}")
        assert (missing.status_code, unknown.status_code) == (404, 404)
        for path in (f"/state/utilization/{subject}", "/live"):
            rebound = {"host": "burnline.example"}  # a name that somebody has lead to this machine
            refused = client.get(path, headers=rebound)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "bearer")
            assert client.get(path, headers=rebound | {"authorization": f"Bearer {TOKEN}"}).status_code == 200
        for path in (
            "/health",
            "/ready",
            "/metrics",
        ):  # for a monitor, whatever it calls this machine; they name nobody
            answer = client.get(path, headers=rebound)
            assert (answer.status_code, "hr.employee" in answer.text) == (200, False)


@pytest.mark.kafka
def test_a_look_up_is_led_to_the_worker_that_owns_the_subject(broker: EmbeddedKafka, tmp_path: Path) -> None:
    kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
    writer, chance = EventWriter(producer(kafka)), random.Random(1)  # noqa: S311  the same firm each time
    prepare(kafka, writer)
    for number in range(1, 601):
        send_timesheet(writer, number, chance)
    writer.flush()
    subjects = [f"odoo:bench:hr.employee:{number}" for number in range(2, 14)]
    with ExitStack() as stack:
        asked = [
            stack.enter_context(serving(command, broker.bootstrap_servers, tmp_path, name))
            for name, command in (("one", FAUST), ("two", MODULE))
        ]
        owners: Counter[int] = Counter()
        until(lambda: {inputs(client) for client in asked} == {15}, "three lanes each")
        for subject in subjects:
            path = f"/state/utilization/{subject}"
            until(lambda: sorted(c.get(path).status_code for c in asked) == [200, 307], f"one has {subject}")  # noqa: B023  asked at once
            [owner] = [number for number, client in enumerate(asked) if client.get(path).status_code == 200]
            led = asked[1 - owner].get(path, follow_redirects=True)
            assert led.url.port == asked[owner].base_url.port, led.text
            assert led.json()["meta"]["subject"] == subject
            owners[owner] += 1
            assert asked[1 - owner].get(f"{path}?redirected").status_code == 503, "once, and not in a circle"
        assert len(owners) == 2, "both are owners"


@pytest.mark.kafka
def test_a_worker_that_has_something_to_do_and_commits_nothing_says_so(broker: EmbeddedKafka, tmp_path: Path) -> None:
    """A producer that died in a transaction holds up everything behind it, and nothing fails in the worker."""
    kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
    prepare(kafka, EventWriter(producer(kafka)))
    with serving(MODULE, broker.bootstrap_servers, tmp_path, "stands", longest=4) as client:
        until(lambda: client.get("/health").json()["last_commit_age_seconds"], "it has committed something")
        assert client.get("/health").status_code == 200
        stuck = transactional_producer(kafka, "test.stands", timeout=60)
        stuck.begin_transaction()
        stuck.produce("delivery.timesheet.v1", b"never decided", b"key")
        assert stuck.flush(30) == 0
        until(lambda: client.get("/health").status_code == 503, "nothing is committed, though there is something to do")
        assert client.get("/health").json()["status"] == "stands"
        assert client.get("/ready").status_code == 200
        stuck.abort_transaction(30)
        until(lambda: client.get("/health").status_code == 200, "it goes on")


def inputs(client: httpx.Client) -> int:
    return int(client.get("/ready").json()["partitions"])


@contextmanager
def serving(
    command: list[str], bootstrap: str, folder: Path, name: str, *, longest: int = 30
) -> Iterator[httpx.Client]:
    """A worker of this name that is ready, asked by HTTP; a transaction of it takes so many seconds at the `longest`."""
    port = free_port()
    settings = environment(bootstrap, folder, port) | {
        "BURNLINE_STREAMS__INSTANCE": name,
        "BURNLINE_STREAMS__GROUP": folder.name,
        "BURNLINE_STREAMS__TRANSACTION_TIMEOUT": str(longest),
    }
    with (folder / f"{name}.log").open("wb") as log:
        worker = subprocess.Popen(command, env=settings, cwd=ROOT, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            until(lambda: answers(client, "/ready") or worker.poll() is not None, "a worker that is ready")
            assert worker.poll() is None, (folder / f"{name}.log").read_text()
            yield client
        worker.terminate()
        assert worker.wait(30) == 0, (folder / f"{name}.log").read_text()
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
