"""How fast capture reads: a bare odoorpc search_read loop against our snapshot, over the same rows and fields.

    python -m tests.bench.bench_capture [--rows 20000] [--rounds 3] [--json]

Against `ODOO_URL` where it is set (its timesheets as they are), else against the embedded Odoo, which answers almost for free, and
the real one of the lab where there is one, each with `--rows` lines. The snapshot does everything it does live: map, encode, publish
in transactions with its cursor, on a broker of its own. The embedded Odoo runs in a process of its own, so that its work is not counted
as ours.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import odoorpc

from infra.embedded_kafka import EmbeddedKafka
from infra.kafka import topics
from infra.odoo import connect
from infra.settings import KafkaSettings, OdooSettings
from producers.capture.images import Images, places
from producers.capture.model import ModelCapture
from producers.capture.pipeline import Pipeline
from producers.capture.publisher import Publisher
from producers.capture.source import Source
from producers.capture.tables import Tables
from producers.core.cursor import Clock, fresh
from producers.core.mapping import mappings
from producers.core.policy import CapturePolicy
from tests.bench.real_odoo import lacking, odoo_with

MODEL = "account.analytic.line"
PAGE = 1000
SERVER = """
import sys, pathlib
from infra.embedded_odoo import EmbeddedOdoo
with EmbeddedOdoo(pathlib.Path(sys.argv[1])) as odoo:
    with odoo.transaction() as t:
        project = t.create("project.project", {"name": "P"})
        employee = t.create("hr.employee", {"name": "E", "hourly_cost": 50.0})
        for n in range(int(sys.argv[2])):
            t.create("account.analytic.line", {"name": "w", "project_id": project, "employee_id": employee,
                     "unit_amount": 1.0 + n % 7, "date": "2026-03-%02d" % (1 + n % 28)})
    print(odoo.url, odoo.db, odoo.user, odoo.password, flush=True)
    sys.stdin.read()
"""


@contextmanager
def embedded_with(rows: int) -> Iterator[OdooSettings]:
    """An embedded Odoo with so many timesheets, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", SERVER, f"{folder}/firm.db", str(rows)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url, db, user, password = server.stdout.readline().split()
            yield OdooSettings(url=url, db=db, user=user, password=password)  # type: ignore[arg-type]
            assert server.stdin is not None
            server.stdin.close()


def bare(settings: OdooSettings, fields: tuple[str, ...]) -> tuple[int, float, float]:
    """Rows, seconds and CPU seconds of the plainest loop over odoorpc."""
    at = urlsplit(settings.url or "")
    odoo = odoorpc.ODOO(at.hostname, port=at.port)
    odoo.login(settings.db, settings.user, settings.password.get_secret_value() if settings.password else "")
    rows = after = 0
    begun, cpu = time.perf_counter(), time.process_time()
    while True:
        page = odoo.execute_kw(
            MODEL,
            "search_read",
            [[["project_id", "!=", False], ["id", ">", after]], list(fields)],
            {"limit": PAGE, "order": "id"},
        )
        rows += len(page)
        if len(page) < PAGE:
            return rows, time.perf_counter() - begun, time.process_time() - cpu
        after = page[-1]["id"]


def captured(odoo: OdooSettings, kafka: KafkaSettings, number: int) -> tuple[int, float, float, tuple[str, ...]]:
    """Events, seconds and CPU seconds of a first snapshot, and the fields it read."""
    source = Source(connect(odoo), PAGE)
    (one,) = source.readable(m for m in mappings(CapturePolicy()) if m.model == MODEL)
    name = f"bench-{number}"
    pipeline = Pipeline(
        Publisher(kafka, name), Images(places([one.mapping])), database=name, source=f"odoo:{name}", progress=None
    )
    model = ModelCapture(
        one,
        fresh(MODEL),
        source=source,
        tables=Tables(source),
        pipeline=pipeline,
        clock=Clock(),
        policy=CapturePolicy(),
        overlap=150.0,
        deletion_share=0.2,
    )
    begun, cpu = time.perf_counter(), time.process_time()
    for _ in model.snapshot():
        pass
    return pipeline.counts.total(), time.perf_counter() - begun, time.process_time() - cpu, one.fields


def measure(odoo: OdooSettings, rounds: int) -> dict[str, Any]:
    """The best of several alternating rounds of each."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedKafka(Path(folder) / "kafka") as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        topics.apply(kafka, topics.plan(kafka))
        ours, plain = [], []
        for number in range(rounds):
            events, seconds, cpu, fields = captured(odoo, kafka, number)
            ours.append((events / seconds, cpu))
            rows, seconds, cpu = bare(odoo, fields)
            plain.append((rows / seconds, cpu))
    assert rows == events, f"{rows} rows became {events} events"
    return {
        "rows": rows,
        "bare_rows_per_s": round(max(plain)[0]),
        "capture_rows_per_s": round(max(ours)[0]),
        "ratio": round(max(ours)[0] / max(plain)[0], 3),
        "bare_cpu_s": round(min(cpu for _, cpu in plain), 3),
        "capture_cpu_s": round(min(cpu for _, cpu in ours), 3),
        "capture_cpu_us_per_row": round(min(cpu for _, cpu in ours) / rows * 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if os.environ.get("ODOO_URL"):
        given = {"url": "ODOO_URL", "db": "ODOO_DB", "user": "ODOO_USER", "password": "ODOO_PASSWORD"}
        figures = {
            "given": measure(
                OdooSettings(**{k: os.environ[v] for k, v in given.items() if v in os.environ}), args.rounds
            )  # type: ignore[arg-type]
        }
    else:
        with embedded_with(args.rows) as odoo:
            figures = {"embedded": measure(odoo, args.rounds)}
        if missing := lacking():
            figures["real"] = {"skipped": missing}
        else:
            with odoo_with(args.rows) as odoo:
                figures["real"] = measure(odoo, args.rounds)
    print(json.dumps(figures, indent=None if args.json else 2))


if __name__ == "__main__":
    main()
