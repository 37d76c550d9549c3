"""Which partitions one worker has together: lane `n` is partition `n` of every topic.

The group subscribes to one topic, the clock's, which has a lane for each of its partitions and is never without it; who is given
partition `n` of it takes lane `n` of all. Left to itself, Kafka's sticky assignment evens out numbers of partitions, not work: with
sixteen topics, one of two workers had eleven inputs of eleven, and one of four had none (docs/adr/0041).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from streams.engine.topology import Partition, Topology


class Lanes:
    """The lanes of a topology whose topics have these numbers of partitions."""

    def __init__(self, topology: Topology, widths: Mapping[str, int]) -> None:
        """As many as the clock, and so each input, has partitions; a topic with more has several of a lane."""
        self.lead = topology.clock
        self.width = widths[self.lead]
        topics = {*topology.sources, *(processor.input for processor in topology.processors)}
        self._lanes: list[list[Partition]] = [[] for _ in range(self.width)]
        for topic in sorted(topics):
            for number in range(widths[topic]):
                self._lanes[number % self.width].append((topic, number))

    def places(self, numbers: Iterable[int]) -> list[Partition]:
        """Every partition in these lanes."""
        return [place for number in numbers for place in self._lanes[number]]
