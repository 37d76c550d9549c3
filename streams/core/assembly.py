"""The processors of a policy, and which policy is in force on a day.

A policy may name others that come into force on later days. What is decided about a subject is decided by the policy of the
subject's own day; what is remembered is the same under all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from streams.core import days
from streams.core.budget_burn import BudgetBurnProcessor
from streams.core.client_exposure import ClientExposureProcessor
from streams.core.contract import Contribution, Row
from streams.core.dispute_aging import DisputeAgingProcessor
from streams.core.monitors.host import Monitors
from streams.core.monitors.table import monitors
from streams.core.policy import Measures
from streams.core.processor import Processor, Stamp, Voice
from streams.core.state import PartitionState
from streams.core.utilization import UtilizationProcessor


def processors(policy: Measures | None = None) -> dict[str, Processor]:
    """All processors under a policy, by name, in the order in which a tick reaches them: those that sum up come after what they sum."""
    rules = policy or Measures()
    first = _under(rules)
    if not rules.later:
        return first
    eras = [(days.from_date(era.begins), _under(era.rules, era.begins)) for era in rules.later]
    return {name: Dated(one, [(day, built[name]) for day, built in eras]) for name, one in first.items()}


def _under(rules: Measures, begins: date | None = None) -> dict[str, Processor]:
    every: tuple[Processor, ...] = (
        UtilizationProcessor(rules.utilization, begins),
        BudgetBurnProcessor(rules.budget_burn, begins),
        DisputeAgingProcessor(rules.dispute_aging, begins),
        ClientExposureProcessor(rules.client_exposure, begins),
        Monitors(monitors(rules), rules.monitors, begins),
    )
    return {processor.name: processor for processor in every}


class Dated:
    """A processor whose rules change on days: each subject is judged and measured by those in force on its own day."""

    def __init__(self, first: Processor, later: Sequence[tuple[int, Processor]]) -> None:
        """`first` until the earliest of `later`, which are in the order of their days."""
        self._first, self._later = first, later
        self.name, self.topic, self.subject_kind = first.name, first.topic, first.subject_kind
        self.process, self.formula, self.in_force = first.process, first.formula, first.in_force
        self.at_ticks, self.reports = first.at_ticks, first.reports

    def _now(self, subject: Any) -> Processor:
        found = self._first
        for day, processor in self._later:
            if subject.as_of is None or subject.as_of < day:
                break
            found = processor
        return found

    def of(self, subject: Any) -> Voice:
        """In whose name a subject is published."""
        return self._now(subject).of(subject)

    def new(self, key: str) -> Any:
        """An empty subject."""
        return self._first.new(key)

    def fold(self, subject: Any, kind: str, entry: Any, first: int | None) -> Row | None:
        """Take in an entry: the same under all rules."""
        return self._first.fold(subject, kind, entry, first)

    def settle(self, partition: PartitionState, subject: Any) -> None:
        """Derive what depends on the day."""
        self._now(subject).settle(partition, subject)

    def judge(self, subject: Any, *, ticked: bool = False) -> Any:
        """Judge by the rules of the day."""
        return self._now(subject).judge(subject, ticked=ticked)

    def contributions(self, subject: Any, entry: Any) -> list[Contribution]:
        """What others are to know: the same under all rules."""
        return self._first.contributions(subject, entry)

    def report(self, partition: PartitionState, subject: Any) -> list[Contribution]:
        """How a subject stands."""
        return self._now(subject).report(partition, subject)

    def measure(self, subject: Any, stamp: Stamp) -> Any:
        """Measure by the rules of the day."""
        return self._now(subject).measure(subject, stamp)

    def values(self, subject: Any) -> dict[str, str]:
        """The main values."""
        return self._now(subject).values(subject)

    def company(self, subject: Any) -> int | None:
        """The company a subject belongs to."""
        return self._now(subject).company(subject)
