"""How long from Odoo's commit to the event on the topic, by poll and by hint.

    python -m tests.bench.bench_latency [--changes 60] [--json]

Against `ODOO_URL` where it is set, else the embedded Odoo in a process of its own, and the real one of the lab where there is one. Capture is a process of its own, too, with its default poll
interval. A change is one write over RPC; its commit is when the answer is here. A hint is put on its topic right after, as the
webhook server does once it has Odoo's post. Changes come at random times, so that none is in step with the poll.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.embedded_kafka import EmbeddedKafka
from infra.kafka import topics
from infra.kafka.clients import consumer, producer
from infra.kafka.reader import latest_offsets
from infra.kafka.writer import EventWriter
from infra.odoo import connect
from infra.settings import CaptureSettings, KafkaSettings, OdooSettings
from producers.capture import standing
from producers.core.webhook_records import Hint, hint_event
from schemas.events import odoo_key
from schemas.topics import topic
from tests.bench.real_odoo import lacking, odoo_with

LINE, TIMESHEETS = "account.analytic.line", topic("delivery.timesheet.v1")
HINTS = topic("ops.webhook.v1")
ROOT = Path(__file__).resolve().parents[2]


class Arrivals:
    """When events of a record came, as a subscriber of committed records sees them."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._reader = consumer(kafka, group="bench.latency", fetch_wait_max_ms=5)
        self._reader.assign(latest_offsets(kafka, {TIMESHEETS.name: TIMESHEETS.partitions}))

    def next(self, key: bytes) -> float:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            record = self._reader.poll(0.5)
            if record is not None and record.error() is None and record.key() == key:
                return time.perf_counter()
        raise AssertionError(f"no event of {key!r}")


def timed(odoo: Any, arrivals: Arrivals, writer: EventWriter | None, changes: int) -> list[float]:
    """Seconds from commit to arrival."""
    (project,) = odoo.call("project.project", "create", vals_list=[{"name": "latency", "allow_timesheets": True}])
    employee = odoo.search("hr.employee", [], limit=1)[0]
    values = {"name": "w", "project_id": project, "employee_id": employee, "unit_amount": 0.5, "date": "2026-03-05"}
    (line,) = odoo.call(LINE, "create", vals_list=[values])
    key = odoo_key(odoo.database, LINE, line).encode()
    arrivals.next(key)
    found = []
    chance = random.Random(7)  # noqa: S311  no secret
    for number in range(changes):
        time.sleep(chance.uniform(0.3, 1.3))
        odoo.call(LINE, "write", [line], vals={"unit_amount": 1.0 + number % 20})
        committed = time.perf_counter()
        if writer is not None:
            told = hint_event(
                Hint(LINE, line, "on_write"), delivery_id="d", database=odoo.database, received_at=datetime.now(UTC),
                content_type="application/json", body=b"{}",
            )  # fmt: skip
            writer.send(HINTS, told)
            writer.flush()
        found.append(arrivals.next(key) - committed)
    return found


def figures(seconds: list[float]) -> dict[str, float]:
    ranked = sorted(seconds)
    return {
        "p50_ms": round(statistics.median(ranked) * 1000, 1),
        "p95_ms": round(ranked[int(len(ranked) * 0.95) - 1] * 1000, 1),
    }


def measure(settings: OdooSettings, changes: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, EmbeddedKafka(Path(folder) / "kafka") as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        topics.apply(kafka, topics.plan(kafka))
        odoo = connect(settings)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("BURNLINE_", "ODOO_"))},
            "ODOO_URL": settings.url or "",
            "ODOO_DB": odoo.database,
            "ODOO_USER": settings.user,
            "ODOO_PASSWORD": settings.password.get_secret_value() if settings.password else "",
            "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        }
        command = [sys.executable, "-m", "burnline", "capture"]
        with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL) as capture:
            while (standing.status(kafka, odoo.database) or {"state": None})["state"] != "capturing":
                assert capture.poll() is None, "the capture ended"
                time.sleep(0.5)
            arrivals = Arrivals(kafka)
            polled = timed(odoo, arrivals, None, changes)
            hinted = timed(odoo, arrivals, EventWriter(producer(kafka, linger_ms=0)), changes)
            capture.terminate()
    interval = CaptureSettings().poll_interval
    by_poll, by_hint = figures(polled), figures(hinted)
    return {
        "poll_interval_s": interval,
        "by_poll": by_poll,
        "by_poll_target_p50_ms": interval / 2 * 1000 + 150,
        "by_hint": by_hint,
        "by_hint_target_p50_ms": 250,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if os.environ.get("ODOO_URL"):
        given = {"url": "ODOO_URL", "db": "ODOO_DB", "user": "ODOO_USER", "password": "ODOO_PASSWORD"}
        found = {
            "given": measure(
                OdooSettings(**{k: os.environ[v] for k, v in given.items() if v in os.environ}), args.changes
            )  # type: ignore[arg-type]
        }
    else:
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-m",
                "infra.embedded_odoo",
                "--data",
                f"{folder}/firm.db",
                "--rate",
                "0",
                "--history-days",
                "30",
                "--lifeline",
            ]
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
            ) as server:
                assert server.stdout is not None
                assert server.stdin is not None
                found = {"embedded": measure(OdooSettings(**json.loads(server.stdout.readline())), args.changes)}
                server.stdin.close()
        if missing := lacking():
            found["real"] = {"skipped": missing}
        else:
            with odoo_with(0) as odoo:
                found["real"] = measure(odoo, args.changes)
    print(json.dumps(found, indent=None if args.json else 2))


if __name__ == "__main__":
    main()
