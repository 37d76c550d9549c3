"""States in memory, moved by history through the very batches that a worker runs. Nothing is published.

Invariant: the rows are byte for byte those that a worker would have written, which saw the same records in the same order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from confluent_kafka import Message

from schemas.topics import Topic
from streams.engine.batch import Batch
from streams.engine.litter import Litter
from streams.engine.publishing import Published
from streams.engine.topology import Partition, Processor, Topology

BATCH = 20_000
_WHEN = datetime(1970, 1, 1, tzinfo=UTC)
"""When a record was parked is of no account: what is parked here is parked already."""


class Recomputation:
    """The states of all partitions, and the rows that they have written, by the place of their input."""

    def __init__(self, topology: Topology, widths: Mapping[str, int]) -> None:
        """Begin before the beginning of history."""
        self.alerts: Counter[tuple[str, str]] = Counter()
        self.records = 0
        self.rows: dict[Partition, dict[bytes, bytes]] = {}
        self._topology = replace(topology, published=self._noted)
        self._widths = widths
        self._states: dict[Partition, tuple[Processor, Any]] = {
            (processor.input, number): (processor, processor.new())
            for processor in topology.processors
            for number in range(widths[processor.input])
        }

    def take(self, records: Iterable[Message]) -> None:
        """Work on these records, in their order."""
        with Litter() as litter:
            for some in _cut(records):
                self._work(some)
                litter.swept()

    def _work(self, records: list[Message]) -> None:
        batch = Batch(self._topology, self._widths, self._states, _WHEN, near=self._states)
        batch.take(records)
        for (state, number), rows in batch.finish().rows:
            mine = self.rows.setdefault((state, number), {})
            mine.update((row["key"], row["value"]) for row in rows)
        self.records += len(records)

    def _noted(self, topic: Topic, event: Any) -> Iterator[Published]:
        """Count an alert; let nothing out."""
        if topic.name == self._topology.alerts.name:
            current = event["current"]
            self.alerts[current.get("rule", topic.name), current.get("status", "")] += 1
        return iter(())


def _cut(records: Iterable[Message]) -> Iterator[list[Message]]:
    left = iter(records)
    while some := list(islice(left, BATCH)):
        yield some
