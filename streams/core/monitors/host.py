"""All monitors as one processor: one input and one state for them together, each with its own subjects, measures and alerts.

A topic pair for each monitor would cost every worker's every transaction; so the key of a subject's state begins with the
monitor's name, and everything else is as for any processor.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from schemas.topics import Process
from streams.core import days, kinds
from streams.core.alerts import Crossing, clear
from streams.core.contract import Row
from streams.core.monitors.facts import HOST, Watched
from streams.core.monitors.monitor import Monitor
from streams.core.monitors.policy import MonitorsPolicy
from streams.core.processor import Basic, Stamp, Voice
from streams.core.rules import InForce
from streams.core.state import PartitionState


class Watcher:
    """One monitor, as what publishes its measures and alerts sees it."""

    def __init__(self, monitor: Monitor, in_force: InForce) -> None:
        """Speak for this monitor."""
        self.monitor, self.in_force = monitor, in_force
        self.name, self.topic, self.formula = monitor.name, monitor.topic, monitor.formula
        self.subject_kind, self.process = monitor.subject_kind, monitor.process

    def measure(self, subject: Watched, stamp: Stamp) -> Any:
        """What was found, with the stamp that every measure bears."""
        finding = subject.finding
        if finding is None:
            return None
        if not days.is_zone(subject.zone or ""):
            finding.quality.note("unknown_timezone")
        return {
            **finding.measure,
            "as_of": days.to_date(stamp.as_of),
            "revision": stamp.revision,
            "formula": self.formula,
            "moved_by": stamp.moved_by,
            "reasons": finding.quality.reasons(),
        }

    def values(self, subject: Watched) -> dict[str, str]:
        """What alerts show."""
        return {} if subject.finding is None else subject.finding.values

    def company(self, subject: Watched) -> int | None:
        """The company concerned."""
        return None if subject.finding is None else subject.finding.company


class Monitors(Basic):
    """Hosts the monitors of a policy."""

    name = HOST
    topic = ""
    subject_kind = ""
    process = Process.OPERATIONS
    formula = "monitors/1"
    at_ticks = True

    def __init__(self, monitors: Mapping[str, Monitor], policy: MonitorsPolicy, begins: date | None = None) -> None:
        """Host these, which were made under a policy that holds from a day on, or from the beginning."""
        self.in_force = InForce.of(policy, begins)
        self._watchers = {name: Watcher(monitor, self.in_force) for name, monitor in monitors.items()}
        self._zone = policy.timezone

    def of(self, subject: Watched) -> Voice:
        """The monitor that a subject belongs to."""
        return self._watchers[subject.monitor]

    def new(self, key: str) -> Watched:
        """A subject of which nothing is known."""
        return Watched(key, self._zone)

    def fold(self, subject: Watched, kind: str, entry: Any, first: int | None) -> Row | None:  # noqa: ARG002  Processor
        """Remember a fact."""
        if kind != kinds.FACT or subject.monitor not in self._watchers:
            raise KeyError(kind)
        return subject.take(entry)

    def settle(self, partition: PartitionState, subject: Watched) -> None:
        """Let the monitor look."""
        if subject.as_of is None:
            return
        holidays = [row[3] for _, row in sorted(partition.shared.rows.items()) if row[3]["present"]]
        subject.finding = self._watchers[subject.monitor].monitor.look(subject, subject.as_of, holidays)
        subject.stale = False

    def judge(self, subject: Watched, *, ticked: bool = False) -> list[Crossing]:  # noqa: ARG002  Processor
        """Bring the alerts to what was found."""
        if subject.finding is None:
            rules = self._watchers[subject.monitor].monitor.rules()
            return [crossing for rule in rules for crossing in clear(subject.memory, rule)]
        return [crossing for judged in subject.finding.judged for crossing in judged.bring(subject.memory)]

    def measure(self, subject: Watched, stamp: Stamp) -> Any:
        """What the monitor says."""
        return self._watchers[subject.monitor].measure(subject, stamp)

    def values(self, subject: Watched) -> dict[str, str]:
        """What alerts show."""
        return self._watchers[subject.monitor].values(subject)

    def company(self, subject: Watched) -> int | None:
        """The company concerned."""
        return self._watchers[subject.monitor].company(subject)
