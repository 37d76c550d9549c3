"""Utilization: how much of a consultant's available time is worked and billable.

Rules
- available(day) = scheduled minutes of the weekday − public holidays − approved leave, not below 0, only within employment.
  Calendar, department, manager and company hold from their day on; employment and activity as last said.
- Windows end with the last tick's day, both ends in. The last closed ISO week is the one before the tick's.
- Bands: overloaded and hot look at total utilization and come before bench, under and on target, which look at the billable one.
  A band is left only beyond its edge by the hysteresis; then the plain edges decide.
- A week is closed on the Monday after it, when the day turns. Where less of its available time was logged than it takes, the steps are
  reached by working days: the consultant, then the manager, then operations; each once for the week. Since the clock decides, this is
  judged at ticks.
- At ticks, too, the consultant's part of each unit it was ever in is reported: minutes belong to the unit of their day.
- An archived or deleted consultant is measured with what was last said, has no band, and no alerts.

Invariant: the sums are those of the rows. A row's old contribution is taken out by exactly what was put in.
"""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction
from typing import Any, cast

from schemas.lines import TimeLine
from schemas.records import Band, Severity, Utilization
from schemas.topics import Process
from schemas.wire import ConsultantEntry
from streams.core import days, kinds
from streams.core.alerts import Crossing, Line, Rule, band, clear, once
from streams.core.availability import available_minutes, public_holidays
from streams.core.consultant_figures import closed_week, compliance, utilization_figures, utilization_values
from streams.core.consultant_state import EVER, NEVER, ConsultantState
from streams.core.contract import Contribution, Row
from streams.core.policy import UtilizationPolicy
from streams.core.processor import Basic, Stamp
from streams.core.rates import rates
from streams.core.rules import InForce
from streams.core.state import PartitionState
from streams.core.units import parts


def _terms(entry: ConsultantEntry) -> tuple[object, ...]:
    return (
        tuple(entry["weekday_minutes"]),
        entry["calendar_id"],
        entry["department_id"],
        entry["manager_id"],
        entry["company_id"],
        entry["present"],
    )


_Region = tuple[Fraction | None, Fraction | None, Fraction | None, Fraction | None]


