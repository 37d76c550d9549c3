"""The half of a rebuild that remembers: states in memory, moved by what was read, entry by entry. Nothing is published.

Rules
- What an entry leads others to hear is stepped before what comes after it, as a worker does that has all states near.
- Measures are not taken: nothing follows from them. Alerts are counted.

Invariant: the rows are byte for byte those that a worker would have written, which saw the same records in the same order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from schemas import codec
from schemas.errors import BurnlineError, Fatal, PoisonMessage
from streams.core.contract import Row, Step
from streams.engine.failures import DefectError
from streams.engine.topology import SEPARATOR, Partition, Processor, Topology
from streams.rebuild.reading import Places, Read

Work = tuple[Callable[[Any, str, Any], Step], Any, dict[bytes, bytes], Counter[tuple[str, str]]]
"""How a state is moved, the state, the rows that it has written, and the alerts that it has raised, by rule and status."""


class Recomputation:
    """The states of all places, and the rows that they have written."""

    def __init__(self, topology: Topology, places: Places, ranks: Mapping[Partition, int]) -> None:
        """Begin before the beginning of history, whose partitions have this order among each other."""
        self._partitions = sorted(ranks, key=ranks.__getitem__)
        self._places = places
        processors = {processor.input: processor for processor in topology.processors}
        self._states: list[tuple[Processor, Any]] = [
            (processors[place[0]], processors[place[0]].new()) for place in places.every
        ]
        self._alerts: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in processors}
        self._works: list[Work] = [
            (processor.step, state, {}, self._alerts[processor.input]) for processor, state in self._states
        ]

    def rows(self) -> Mapping[Partition, Mapping[bytes, bytes]]:
        """The rows by topic and partition of the states."""
        return {
            (processor.state, place[1]): rows
            for place, (processor, _), (_, _, rows, _) in zip(
                self._places.every, self._states, self._works, strict=True
            )
        }

    def alerts(self, processor: Processor) -> Counter[tuple[str, str]]:
        """The alerts that a processor has raised, by rule and status."""
        return self._alerts[processor.input]

    def take(self, page: Iterable[Read]) -> None:
        """Step what these records say, in their order. Raises `DefectError` that names the record at which something broke."""
        order, offset = -1, -1
        try:
            for read in page:
                order, offset, entries = read
                for number, data in entries:
                    self._apply(number, data)
        except BurnlineError:
            raise
        except Exception as error:
            raise DefectError(self._partitions[order % len(self._partitions)], offset, error) from error
        for processor, state in self._states:
            processor.pass_over(state)

    def _apply(self, number: int, data: bytes) -> None:
        step, state, rows, raised = self._works[number]
        kind, entry = codec.decode_wire(data)
        try:
            done = step(state, kind, entry)
        except PoisonMessage:
            return  # a worker has parked it
        for row in done.rows:
            # most rows are the entry as it came: its bytes are there already
            rows[(row.subject + SEPARATOR + row.record).encode()] = data if row.entry is entry else _encoded(row)
        for alert in done.alerts:
            current = alert["current"]
            raised[current.get("rule", ""), current.get("status", "")] += 1
        if done.contributions:
            for other, said in self._places.entries(done.contributions):
                self._apply(other, said)


def _encoded(row: Row) -> bytes:
    try:
        return codec.encode_wire(row.kind, row.entry)
    except PoisonMessage as error:
        raise Fatal(f"a row of state is broken: {error}", remedy="mend the processor that made it") from error
