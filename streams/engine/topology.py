"""What the engine runs: source topics with a route, and processors with their topics and functions. A value, no behaviour.

A processor's partition `n` is fed by partition `n` of its input topic alone, and remembers in partition `n` of its state
topic. A subject lives in one partition, given by `partition_of`: whoever looks for its state asks the same function.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from schemas.topics import Topic
from streams.core.contract import Contribution, Step
from streams.engine.publishing import Publish, published

SEPARATOR = "\x1f"
"""Between subject and record in the key of a row of state."""

Partition = tuple[str, int]
"""A topic and the number of one of its partitions."""

Decoder = Callable[[bytes], tuple[str, Any]]
"""From bytes to the full name of the schema and the fields."""


@lru_cache(maxsize=65_536)
def partition_of(subject: str, partitions: int) -> int:
    """The partition a subject lives in: the same in every process, on every machine, for ever."""
    return zlib.crc32(subject.encode()) % partitions


@dataclass(frozen=True, slots=True)
class Processor:
    """One processor: where its input comes from, where it remembers, what it measures.

    A partition's state is made by `new`, moved by `step(state, kind, entry)`, rebuilt by
    `restore(state, subject, record, kind, entry)`; `measures(state)` takes the measures of the subjects that changed
    since it was last asked, `pass_over(state)` lets them go by, and `look_up(state, subject)` tells one subject's measure without changing anything.
    """

    name: str
    input: str
    state: str
    measure: Topic
    new: Callable[[], Any]
    step: Callable[[Any, str, Any], Step]
    restore: Callable[[Any, str, str, str, Any], None]
    measures: Callable[[Any], Iterable[Mapping[str, Any]]]
    look_up: Callable[[Any, str], Mapping[str, Any] | None]
    pass_over: Callable[[Any], object] = lambda _: None
    more: Mapping[str, Topic] = field(default_factory=dict)
    """By event type, where measures go that are not for `measure`."""
    hears: frozenset[str] | None = None
    """The processors that contribute to it; without, any may."""

    def topic_of(self, measure: Mapping[str, Any]) -> Topic:
        """Where a measure goes."""
        return self.more.get(measure["meta"]["event_type"], self.measure) if self.more else self.measure


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole: `sources` maps each source topic to the record it must hold, `route` says what an event means to whom.

    `decoders` decode the records of a source where not all of it is needed: what `route` looks at, and what headers repeat, is.
    `published` turns an output into the records to write. `release` names what makes the states, code and policy: only that takes a
    copy of a state from the disk. Without one, no copies are kept.

    A contribution to everybody goes to all partitions of its processor; one that came from `clock` goes only to the
    partition of the clock's record, since the clock writes to each partition itself.
    """

    sources: Mapping[str, str]
    route: Callable[[str, Any], Iterable[Contribution]]
    processors: tuple[Processor, ...]
    clock: str
    alerts: Topic
    dead_letters: Topic
    decoders: Mapping[str, Decoder] = field(default_factory=dict)
    published: Publish = published
    release: str | None = None

    def behind(self, name: str) -> frozenset[str]:
        """The processors that must run for the states of this one: itself, those that it hears, and what they hear."""
        hears = {one.name: one.hears for one in self.processors}
        found: set[str] = set()
        new = {name}
        while new:
            found |= new
            heard = [hears[one] for one in new]
            new = {other for theirs in heard for other in (hears if theirs is None else theirs)} - found
        return frozenset(found)
