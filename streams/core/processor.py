"""What a processor is, to the functions that drive it.

A processor knows its subjects' state and its policy, nothing of partitions' order, of the engine or of a clock.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from schemas.topics import Process
from streams.core.alerts import Crossing
from streams.core.contract import Contribution, Row
from streams.core.rules import InForce
from streams.core.state import Mark, PartitionState, SubjectState


class Stamp(NamedTuple):
    """What every measure says of itself."""

    as_of: int
    revision: int
    moved_by: list[str]

    @classmethod
    def of(cls, partition: PartitionState, subject: SubjectState) -> Stamp:
        """The stamp of a measured subject."""
        as_of = subject.as_of
        if as_of is None:
            raise ValueError(f"{subject.key} has no day: it is measured only with master data and after a tick")
        return cls(as_of, partition.revision(subject), event_ids(partition.marks(subject)))


def event_ids(marks: list[Mark]) -> list[str]:
    """Ids of the events behind these marks, newest last."""
    return [mark[1] for mark in marks]


class Voice(Protocol):
    """In whose name a subject's measure and alerts are published."""

    topic: str
    subject_kind: str
    process: Process
    formula: str
    in_force: InForce

    def values(self, subject: Any) -> dict[str, str]:
        """The measure's main values, as text."""

    def company(self, subject: Any) -> int | None:
        """The company a subject belongs to."""


class Processor(Voice, Protocol):
    """One measure, or several that share their input."""

    name: str
    at_ticks: bool
    """Judged and measured when the clock ticks, of what moved since; else after every entry."""
    reports: bool
    """Tells other processors at every tick how the subjects stand that moved since the last one."""

    def of(self, subject: Any) -> Voice:
        """In whose name a subject is published."""

    def new(self, key: str) -> Any:
        """An empty subject."""

    def fold(self, subject: Any, kind: str, entry: Any, first: int | None) -> Row | None:
        """Take in an entry, or with `first` a remembered run of it; nothing where it is no news. Raises `KeyError` for a foreign kind."""

    def settle(self, partition: PartitionState, subject: Any) -> None:
        """Derive what depends on the day and on rows of others."""

    def judge(self, subject: Any, *, ticked: bool = False) -> list[Crossing]:
        """Bring the alerts of a settled subject to its values, and note what would change them. `ticked` says that the clock asks."""

    def contributions(self, subject: Any, entry: Any) -> list[Contribution]:
        """What other processors are to know after this entry."""

    def report(self, partition: PartitionState, subject: Any) -> list[Contribution]:
        """How a settled subject stands, for those that sum up."""

    def measure(self, subject: Any, stamp: Stamp) -> Any:
        """The measure of a settled subject; nothing where there is nothing to measure."""


class Basic:
    """A processor of the usual kind: it speaks in its own name, as soon as something is crossed, and reports to nobody."""

    at_ticks = False
    reports = False

    def of(self, subject: Any) -> Any:  # noqa: ARG002  Processor
        """Itself."""
        return self

    def contributions(self, subject: Any, entry: Any) -> list[Contribution]:  # noqa: ARG002  Processor
        """Nobody else needs to know."""
        return []

    def report(self, partition: PartitionState, subject: Any) -> list[Contribution]:  # noqa: ARG002  Processor
        """Nobody sums up."""
        return []
