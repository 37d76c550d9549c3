"""The audit of 100,000 timesheets of a real Odoo: every row, and only sums; beside other ways to learn what differs.

Needs the lab (../shared/odoo/lab). The rows are made, and taken away again, by SQL.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import producers.capture
from infra import logs
from infra.embedded_kafka import EmbeddedKafka
from infra.kafka import topics
from infra.odoo import OdooClient, connect
from infra.settings import KafkaSettings, OdooSettings, Settings
from producers.audit import Request, run
from tests.bench.real_odoo import lacking, odoo_with

MODEL = "account.analytic.line"
WORK = [("project_id", "!=", False)]
CONTEXT = {"active_test": False}
SUMS = [
    "__count",
    "id:sum",
    *(f"{name}:sum" for name in ("amount", "unit_amount", "employee_id", "project_id", "task_id")),
]
COLUMNS = ("write_date", "date", "amount", "unit_amount", "employee_id", "project_id", "task_id", "so_line")
FIELDS = [
    *COLUMNS,
    "company_id",
    "user_id",
    "currency_id",
    "timesheet_invoice_type",
    "timesheet_invoice_id",
    "holiday_id",
]


def timed(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return round(time.perf_counter() - begun, 2)


def ranges(client: OdooClient, step: int, aggregates: list[str]) -> None:
    top = client.search(MODEL, WORK, limit=1, order="id desc")[0]
    for first in range(1, top + 1, step):
        domain = [("id", ">=", first), ("id", "<", first + step), *WORK]
        client.call(MODEL, "formatted_read_group", domain=domain, groupby=[], aggregates=aggregates, context=CONTEXT)


def pages(client: OdooClient, fields: list[str], size: int) -> None:
    after = 0
    while rows := client.search_read(MODEL, [("id", ">", after), *WORK], fields, limit=size):
        after = rows[-1]["id"]


def alternatives(client: OdooClient) -> dict[str, float]:
    """Seconds that Odoo takes to tell enough of all rows to find what differs."""
    columns = ["id:array_agg", *(f"{name}:array_agg" for name in COLUMNS)]
    return {
        "sums_at_once_s": timed(lambda: ranges(client, 1 << 31, SUMS)),
        "sums_by_5000_ids_s": timed(lambda: ranges(client, 5000, SUMS)),
        "sums_by_1000_ids_s": timed(lambda: ranges(client, 1000, SUMS)),
        "ids_and_stamps_s": timed(lambda: pages(client, ["write_date"], 10_000)),
        "columns_as_arrays_s": timed(lambda: ranges(client, 20_000, columns)),
        "rows_s": timed(lambda: pages(client, FIELDS, 1000)),
    }


def measure(odoo: OdooSettings) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, EmbeddedKafka(Path(folder) / "kafka") as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        topics.apply(kafka, topics.plan(kafka))
        settings = Settings(kafka=kafka, odoo=odoo)
        producers.capture.run(settings, {}, once=True, stop=threading.Event())
        before, cpu = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        full = run(settings, {}, Request(models=(MODEL,)))
        spent, after = time.process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        quick = run(settings, {}, Request(models=(MODEL,), quick=True))
    assert full.clean, full.kinds
    assert quick.clean, quick.kinds
    return {
        "rows": full.rows,
        "full_audit_s": round(full.seconds, 2),
        "full_audit_cpu_s_per_million": round(spent * 1e6 / full.rows, 1),
        "quick_audit_s": round(quick.seconds, 2),
        "quick_rows_read": quick.rows,
        "audit_memory_mb": round((after - before) / 1024, 1),
        **alternatives(connect(odoo)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    logs.configure("warning")
    if missing := lacking():
        print(json.dumps({"skipped": missing}))
        return
    with odoo_with(args.rows) as odoo:
        figures = measure(odoo)
    if args.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>30} {value:>12,}")


if __name__ == "__main__":
    main()
