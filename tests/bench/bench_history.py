"""What a worker takes for years of history when it may hold only part of it: memory, speed, the turn of a day, and a restart.

    python -m tests.bench.bench_history [--lines 10000000] [--memory-mb 1000] [--json]

A firm of a thousand people over nine years: each stays for five of them and is followed by another, a project takes half a year, 400 of
them at a time. Lines come in the order of their days, as fast as they can be written; a worker takes them meanwhile. Its resident memory is
read every second. Then a day begins, which looks at everybody; then the worker ends, and starts again with its copies.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil

from infra import logs
from infra.embedded_kafka import EmbeddedKafka
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import end_offsets
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from schemas.topics import topic
from tests.bench.bench_streams import (
    NOW,
    TODAY,
    begin_clock,
    consultant,
    cpu,
    event,
    lag,
    project,
    tick,
    timesheet,
    until_ready,
    worker,
)

DAYS, STAY, LIFE = 9 * 365, 5 * 365, 182
PEOPLE, AT_A_TIME = 1_000, 400
PATIENCE = 3 * 3600.0
TENTHS = 10


def numbered(slot: int, slots: int, day: int, lasts: int) -> int:
    """Who has a place on a day: places change hands one after the other."""
    return slot + 1 + slots * ((day + slot * lasts // slots) // lasts)


def write(bootstrap: str, lines: int) -> None:
    """All lines, in a process of its own."""
    writer, chance = EventWriter(producer(KafkaSettings(bootstrap_servers=bootstrap))), random.Random(1)  # noqa: S311  the same firm each time
    name = "delivery.timesheet.v1"
    for number in range(1, lines + 1):
        day = number * DAYS // (lines + 1)
        line = timesheet(number, chance)
        line["employee_id"] = line["user_id"] = numbered(number % PEOPLE, PEOPLE, day, STAY)
        line["project_id"] = numbered(chance.randrange(AT_A_TIME), AT_A_TIME, day, LIFE)
        line["date"] = TODAY - timedelta(days=DAYS - day)
        written = NOW + timedelta(microseconds=number)
        writer.send(topic(name), event(name, "logged", "account.analytic.line", number, line, recorded_at=written))
    writer.flush(600)


def found(kafka: KafkaSettings, writer: EventWriter) -> tuple[int, int]:
    """Topics and master data; how many people and projects there are."""
    topics.apply(kafka, topics.plan(kafka))
    people, projects = (
        max(numbered(slot, slots, DAYS, lasts) for slot in range(slots))
        for slots, lasts in ((PEOPLE, STAY), (AT_A_TIME, LIFE))
    )
    for number in range(1, people + 1):
        said = consultant(number) | {"employed_from": date(2010, 1, 1)}
        writer.send(
            topic("people.consultant.v1"), event("people.consultant.v1", "registered", "hr.employee", number, said)
        )
    for number in range(1, projects + 1):
        said = project(number) | {"budget_cost": Decimal(5_000_000), "budget_minutes": 6_000_000}
        writer.send(
            topic("delivery.project.v1"), event("delivery.project.v1", "created", "project.project", number, said)
        )
    writer.flush(120)
    return people, projects


def history(lines: int, memory_mb: int, folder: Path) -> dict[str, Any]:
    """All of it."""
    with EmbeddedKafka(folder / "kafka", heap="1g") as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        writer = EventWriter(producer(kafka))
        people, projects = found(kafka, writer)
        log = folder / "worker.log"
        with worker(kafka, log, memory_mb=memory_mb) as process:
            until_ready(process, log)
            until_taken(kafka, process)
            begin_clock(writer)
            until_taken(kafka, process)
            empty = process.memory_info().rss
            spawn = multiprocessing.get_context("spawn")
            writing = spawn.Process(target=write, args=(str(kafka.bootstrap_servers), lines))
            began, cpu_began = time.monotonic(), cpu(process)
            writing.start()
            try:
                most, by_tenth = follow(kafka, process, lines, writing)
            finally:
                writing.terminate()
                writing.join()
            took, used = time.monotonic() - began, cpu(process) - cpu_began
            tick(writer, 1)
            began, cpu_began = time.monotonic(), cpu(process)
            most_at_night = until_taken(kafka, process)
            night, night_cpu = time.monotonic() - began, cpu(process) - cpu_began
        began = time.monotonic()
        with worker(kafka, log, memory_mb=memory_mb) as process:
            until_ready(process, log)
            ready, again = time.monotonic() - began, process.memory_info().rss
    return {
        "lines": lines,
        "people": people,
        "projects": projects,
        "memory_mb": memory_mb,
        "empty_rss_mb": round(empty / 1e6),
        "most_rss_mb": round(most / 1e6),
        "rss_mb_by_tenth": [round(one / 1e6) for one in by_tenth],
        "seconds": round(took),
        "events_per_second": round(lines / took),
        "events_per_cpu_second": round(lines / used),
        "day_seconds": round(night, 1),
        "day_cpu_seconds": round(night_cpu, 1),
        "day_most_rss_mb": round(most_at_night / 1e6),
        "ready_again_seconds": round(ready, 1),
        "ready_again_rss_mb": round(again / 1e6),
    }


def follow(
    kafka: KafkaSettings, process: psutil.Popen, lines: int, writing: multiprocessing.process.BaseProcess
) -> tuple[int, list[int]]:
    """Wait until all lines are taken; the most memory that the worker had, in all and in each tenth of them."""
    by_tenth = [0] * TENTHS
    told = begun = time.monotonic()
    while True:
        alive, left = writing.is_alive(), lag(kafka)  # in this order: what it wrote last is seen
        if not left and not alive:
            if writing.exitcode:
                raise SystemExit("the lines could not be written")
            return max(by_tenth), by_tenth
        done = written(kafka) - left
        tenth = min(TENTHS - 1, max(0, done) * TENTHS // lines)
        by_tenth[tenth] = max(by_tenth[tenth], process.memory_info().rss)
        now = time.monotonic()
        if process.poll() is not None or now - begun > PATIENCE:
            raise SystemExit("the worker did not come to an end")
        if now - told > 10:
            told = now
            mb, rate = process.memory_info().rss / 1e6, done / (now - begun)
            print(f"{done:,} of {lines:,} lines, {rate:,.0f}/s, {mb:,.0f} MB", file=sys.stderr)
        time.sleep(1)


def written(kafka: KafkaSettings) -> int:
    """How many lines are on their topic."""
    return sum(end for _, end in end_offsets(kafka, "delivery.timesheet.v1", range(6)).values())


def until_taken(kafka: KafkaSettings, process: psutil.Popen) -> int:
    """Wait until the worker has taken all that there is; the most memory that it had meanwhile."""
    most, begun = 0, time.monotonic()
    while lag(kafka):
        most = max(most, process.memory_info().rss)
        if process.poll() is not None or time.monotonic() - begun > PATIENCE:
            raise SystemExit("the worker did not come to an end")
        time.sleep(0.2)
    return max(most, process.memory_info().rss)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--memory-mb", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    logs.configure("error")
    with tempfile.TemporaryDirectory(prefix="burnline-history-") as folder:
        figures = history(chosen.lines, chosen.memory_mb, Path(folder))
    print(json.dumps(figures) if chosen.json else json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
