"""A small topology that shows every event's way: each record becomes a row, one alert, and one more in two counts.

`first` remembers each record of its subject, says so once, and passes it on to `second`, which counts too. Whatever is missing
from a state, or missing or doubled in an output, shows by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.errors import PoisonMessage
from schemas.events import meta
from schemas.topics import TOPICS, Topic
from streams.core.contract import EVERYBODY, NOTHING, Contribution, Row, Step
from streams.engine.topology import Processor, Topology

ENTRY = "burnline.internal.TimeEntry"
TICK = "burnline.internal.TickEntry"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK = TOPICS["ops.clock.v1"]
POISONED = 666
"""A day that `step` refuses; the route refuses the one after it."""
BROKEN = 668
"""A day on which `step` breaks, as code does that has a defect."""


def entry(subject: str, record: str, *, version: int = 1, day: int = 20_000) -> dict[str, Any]:
    """A source record, which is an entry already."""
    return {
        "subject": subject,
        "record": record,
        "version": version,
        "present": True,
        "event_id": "00000000-0000-5000-8000-000000000000",
        "recorded_at": 0,
        "day": day,
        "minutes": 60,
        "billable": True,
        "approved": False,
        "cost": 0,
        "employee_id": 1,
        "currency": "",
    }


def event(subject: str, version: int) -> dict[str, Any]:
    """An output: the smallest record that the schemas have, with the version as its time and its number."""
    at = EPOCH + timedelta(microseconds=version)
    return {
        "meta": meta(
            CLOCK,
            "ticked",
            source="toy",
            subject=subject,
            version=version,
            occurred_at=at,
            recorded_at=at,
            mode="derived",
            tenant="toy",
            company_id=None,
        ),
        "current": {"partition": 0, "at": at, "period_seconds": version},
    }


@dataclass
class State:
    """Records by subject, with their versions; the subjects that changed; the last tick."""

    records: dict[str, dict[str, int]] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    ticks: int = 0


def _step(forward: str | None, state: State, kind: str, content: Any) -> Step:
    if kind == TICK:
        state.ticks += 1
        return Step([Row(EVERYBODY, "tick", kind, content)], [], [])
    if content["day"] == POISONED:
        raise PoisonMessage("day 666 is no day", remedy="choose another")
    if content["day"] == BROKEN:
        raise ZeroDivisionError("a defect")
    subject, record, version = content["subject"], content["record"], content["version"]
    mine = state.records.setdefault(subject, {})
    if mine.get(record, -1) >= version:
        return NOTHING
    mine[record] = version
    state.changed.add(subject)
    row = Row(subject, record, kind, content)
    if forward is None:
        return Step([row], [], [])
    return Step([row], [event(record, version)], [Contribution(forward, subject, kind, content)])


def _restore(state: State, subject: str, record: str, kind: str, content: Any) -> None:
    if kind == TICK:
        state.ticks += 1
        return
    state.records.setdefault(subject, {})[record] = content["version"]


def _measures(state: State) -> Iterator[Mapping[str, Any]]:
    for subject in sorted(state.changed):
        yield event(subject, len(state.records[subject]))
    state.changed.clear()


def _look_up(state: State, subject: str) -> Mapping[str, Any] | None:
    return event(subject, len(state.records[subject])) if subject in state.records else None


def _route(clock: str, topic: str, content: Any) -> Iterator[Contribution]:
    if topic == clock:
        yield Contribution("first", "", TICK, {"at": content["current"]["at"]})
        return
    if content["day"] == POISONED + 1:
        raise PoisonMessage("day 667 leads nowhere", remedy="choose another")
    yield Contribution("first", content["subject"], ENTRY, content)


def _processor(prefix: str, name: str, forward: str | None) -> Processor:
    return Processor(
        name=name,
        input=f"{prefix}.{name}-input",
        state=f"{prefix}.{name}-state",
        measure=replace(CLOCK, name=f"{prefix}.{name}-measure"),
        new=State,
        step=lambda state, kind, content: _step(forward, state, kind, content),
        restore=_restore,
        measures=_measures,
        look_up=_look_up,
    )


def topology(prefix: str) -> Topology:
    """The topology, all of its topics named from `prefix` on."""
    clock = f"{prefix}.clock"
    return Topology(
        sources={f"{prefix}.source": ENTRY, clock: "burnline.ops.TickEvent"},
        route=lambda topic, content: _route(clock, topic, content),
        processors=(_processor(prefix, "first", "second"), _processor(prefix, "second", None)),
        clock=clock,
        alerts=replace(CLOCK, name=f"{prefix}.alerts"),
        dead_letters=replace(TOPICS["ops.dead-letter.v1"], name=f"{prefix}.dead-letters"),
        release="toy",
    )


def topics(prefix: str) -> list[Topic]:
    """All of its topics, for a broker to be given."""
    toy = topology(prefix)
    plain = [*toy.sources, *(p.input for p in toy.processors)]
    states = [p.state for p in toy.processors]
    return [
        *(replace(CLOCK, name=name, extra={"retention.ms": "-1"}) for name in plain),
        *(replace(CLOCK, name=name, compacted=True, extra={}) for name in states),
        *(p.measure for p in toy.processors),
        toy.alerts,
        toy.dead_letters,
    ]
