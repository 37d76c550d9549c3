"""What a monitor is: a small pure processor over facts, looked at when the clock ticks.

To add one: its module with a `Monitor`, a row in `table`, its measure's schema and topic, and its tests. It declares which topics
it reads and what a record there says to it; routing, memory, restarts, alerts and publishing are everybody's.

Rules
- Facts are only remembered when they come. At a tick, each subject that moved, or whose day began or turned, is looked at, judged and
  measured. So a backlog costs a monitor little, and what it says does not depend on how events were cut into batches.
- A line is in force exactly while it is reached. `once` lines belong to an episode that the monitor names (a dispute, a week): they are not
  raised twice in it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from schemas.topics import Process
from streams.core.alerts import Crossing, Line, Memory, Rule, ladder, once, standing
from streams.core.monitors.facts import Reader, Watched
from streams.core.ratios import Quality


class Judged(NamedTuple):
    """Which lines of a rule are reached, lowest first; with an `episode`, each once in it. Without `reached`, the value tells."""

    rule: Rule
    reached: Sequence[Line] | None
    value: Fraction | None = None
    episode: int | None = None

    def bring(self, memory: Memory) -> list[Crossing]:
        """Bring the memory to it; returns what was crossed."""
        if self.reached is None:
            return ladder(memory, self.rule, self.value, Fraction(0))
        if self.episode is None:
            return standing(memory, self.rule, self.value, list(self.reached))
        return once(memory, self.rule, self.value, episode=self.episode, reached=list(self.reached))


@dataclass(slots=True)
class Finding:
    """What a monitor found: the measure without its stamp, what alerts show of it, and the lines reached."""

    measure: dict[str, Any]
    values: dict[str, str] = field(default_factory=dict)
    judged: list[Judged] = field(default_factory=list)
    company: int | None = None
    quality: Quality = field(default_factory=Quality)


class Monitor(ABC):
    """One monitor under one policy."""

    name: ClassVar[str]
    topic: ClassVar[str]
    subject_kind: ClassVar[str]
    process: ClassVar[Process]
    formula: ClassVar[str]
    inputs: ClassVar[Mapping[str, Reader]]
    """The topics it reads, and what a record there says to it; none where another processor reports to it."""

    def rules(self) -> Sequence[Rule]:
        """The rules of its alerts: all that is in force of them ends with its subject."""
        return ()

    @abstractmethod
    def look(self, subject: Watched, as_of: int, holidays: Sequence[Mapping[str, Any]]) -> Finding | None:
        """What is to be said of a subject on a day; nothing where there is nothing. `holidays` are the public ones, as `AbsenceEntry`."""
