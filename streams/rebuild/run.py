"""A rebuild from end to end: history up to where the group stands, then the swap; or, to look only, up to a moment or under another policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from infra.kafka.reader import end_offsets
from infra.settings import Settings
from streams.engine.ownership import Position
from streams.engine.restore import committed_positions
from streams.engine.topology import Partition, Topology
from streams.engine.widths import widths_of
from streams.rebuild.pages import Page, Task, read, tidied
from streams.rebuild.readers import Compose, Readers
from streams.rebuild.reading import Places
from streams.rebuild.recompute import Recomputation
from streams.rebuild.swap import Difference, compared, put, standing, until_empty

STABLE = 120.0
Tell = Callable[[str, int, int], object]
"""Told what is being done, how many records are done, and of how many."""


@dataclass(slots=True)
class Report:
    """What came of it, by processor; alerts by rule and status, as they would have been raised."""

    records: int = 0
    swapped: bool = False
    processors: dict[str, Difference] = field(default_factory=dict)
    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "records": self.records,
            "swapped": self.swapped,
            "processors": {name: difference._asdict() for name, difference in self.processors.items()},
            "alerts": [
                {"rule": rule, "status": status, "count": n} for (rule, status), n in sorted(self.alerts.items())
            ],
        }


def rebuild(
    settings: Settings,
    compose: Compose,
    *,
    processes: int = 1,
    only: str | None = None,
    as_of: int | None = None,
    look_only: bool = False,
    patience: float = 300.0,
    tell: Tell = lambda *_: None,
) -> Report:
    """Recompute the states, of one processor or of all, and replace what differs, unless it is to look only.

    Of `processes`, this one steps and the others read; each makes the topology by `compose`. `as_of` (milliseconds since 1970) leaves out
    what Kafka got later, and so only looks. The workers go on while history is read; they must be stopped for the swap, which waits `patience`
    seconds for that. Raises `Transient` or `Fatal`, and then nothing has changed.
    """
    with Readers(settings.kafka, compose, processes - 1) if processes > 1 else nullcontext() as readers:
        kafka, group, topology = settings.kafka, settings.streams.group, compose()
        widths = widths_of(kafka, topology)
        begun = _beginnings(settings, topology, widths)
        look_only = look_only or as_of is not None
        reached = _ends(settings, topology, widths) if look_only else _committed(settings, begun)
        ranks = {place: rank for rank, place in enumerate(sorted(begun))}
        needed = None if only is None else topology.behind(only)
        made = Recomputation(topology, Places(topology, widths, needed), ranks)
        task = Task({place: (begun[place], reached[place]) for place in begun}, ranks, widths, needed, as_of)
        pages = readers.pages(task) if readers else read(kafka, topology, task)
        records = _take(made, pages, task, tell)
    if not look_only:
        tell("waiting for the workers to stop", 0, 0)
        until_empty(kafka, group, patience)
        now = _committed(settings, begun)
        task = replace(task, ranges={place: (reached[place], now[place]) for place in begun})
        records += _take(made, read(kafka, topology, task), task, tell)
    report = Report(records, not look_only)
    rows: dict[Partition, tuple[Mapping[bytes, bytes], Mapping[bytes, bytes]]] = {}
    inputs: list[Partition] = []
    recomputed = made.rows()
    for processor in topology.processors:
        if only not in {None, processor.name}:
            continue
        report.alerts += made.alerts(processor)
        parts = []
        for number, old in standing(kafka, processor, widths[processor.state]).items():
            new = recomputed[processor.state, number]
            parts.append(compared(old, new))
            if parts[-1].any:
                rows[processor.state, number] = old, new
                inputs.append((processor.input, number))
        report.processors[processor.name] = Difference(*map(sum, zip(*parts, strict=True)))
    if rows and not look_only:
        put(kafka, group, rows, committed_positions(kafka, group, inputs, timeout=STABLE))
    return report


def _beginnings(settings: Settings, topology: Topology, widths: Mapping[str, int]) -> dict[Partition, int]:
    return {
        (topic, number): begin
        for topic in topology.sources
        for number, (begin, _) in end_offsets(settings.kafka, topic, range(widths[topic])).items()
    }


def _ends(settings: Settings, topology: Topology, widths: Mapping[str, int]) -> dict[Partition, int]:
    return {
        (topic, number): end
        for topic in topology.sources
        for number, (_, end) in end_offsets(settings.kafka, topic, range(widths[topic])).items()
    }


def _committed(settings: Settings, begun: Mapping[Partition, int]) -> dict[Partition, int]:
    """Where the group stands in each source partition: before the first commit, at its beginning."""
    nowhere = Position(-1)
    found = committed_positions(settings.kafka, settings.streams.group, list(begun), timeout=STABLE)
    return {place: max(found.get(place, nowhere).offset, begin) for place, begin in begun.items()}


def _take(made: Recomputation, pages: Iterable[Page], task: Task, tell: Tell) -> int:
    """Step what was read; returns how many records that was."""
    total, done = sum(end - begin for begin, end in task.ranges.values()), 0
    for page in tidied(pages):
        made.take(page.reads)
        done += page.records
        tell("recomputing", done, total)
    return done
