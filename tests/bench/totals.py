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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infra import logs
from infra.settings import KafkaSettings, Settings, StreamsSettings
from schemas import codec
from schemas.compiled import compile_reader
from schemas.topics import TOPICS, Topic
from streams.core import kinds
from streams.core.contract import Contribution, Row, Step
from streams.engine.engine import Engine
from streams.engine.publishing import Published
from streams.engine.topology import Processor, Topology

SOURCE, LINE = "bench-in", "odoo.TimesheetLine"
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
_NONE: dict[str, Any] = {
    "record": "",
    "version": 0,
    "event_id": "",
    "recorded_at": 0,
    "committed_minutes": 0,
    "currency": "",
}


def _decode(data: bytes) -> codec.Decoded:
    return codec.Decoded(LINE, _read(data, 5, len(data))[0])


def _route(topic: str, line: Any) -> Iterator[Contribution]:
    if topic == SOURCE:
        subject, minutes = str(line["project_id"]), int(line["hours"] * 60)
        entry = {
            "subject": subject,
            "present": line["billable"],
            "actual": minutes,
            "committed": minutes if line["approved"] else 0,
            **_NONE,
        }
        yield Contribution("totals", subject, kinds.COST, entry)


@dataclass(slots=True)
class Total:
    """Lines and minutes of one project; `said` is what a step of it leads to, and shows the sums as they are when the batch ends."""

    said: Step
    lines: int = 0
    minutes: int = 0
    billable: int = 0
    approved: int = 0

    def packed(self) -> bytes:
        return PACK(self.lines, self.minutes / 60, self.billable / 60, self.approved / 60)


@dataclass(slots=True)
class State:
    """The totals of one partition, and those to be written."""

    totals: dict[str, Total] = field(default_factory=dict)
    changed: dict[str, None] = field(default_factory=dict)
    updates: list[tuple[str, bytes]] = field(default_factory=list)


class Row32(dict[str, Any]):
    """A row that is a total: asked for its fields only when the batch ends."""

    def __init__(self, subject: str, total: Total) -> None:
        super().__init__(subject=subject, present=True, **_NONE)
        self._total = total

    def __getitem__(self, name: str) -> Any:
        if name in {"actual", "committed", "version", "recorded_at"}:
            total = self._total
            return {
                "version": total.lines,
                "actual": total.minutes,
                "committed": total.billable,
                "recorded_at": total.approved,
            }[name]
        return super().__getitem__(name)


def _step(each: bool, state: State, _kind: str, entry: Any) -> Step:
    subject = entry["subject"]
    total = state.totals.get(subject)
    if total is None:
        total = state.totals[subject] = Total(Step([], [], []))
        total.said.rows.append(Row(subject, "total", kinds.COST, Row32(subject, total)))
    minutes = entry["actual"]
    total.lines += 1
    total.minutes += minutes
    if entry["present"]:
        total.billable += minutes
    total.approved += entry["committed"]
    if each:
        state.updates.append((subject, total.packed()))
    else:
        state.changed[subject] = None
    return total.said


def _measures(state: State) -> Iterator[Any]:
    updates, state.updates = state.updates, []
    yield from updates
    changed, state.changed = state.changed, {}
    for subject in changed:
        yield subject, state.totals[subject].packed()


def _published(topic: Topic, update: Any) -> Iterator[Published]:
    subject, value = update
    yield Published(topic.name, KEY(int(subject)), value, [])


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
        measure=replace(CLOCK, name=f"{prefix}-out"),
        new=State,
        step=lambda state, kind, entry: _step(mode == "each", state, kind, entry),
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
        published=_published,
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