class UtilizationProcessor(Basic):
    """Measures consultants."""

    name = "utilization"
    topic = "measure.utilization.v1"
    subject_kind = "consultant"
    process = Process.RESOURCE_TO_TIMESHEET
    formula = "utilization/2"
    reports = True

    def __init__(self, policy: UtilizationPolicy, begins: date | None = None) -> None:
        """Measure by this policy, which holds from a day on, or from the beginning."""
        self._policy, self.in_force = policy, InForce.of(policy, begins)
        self._bench = Fraction(policy.bench_below)
        self._under = Fraction(policy.target - policy.under_target_by)
        self._hot = Fraction(policy.hot_above)
        self._overloaded = Fraction(policy.overloaded_above)
        self._slack = Fraction(policy.hysteresis)
        self._regions = self._kept_between()
        lines = (
            Line("bench", "warning", policy.owner, self._bench),
            Line("under", "notice", policy.owner, self._under),
            Line("hot", "notice", policy.owner, self._hot),
            Line("overloaded", "warning", policy.owner, self._overloaded),
        )
        self._rule = Rule("utilization.band", lines, policy.owner)
        below = Fraction(policy.compliance_below)
        steps = tuple(
            Line(owner, severity, owner, below)
            for owner, severity in zip(
                policy.escalation_owners, _severities(len(policy.escalation_owners)), strict=True
            )
        )
        self._compliance = Rule("utilization.compliance", steps, policy.owner)

    def new(self, key: str) -> ConsultantState:
        """A consultant of whom nothing is known."""
        return ConsultantState(key)

    def fold(self, subject: ConsultantState, kind: str, entry: Any, first: int | None) -> Row | None:
        """Take in time, an absence, an assignment or the consultant's own record."""
        if kind == kinds.TIME:
            row = subject.add_time(entry)
            if subject.calm and row is not None:
                subject.calm = subject.within()
            return row
        if kind == kinds.ABSENCE:
            row = subject.keep(kind, entry)
            if row is not None:
                subject.absences[entry["record"]] = entry
        elif kind == kinds.FACT:
            row = subject.keep(kind, entry)
            if row is not None:
                subject.assignments[entry["record"]] = entry
        elif kind == kinds.CONSULTANT:
            row = subject.keep_history(kind, entry, first, "from_day", _terms)
            head = cast("ConsultantEntry", subject.histories[entry["record"]].head.entry)
            subject.head, subject.zone = head, head["timezone"]
        else:
            raise KeyError(kind)
        if row is not None:
            subject.stale, subject.calm = True, False
        return row

    def settle(self, partition: PartitionState, subject: ConsultantState) -> None:
        """Derive the available minutes of the days that count, and the sums of the window."""
        as_of, head = subject.as_of, subject.head
        if as_of is None or head is None:
            return
        policy = self._policy
        subject.begin = as_of - policy.window_days + 1
        subject.long_begin = as_of - policy.long_window_days + 1
        # the week before the last is judged, too, until the day turns on Monday
        period = range(min(subject.long_begin, days.monday(days.iso_week(as_of) - 2)), as_of + 1)
        everybodys = [row[3] for row in partition.shared.rows.values()]
        (history,) = subject.histories.values()
        terms = history.segments()
        subject.available = available_minutes(head, terms, [*subject.absences.values(), *everybodys], period)
        subject.off = public_holidays(terms, everybodys, period)
        subject.worked, subject.billable, subject.approved, subject.approved_billable = subject.sums(
            subject.begin, as_of
        )
        subject.long = list(subject.sums(subject.long_begin, as_of))
        subject.in_long = subject.available_between(subject.long_begin, as_of)
        subject.in_window = subject.available_between(subject.begin, as_of)
        subject.stale = False

    def _plain_band(self, worked: Fraction, billable: Fraction) -> Band:
        if worked > self._overloaded:
            return "overloaded"
        if worked > self._hot:
            return "hot"
        if billable < self._bench:
            return "bench"
        return "under" if billable < self._under else "on_target"

    def _kept_between(self) -> dict[str, _Region]:
        """In which region each band is kept: total above and up to, billable from and below; null where nothing bounds it."""
        slack = self._slack
        not_hot = self._hot + slack
        return {
            "overloaded": (self._overloaded - slack, None, None, None),
            "hot": (self._hot - slack, self._overloaded + slack, None, None),
            "bench": (None, not_hot, None, self._bench + slack),
            "under": (None, not_hot, self._bench - slack, self._under + slack),
            "on_target": (None, not_hot, self._under - slack, None),
        }

    def judge(self, subject: ConsultantState, *, ticked: bool = False) -> list[Crossing]:
        """Bring the band to the window's sums."""
        head = subject.head
        available = subject.in_window
        subject.calm_worked = subject.calm_billable = (EVER, NEVER)
        if head is None or not (head["active"] and head["present"]):
            return clear(subject.memory, self._rule) + clear(subject.memory, self._compliance)
        week = self._judge_week(subject) if ticked else []
        if available == 0:
            return clear(subject.memory, self._rule) + week
        now = subject.memory.in_force(self._rule.name)
        level = now[0] if now and self._stays(subject, now[0], available) else None
        worked, billable = Fraction(subject.worked, available), Fraction(subject.billable, available)
        if level is None:
            level = self._plain_band(worked, billable)
        out = band(subject.memory, self._rule, level, billable)
        self._stays(subject, level, available)
        # what was left by total utilization ends with the total, as what is entered by it begins with it
        return [
            crossing._replace(value=worked) if crossing.line.level in {"hot", "overloaded"} else crossing
            for crossing in out
        ] + week

    def _judge_week(self, subject: ConsultantState) -> list[Crossing]:
        """Bring the compliance of the week closed last to the steps of escalation. The week is the episode."""
        as_of = cast("int", subject.as_of)
        week = closed_week(as_of, turned=subject.turned)
        kept, due = compliance(subject, week)
        share = Fraction(kept, due) if due else None
        reached: list[Line] = []
        if share is not None and share < Fraction(self._policy.compliance_below):
            monday = days.monday(week + 1)
            for line, after in zip(self._compliance.lines, self._policy.escalation_working_days, strict=True):
                day = days.business_day_after(monday, after, subject.off)
                if day < as_of or (day == as_of and subject.turned):
                    reached.append(line)
        return once(subject.memory, self._compliance, share, episode=week, reached=reached)

    def _stays(self, subject: ConsultantState, level: str, available: int) -> bool:
        """Whether a band is kept; notes the minutes between which it is."""
        above, up_to, start, below = self._regions[level]
        subject.calm_worked = (
            EVER if above is None else math.floor(above * available) + 1,
            NEVER if up_to is None else math.floor(up_to * available) + 1,
        )
        subject.calm_billable = (
            EVER if start is None else math.ceil(start * available),
            NEVER if below is None else math.ceil(below * available),
        )
        return (
            subject.calm_worked[0] <= subject.worked < subject.calm_worked[1]
            and subject.calm_billable[0] <= subject.billable < subject.calm_billable[1]
        )

    def contributions(self, subject: ConsultantState, entry: Any) -> list[Contribution]:
        """What projects are to know: who is assigned, and what an hour of the consultant costs."""
        if not subject.assignments or isinstance(entry, TimeLine):
            return []
        return rates(subject, entry)

    def measure(self, subject: ConsultantState, stamp: Stamp) -> Utilization | None:
        """The consultant's utilization."""
        bands = subject.memory.in_force(self._rule.name)
        return utilization_figures(
            subject, self._policy, stamp, self.formula, cast("Band", bands[0]) if bands else "unknown"
        )

    def values(self, subject: ConsultantState) -> dict[str, str]:
        """The window's sums and ratios."""
        return utilization_values(subject, self._policy)

    def report(self, partition: PartitionState, subject: ConsultantState) -> list[Contribution]:
        """The consultant's part of each unit it was ever in."""
        if subject.as_of is None or subject.head is None:
            return []
        return parts(partition, subject, subject.as_of)

    def company(self, subject: ConsultantState) -> int | None:
        """The consultant's company."""
        return None if subject.head is None else subject.head["company_id"]


def _severities(number: int) -> list[Severity]:
    """The first step is worth a notice, the last is critical, those between warn."""
    if number == 1:
        return ["notice"]
    return ["notice", *(["warning"] * (number - 2)), "critical"]  # type: ignore[list-item]
