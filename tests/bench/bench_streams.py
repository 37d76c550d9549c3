"""How fast the streams are: a backlog of timesheet events through all processors, or their latency at a steady rate.

    python tests/bench/bench_streams.py [--events N] [--restarts | --rebuild [--processes N] | --latency [--alerts | --bare]] [--rate N] [--json] [--bootstrap HOST:PORT]

Backlog: fills the source topics, runs one worker until its group's lag is zero, prints records per second and CPU seconds of the
worker per million events. Latency: 500 events/s, or the rate given, for 20 s, after 20 s of the same that do not count (a broker that has just started compiles itself on half of the machine), from a timesheet record's timestamp in Kafka to the moment at
which a subscriber of committed records has the first measure of its consultant that knows it; with `--alerts`, from the record that crossed a line to its alert; with `--bare`, of a loop in place of the worker that does nothing
but transactions.
Restarts: `bytes_per_line` is what a worker that has just started with its states has beyond an empty one; `grown_bytes_per_line` what one has grown by on a backlog, batches and
queues included. Rebuild: all of it recomputed from the topics, looking only, and what its parts take without which there is none. Without `--bootstrap` it starts a broker of its own. The topics must be empty.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Self

import psutil
from confluent_kafka import KafkaError, KafkaException, TopicPartition

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from infra import logs  # noqa: E402  a script finds the packages from its own place
from infra.embedded_kafka import EmbeddedKafka  # noqa: E402
from infra.kafka import topics  # noqa: E402
from infra.kafka.clients import consumer, producer  # noqa: E402
from infra.kafka.reader import end_offsets, partitions_of, read_to_end  # noqa: E402
from infra.kafka.writer import EventWriter  # noqa: E402
from infra.settings import KafkaSettings, Settings  # noqa: E402
from schemas import codec  # noqa: E402
from schemas.events import meta, odoo_key  # noqa: E402
from schemas.topics import PROCESSORS, topic  # noqa: E402
from streams.core import PROCESSOR_SOURCES, Measures  # noqa: E402
from streams.engine.litter import Litter  # noqa: E402  the subscriber stood still for 50 ms while Python looked for garbage
from streams.engine.topology import Topology  # noqa: E402
from streams.engine.widths import widths_of  # noqa: E402
from streams.rebuild.history import Ordered, merged  # noqa: E402
from streams.rebuild.reading import Places, Reading  # noqa: E402
from streams.rebuild.recompute import Recomputation  # noqa: E402
from streams.rebuild.run import rebuild  # noqa: E402
from streams.wiring import topology  # noqa: E402
from tests.bench import bare_loop  # noqa: E402

WARM_UP = 20
MANY = 200_000
"""Records of which rows are made to measure that: they are in memory together."""
CONSULTANTS, PROJECTS = 300, 100
TODAY = date(2026, 3, 30)
NOW = datetime(2026, 3, 30, 6, tzinfo=UTC)
GROUP = "burnline.streams"
MEASURE, ALERT = "measure.utilization.v1", "governance.alert.v1"


def event(
    name: str, verb: str, model: str, record_id: int, current: dict[str, Any], *, recorded_at: datetime = NOW
) -> dict[str, Any]:
    head = meta(
        topic(name),
        verb,
        source="odoo:bench",
        subject=odoo_key("bench", model, record_id),
        version=1,
        occurred_at=NOW - timedelta(days=200) if model != "account.analytic.line" else NOW,
        recorded_at=recorded_at,
        mode="snapshot",
        tenant="bench",
        company_id=1,
    )
    return {"meta": head, "previous": None, "current": current, "changed": []}


def consultant(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Consultant {number}",
        "department_id": number % 7 + 1,
        "manager_id": number % 20 + 1,
        "user_id": number,
        "company_id": 1,
        "active": True,
        "employed_from": date(2020, 1, 1),
        "employed_to": None,
        "hourly_cost": Decimal(50),
        "currency": "EUR",
        "timezone": "Europe/Brussels",
        "calendar_id": 1,
        "weekday_minutes": [480] * 5 + [0, 0],
    }


def project(number: int, *, tight: bool = False) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Project {number}",
        "client_id": number % 30 + 1,
        "manager_id": number % 20 + 1,
        "company_id": 1,
        "currency": "EUR",
        "timezone": "Europe/Brussels",
        "account_id": number,
        "budget_minutes": 20_000 + 200 * number if tight else 600_000,
        "budget_cost": Decimal(15_000 + 150 * number if tight else 500_000),
        "starts_on": TODAY - timedelta(days=200),
        "ends_on": None,
        "active": True,
        "status": "on_track",
    }


def timesheet(number: int, chance: random.Random) -> dict[str, Any]:
    minutes = chance.choice((30, 60, 90, 120, 240))
    return {
        "id": number,
        "employee_id": number % CONSULTANTS + 1,
        "user_id": number % CONSULTANTS + 1,
        "project_id": chance.randrange(PROJECTS) + 1,
        "task_id": chance.randrange(1000),
        "company_id": 1,
        "date": TODAY - timedelta(days=chance.randrange(120)),
        "minutes": minutes,
        "billable": number % 3 != 0,
        "billable_type": "billable_time",
        "leave": False,
        "approved": number % 2 == 0,
        "status": "logged",
        "cost": Decimal(minutes) * 50 / 60,
        "currency": "EUR",
        "invoice_id": None,
        "order_line_id": None,
    }


def prepare(kafka: KafkaSettings, writer: EventWriter, *, tight: bool = False) -> None:
    """Topics, master data and the first tick."""
    found_firm(kafka, writer, tight=tight)
    begin_clock(writer)


def found_firm(kafka: KafkaSettings, writer: EventWriter, *, tight: bool = False) -> None:
    """Topics and master data; `tight` budgets are passed while timesheets come."""
    topics.apply(kafka, topics.plan(kafka))
    for number in range(1, CONSULTANTS + 1):
        name = "people.consultant.v1"
        writer.send(topic(name), event(name, "registered", "hr.employee", number, consultant(number)))
    for number in range(1, PROJECTS + 1):
        name = "delivery.project.v1"
        writer.send(topic(name), event(name, "created", "project.project", number, project(number, tight=tight)))
    writer.flush()


def begin_clock(writer: EventWriter) -> None:
    """The first tick."""
    tick(writer, 0)


def tick(writer: EventWriter, days: int) -> None:
    """A tick, so many days after the first."""
    clock, at = topic("ops.clock.v1"), NOW + timedelta(days=days)
    for partition in range(clock.partitions):
        head = meta(
            clock, "ticked", source="bench", subject=f"clock:{partition}", version=days + 1, occurred_at=at, recorded_at=at,
            mode="derived", tenant="bench", company_id=None,
        )  # fmt: skip
        said = {"meta": head, "current": {"partition": partition, "at": at, "period_seconds": 60}}
        writer.send(clock, said, partition=partition)
    writer.flush()


def send_timesheet(writer: EventWriter, number: int, chance: random.Random) -> None:
    name, written = "delivery.timesheet.v1", NOW + timedelta(microseconds=number)
    writer.send(
        topic(name),
        event(name, "logged", "account.analytic.line", number, timesheet(number, chance), recorded_at=written),
    )


INPUTS = (*PROCESSOR_SOURCES, *(f"internal.{name}-input.v1" for name in PROCESSORS))


def lag(kafka: KafkaSettings, group: str = GROUP, names: Sequence[str] = INPUTS) -> int:
    """Records that the group has still to take; markers of transactions included."""
    probe = consumer(kafka, group=group)
    try:
        places = [TopicPartition(name, p) for name in names for p in range(topic(name).partitions)]
        committed = {(t.topic, t.partition): max(t.offset, 0) for t in probe.committed(places, 10)}
    except KafkaException:  # the group's coordinator is just being made
        return len(names)
    finally:
        probe.close()
    ends = {(name, p): end for name in names for p, (_, end) in end_offsets(kafka, name, range(6)).items()}
    return sum(end - committed[place] for place, end in ends.items())


@contextlib.contextmanager
def worker(
    kafka: KafkaSettings, log: Path, command: Sequence[str] = ("streams.app",), **streams: float
) -> Iterator[psutil.Popen]:
    """One worker process with these settings, ended in order; or another module with its arguments."""
    environment = {
        **os.environ,
        "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": str(kafka.bootstrap_servers),
        "BURNLINE_STREAMS__WEB_PORT": "0",
        "BURNLINE_STREAMS__DATA_DIR": str(log.parent / "streams"),
        **{f"BURNLINE_STREAMS__{name.upper()}": str(value) for name, value in streams.items()},
    }
    with log.open("wb") as out:
        process = psutil.Popen(
            [sys.executable, "-m", *command],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.returncode:
            sys.stderr.write(log.read_text())


def backlog(kafka: KafkaSettings, events: int, log: Path) -> dict[str, Any]:
    writer, chance = EventWriter(producer(kafka)), random.Random(1)  # noqa: S311  figures that can be had again
    prepare(kafka, writer)
    for number in range(1, events + 1):
        send_timesheet(writer, number, chance)
    writer.flush(120)
    began = time.monotonic()
    with worker(kafka, log) as process:
        until_ready(process, log)
        ready, started_cpu, bare = time.monotonic(), cpu(process), process.memory_info().rss
        while lag(kafka):
            time.sleep(0.1)
        took, used = time.monotonic() - ready, cpu(process) - started_cpu
        memory = process.memory_info().rss
    measured = len({record.key() for record in read_to_end(kafka, MEASURE)})
    return {
        "events": events,
        "seconds": round(took, 2),
        "events_per_second": round(events / took),
        "cpu_seconds_per_million": round(used / events * 1e6, 1),
        "events_per_cpu_second": round(events / used),
        "rss_mb": round(memory / 1e6),
        "grown_bytes_per_line": round((memory - bare) / events),
        "empty_rss_mb": round(bare / 1e6),
        "start_seconds": round(ready - began, 2),
        "start_cpu_seconds": round(started_cpu, 2),
        "consultants_measured": measured,
    }


def until_ready(process: psutil.Popen, log: Path) -> None:
    """Return once a worker has all of its states."""
    deadline = time.monotonic() + 120
    while not any("state_restored" in line for line in log.read_text().splitlines()):
        time.sleep(0.02)
        if time.monotonic() > deadline or process.poll() is not None:
            raise SystemExit(log.read_text())


def restarts(kafka: KafkaSettings, events: int, log: Path) -> dict[str, Any]:
    """After a backlog: ready again with the copies on the disk, and without them, the best of three times."""
    done = backlog(kafka, events, log)
    times: dict[str, float] = {}
    colds = []
    for name in ("warm", *["cold"] * 3):
        if name == "cold":
            shutil.rmtree(log.parent / "streams")
        began = time.monotonic()
        with worker(kafka, log) as process:
            until_ready(process, log)
            times[name], times[f"{name}_cpu"] = time.monotonic() - began, cpu(process)
            times[f"{name}_rss"] = process.memory_info().rss
        if name == "cold":
            colds.append((times["cold_cpu"], times["cold"]))
    # the best counts: what else a machine does only ever takes time
    times["cold_cpu"], times["cold"] = min(colds)
    return {
        "rows": 2 * events,
        "warm_ready_seconds": round(times["warm"], 2),
        "warm_ready_cpu_seconds": round(times["warm_cpu"], 2),
        "cold_ready_seconds": round(times["cold"], 2),
        "cold_rows_per_cpu_second": round(2 * events / (times["cold_cpu"] - done["start_cpu_seconds"])),
        "bytes_per_line": round((times["warm_rss"] - done["empty_rss_mb"] * 1e6) / events),
        "grown_bytes_per_line": done["grown_bytes_per_line"],
    }


def rebuilt(kafka: KafkaSettings, events: int, processes: int) -> dict[str, Any]:
    """The states recomputed from the topics; the time of all its processes is counted, their start included."""
    writer, chance = EventWriter(producer(kafka)), random.Random(1)  # noqa: S311  figures that can be had again
    prepare(kafka, writer)
    for number in range(1, events + 1):
        send_timesheet(writer, number, chance)
    writer.flush(120)
    began, cpu_began = time.monotonic(), os.times()
    compose = partial(topology, Measures())
    report = rebuild(Settings(kafka=kafka), compose, processes=processes, look_only=True)
    took, used = time.monotonic() - began, sum(os.times()[:4]) - sum(cpu_began[:4])
    added = {name: difference.added for name, difference in report.processors.items()}
    if min(added["utilization"], added["budget-burn"]) < events:
        raise SystemExit(f"the rebuild made {added} of {events} lines")
    fetching, remembering = halves(kafka, compose())
    return {
        "events": events,
        "processes": processes,
        "seconds": round(took, 2),
        "cpu_seconds": round(used, 2),
        "events_per_second": round(events / took),
        "events_per_cpu_second": round(events / used),
        "fetching_cpu_us_per_event": round(fetching * 1e6, 1),
        "remembering_cpu_us_per_event": round(remembering * 1e6, 1),
        "ceiling_events_per_second": round((os.cpu_count() or 1) / (fetching + remembering)),
    }


def halves(kafka: KafkaSettings, made: Topology) -> tuple[float, float]:
    """CPU seconds of an event for the parts of a rebuild that no way of dealing them out to processes can save: to have it in the order of time, and
    to make rows of it. With nothing to start, to hand on or to wait for, all cores together would do it at the ceiling.
    """
    widths = widths_of(kafka, made)
    ranges = {
        (name, p): span for name in made.sources for p, span in end_offsets(kafka, name, range(widths[name])).items()
    }
    ranks = {place: rank for rank, place in enumerate(sorted(ranges))}
    places = Places(made, widths)
    reading, recomputation = Reading(made, places), Recomputation(made, places, ranks)
    with Litter():
        pages: list[list[Ordered]] = []
        read = kept = 0
        began = time.process_time()
        for _, records in merged(kafka, ranges, ranks):
            read += len(records)
            if kept < MANY:
                pages.append(records)
                kept += len(records)
        fetched = time.process_time()
        for page in pages:
            recomputation.take(reading.read(page))
        return (fetched - began) / read, (time.process_time() - fetched) / kept


def latency(
    kafka: KafkaSettings, log: Path, *, rate: int = 500, seconds: int = 20, alerts: bool = False, bare: bool = False
) -> dict[str, Any]:
    writer, chance = EventWriter(producer(kafka)), random.Random(1)  # noqa: S311  figures that can be had again
    prepare(kafka, writer, tight=alerts)
    listened = ALERT if alerts or bare else MEASURE
    command = ("tests.bench.bare_loop", str(kafka.bootstrap_servers)) if bare else ("streams.app",)
    group: tuple[str, Sequence[str]] = (bare_loop.GROUP, (bare_loop.SOURCE,)) if bare else (GROUP, INPUTS)
    with worker(kafka, log, command) as process, Subscriber(kafka, listened) as subscriber, Litter():
        while lag(kafka, *group) or not partitions_of(kafka, listened):
            time.sleep(0.2)
        started_cpu = cpu(process)
        began = time.monotonic()
        counted = int((time.time() + WARM_UP) * 1000)
        for number in range(1, rate * (seconds + WARM_UP) + 1):
            send_timesheet(writer, number, chance)
            ahead = began + number / rate - time.monotonic()
            if ahead > 0:
                writer.producer.poll(ahead)
        writer.flush()
        used = cpu(process) - started_cpu
        while lag(kafka, *group):
            time.sleep(0.2)
        ends = end_offsets(kafka, listened, range(topic(listened).partitions))
        subscriber.until(sum(end for _, end in ends.values()))
    if bare:
        found = bare_loop.waits(subscriber.seen, counted)
    else:
        found = (_waits_for_alerts if alerts else _waits)(kafka, subscriber.seen, counted)
    waits = sorted(found)
    return {
        "events": len(waits),
        "per_second": rate,
        "p50_ms": round(waits[len(waits) // 2]),
        "p99_ms": round(waits[len(waits) * 99 // 100]),
        "max_ms": round(waits[-1]),
        "cpu_seconds_per_million": round(used / (rate * (seconds + WARM_UP)) * 1e6, 1),
    }


class Subscriber:
    """Every committed record of a topic, with the moment at which it was there."""

    def __init__(self, kafka: KafkaSettings, name: str) -> None:
        self.seen: list[tuple[float, bytes]] = []
        self._reader = consumer(kafka, group="bench.subscriber", fetch_wait_max_ms=20, enable_partition_eof=True)
        self._reader.assign([TopicPartition(name, p, 0) for p in range(topic(name).partitions)])
        self._ends: dict[int, int] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._read, name="subscriber")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._reader.close()

    def _read(self) -> None:
        while not self._done.is_set():
            record = self._reader.poll(0.1)
            if record is None:
                continue
            at = time.time() * 1000
            if record.error() is None:
                self.seen.append((at, record.value() or b""))
            elif record.error().code() == KafkaError._PARTITION_EOF:
                self._ends[record.partition() or 0] = record.offset() or 0

    def until(self, records: int) -> None:
        """Return once everything up to these ends, marks of transactions included, was read."""
        deadline = time.monotonic() + 30
        while sum(self._ends.values()) < records:
            if time.monotonic() > deadline:
                raise SystemExit(f"the subscriber stands at {self._ends} of {records} records")
            time.sleep(0.05)


def _waits(kafka: KafkaSettings, seen: list[tuple[float, bytes]], counted: int) -> Iterator[float]:
    """Milliseconds from each timesheet since `counted` to the first measure of its consultant whose revision includes it."""
    measures: dict[str, list[tuple[int, float]]] = {}
    for at, value in seen:
        _, content = codec.decode_wire(value)
        measures.setdefault(content["meta"]["subject"], []).append((content["meta"]["version"], at))
    logged: dict[str, list[int]] = {}
    for record in read_to_end(kafka, "delivery.timesheet.v1"):
        _, content = codec.decode_wire(record.value() or b"")
        key = odoo_key("bench", "hr.employee", content["current"]["employee_id"])
        logged.setdefault(key, []).append(record.timestamp()[1])
    for key, stamps in logged.items():
        # every version is 1: the n-th timesheet of a consultant is in the first measure of revision base + n
        mine = sorted(measures[key])
        base = mine[-1][0] - len(stamps)
        for index, stamp in enumerate(sorted(stamps), 1):
            if stamp >= counted:
                yield next(at for revision, at in mine if revision >= base + index) - stamp


def _waits_for_alerts(kafka: KafkaSettings, seen: list[tuple[float, bytes]], counted: int) -> Iterator[float]:
    """Milliseconds from each timesheet since `counted` that crossed a line to the alert that names it as its cause."""
    stamps: dict[str, int] = {}
    for record in read_to_end(kafka, "delivery.timesheet.v1"):
        stamps[codec.decode_wire(record.value() or b"").value["meta"]["event_id"]] = record.timestamp()[1]
    for at, value in seen:
        stamp = stamps.get(codec.decode_wire(value).value["meta"]["causation_id"], 0)
        if stamp >= counted:
            yield at - stamp


def cpu(process: psutil.Popen) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("--alerts", action="store_true", help="with --latency: of alerts")
    parser.add_argument("--bare", action="store_true", help="with --latency: of a loop that does nothing")
    parser.add_argument("--restarts", action="store_true")
    parser.add_argument("--rebuild", action="store_true")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="of --rebuild")
    parser.add_argument("--rate", type=int, default=500, help="events a second, of --latency")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--bootstrap")
    chosen = parser.parse_args()
    logs.configure("error")  # standard output belongs to the figures
    with tempfile.TemporaryDirectory(prefix="burnline-bench-") as folder, contextlib.ExitStack() as stack:
        bootstrap = chosen.bootstrap
        if bootstrap is None:
            bootstrap = stack.enter_context(EmbeddedKafka(Path(folder) / "kafka")).bootstrap_servers
        kafka, log = KafkaSettings(bootstrap_servers=bootstrap), Path(folder) / "worker.log"
        if chosen.latency:
            figures = latency(kafka, log, rate=chosen.rate, alerts=chosen.alerts, bare=chosen.bare)
        elif chosen.rebuild:
            figures = rebuilt(kafka, chosen.events, chosen.processes)
        else:
            figures = (restarts if chosen.restarts else backlog)(kafka, chosen.events, log)
    if chosen.json:
        print(json.dumps(figures))
    else:
        width = max(map(len, figures))
        print("\n".join(f"{name:<{width}}  {value:>12,}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
