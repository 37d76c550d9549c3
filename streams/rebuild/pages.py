"""What is read of history, page by page: by one reader, and of several readers together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from infra.settings import KafkaSettings
from streams.engine.litter import Litter
from streams.engine.topology import Partition, Topology
from streams.rebuild.history import ENDED, by_time, merged
from streams.rebuild.reading import Places, Read, Reading

PAGE = 1000
"""Records that are handed on together: at some 300 bytes each, several pages fit in a pipe."""

SWEEP = 500_000
"""Records between two looks for garbage: hardly anything here is in a cycle, and to look at what a batch has made costs a twelfth of making it."""


class Page(NamedTuple):
    """So many records, and what those said that say something; up to this place in time nothing is missing."""

    records: int
    reaches: int
    reads: list[Read]


@dataclass(frozen=True, slots=True)
class Task:
    """What to read: the ranges of one reader, ends excluded, and what all readers must agree upon.

    `ranks` is the order of all partitions, `only` the processors to read for, `as_of` the moment (milliseconds since 1970) after which nothing counts.
    """

    ranges: Mapping[Partition, tuple[int, int]]
    ranks: Mapping[Partition, int]
    widths: Mapping[str, int]
    only: Collection[str] | None = None
    as_of: int | None = None

    def dealt(self, readers: int) -> list[Task]:
        """The same for so many readers, each with about as many records. Those that have none are left out."""
        hands: list[dict[Partition, tuple[int, int]]] = [{} for _ in range(readers)]
        sizes = [0] * readers
        for place, (begin, end) in sorted(self.ranges.items(), key=lambda one: (one[1][0] - one[1][1], one[0])):
            if end > begin:
                least = sizes.index(min(sizes))
                sizes[least] += end - begin
                hands[least][place] = begin, end
        return [Task(hand, self.ranks, self.widths, self.only, self.as_of) for hand in hands if hand]


def read(settings: KafkaSettings, topology: Topology, task: Task) -> Iterator[Page]:
    """What one reader finds. Raises `Transient` or `Fatal`."""
    reading = Reading(topology, Places(topology, task.widths, task.only))
    last = ENDED if task.as_of is None else (task.as_of + 1) * len(task.ranks) - 1
    for reaches, records in merged(settings, task.ranges, task.ranks):
        ended = reaches > last
        if ended:
            del records[bisect_right(records, last, key=by_time) :]
        for begin in range(0, len(records), PAGE):
            some = records[begin : begin + PAGE]
            yield Page(len(some), some[-1][0], reading.read(some))
        if ended:
            return
        yield Page(0, reaches, [])


def tidied(pages: Iterable[Page]) -> Iterator[Page]:
    """The same pages, while garbage is looked for between them, and seldom."""
    with Litter() as litter:
        left = SWEEP
        for page in pages:
            yield page
            left -= page.records
            if left <= 0:
                litter.swept()
                left = SWEEP


def in_order(readers: Sequence[Iterator[Page]]) -> Iterator[Page]:
    """The pages of several readers as those of one, who had read all that they have."""
    left = list(range(len(readers)))
    reaches = [-1] * len(readers)
    held: list[list[Read]] = [[] for _ in readers]
    while left:
        least = min(left, key=reaches.__getitem__)
        page = next(readers[least], None)
        if page is None:
            left.remove(least)
            reaches[least] = ENDED
        else:
            reaches[least] = page.reaches
            held[least] += page.reads
        horizon = min(reaches)
        found = [part for one in held if one and (part := _until(one, horizon))]
        reads = found[0] if len(found) == 1 else sorted([one for part in found for one in part], key=by_time)
        yield Page(page.records if page else 0, horizon, reads)


def _until(held: list[Read], horizon: int) -> list[Read]:
    count = bisect_right(held, horizon, key=by_time)
    found = held[:count]
    del held[:count]
    return found
