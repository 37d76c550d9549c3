"""The peers' job on our engine: running totals per project over Avro timesheet lines, exactly once, as `../shared/bench` defines it.

    python -m tests.bench.totals BOOTSTRAP each|conflated FOLDER      a worker; SIGTERM ends it

The same lines in, the same 32 bytes out, and a changelog behind them. `conflated` writes a total once per project and batch, as Kafka
Streams does with its cache; `each` writes every update. It is no measure of ours: a sum that counts deliveries is exact only because
a batch and its offsets are one transaction.
"""

from __future__ import annotations

import signal
import struct
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from infra import logs
from infra.settings import KafkaSettings, Settings, StreamsSettings
from schemas.compiled import compile_reader
from schemas.lines import TimeLine
from schemas.topics import TOPICS, Topic
from streams.core import kinds
from streams.core.contract import Contribution, Row, Step
from streams.engine.engine import Engine
from streams.engine.publishing import Published
from streams.engine.topology import Processor, Topology

SOURCE, LINE = "bench-in", "odoo.TimesheetLine"
EACH, CONFLATED = "bench.totals-each-out", "bench.totals-conflated-out"
NO_HEADERS: list[Any] = []
SCHEMA = {
    "type": "record",
    "name": "TimesheetLine",
    "namespace": "odoo",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "project_id", "type": "long"},
        {"name": "employee_id", "type": "long"},
        {"name": "hours", "type": "double"},
        {"name": "billable", "type": "boolean"},
        {"name": "date", "type": "int"},
        {"name": "approved", "type": "boolean"},
    ],
}
PACK = struct.Struct(">qddd").pack
KEY = struct.Struct(">q").pack
CLOCK = TOPICS["ops.clock.v1"]
_read = compile_reader(SCHEMA, as_written=True, kept={LINE: {"project_id", "hours", "billable", "approved"}})


def _decode(data: bytes) -> tuple[str, Any]:
    return LINE, _read(data, 5, len(data))[0]


def _route(topic: str, line: Any) -> Iterable[Contribution]:
    if topic != SOURCE:
        return ()
    subject, minutes = str(line["project_id"]), int(line["hours"] * 60)
    said = TimeLine(subject, "", 0, True, "", 0, 0, minutes, line["billable"], line["approved"], 0, 0, "")
    return (Contribution("totals", subject, kinds.TIME, said),)


class Total:
    """Lines and minutes of one project; `said` is what a step of it leads to, and shows the sums as they are when the batch ends."""

    __slots__ = ("approved", "billable", "key", "lines", "minutes", "said")

    def __init__(self, subject: str) -> None:
        self.lines = self.minutes = self.billable = self.approved = 0
        self.key = KEY(int(subject))
        self.said = Step([Row(subject, "total", kinds.COST, Row32(subject, self))], [], [])

    def packed(self) -> bytes:
        return PACK(self.lines, self.minutes / 60, self.billable / 60, self.approved / 60)


class State:
    """The totals of one partition, and what the batch has to publish: those that changed, or every update."""

    __slots__ = ("changed", "totals", "updates")

    def __init__(self) -> None:
        self.totals: dict[str, Total] = {}
        self.changed: dict[str, Total] = {}
        self.updates: list[Published] = []


class Row32(dict[str, Any]):
    """A row that is a total: asked for its fields only when the batch ends."""

    def __init__(self, subject: str, total: Total) -> None:
        super().__init__(subject=subject, record="", present=True, event_id="", currency="", committed_minutes=0)
        self._total = total

    def __getitem__(self, name: str) -> Any:
        total = self._total
        if name == "version":
            return total.lines
        if name == "actual":
            return total.minutes
        if name == "committed":
            return total.billable
        if name == "recorded_at":
            return total.approved
        return super().__getitem__(name)


def _step(state: State, subject: str, line: TimeLine) -> Total:
    total = state.totals.get(subject)
    if total is None:
        total = state.totals[subject] = Total(subject)
    minutes = line.minutes
    total.lines += 1
    total.minutes += minutes
    if line.billable:
        total.billable += minutes
    if line.approved:
        total.approved += minutes
    return total


def _conflated(state: State, _kind: str, line: Any) -> Step:
    total = state.changed[line.subject] = _step(state, line.subject, line)
    return total.said


def _each(state: State, _kind: str, line: Any) -> Step:
    total = _step(state, line.subject, line)
    state.updates.append(Published(EACH, total.key, total.packed(), NO_HEADERS))
    return total.said


def _measures(state: State) -> Iterable[Any]:
    updates, state.updates = state.updates, []
    changed, state.changed = state.changed, {}
    return updates or [Published(CONFLATED, total.key, total.packed(), NO_HEADERS) for total in changed.values()]


def _restore(state: State, subject: str, _record: str, _kind: str, entry: Any) -> None:
    raise NotImplementedError("the job runs once, from the beginning")


def _nothing(_state: State, _subject: str) -> Mapping[str, Any] | None:
    return None


def topology(mode: str) -> Topology:
    """The job, all of its topics named after the mode."""
    prefix = f"bench.totals-{mode}"
    totals = Processor(
        name="totals",
        input=f"{prefix}-input",
        state=f"{prefix}-state",
        measure=replace(CLOCK, name=EACH if mode == "each" else CONFLATED),
        new=State,
        step=_each if mode == "each" else _conflated,
        restore=_restore,
        measures=_measures,
        look_up=_nothing,
    )
    return Topology(
        sources={SOURCE: LINE, f"{prefix}-clock": "burnline.ops.TickEvent"},
        route=_route,
        processors=(totals,),
        clock=f"{prefix}-clock",
        alerts=replace(CLOCK, name=f"{prefix}-alerts"),
        dead_letters=replace(TOPICS["ops.dead-letter.v1"], name=f"{prefix}-dead-letters"),
        decoders={SOURCE: _decode},
        published=lambda _, update: (update,),
    )


def topics(mode: str) -> list[Topic]:
    """Its topics, for a broker to be given."""
    made = topology(mode)
    [totals] = made.processors
    state = replace(CLOCK, name=totals.state, compacted=True, extra={})
    return [
        *(replace(CLOCK, name=name, extra={"retention.ms": "-1"}) for name in (made.clock, totals.input)),
        state,
        totals.measure,
        made.alerts,
        made.dead_letters,
    ]


def main() -> None:
    bootstrap, mode, folder = sys.argv[1:]
    logs.configure("error")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=bootstrap),
        streams=StreamsSettings(group=f"bench.totals-{mode}", data_dir=Path(folder)),
    )
    Engine(settings, topology(mode)).run(stop)


if __name__ == "__main__":
    main()
