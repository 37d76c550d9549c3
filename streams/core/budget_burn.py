"""Budget burn: how much of a project's budget is used, and where that leads.

Rules
- Actual cost is the cost of time, plus what expenses, billed purchases and posted bills without an order contribute; committed cost adds what is ordered and not
  yet billed. Committed time is the time worked, plus what is ordered in hours or days and not yet billed. Committed burn is each over its budget; levels
  look at that of cost.
- Budget of cost: the configured field, else budget hours × the mean of what an hour of its assigned consultants costs. Where nobody is
  assigned whose cost is known, those who have lines on it stand in, each at the cost of those lines over their time.
- Money that is not in the project's currency cannot be added to it: while any is there, all that follows from actual cost is null, and nothing
  of it is alerted.
- Rate: time of the complete ISO weeks before the tick's, over their number.
- Progress: the shares of reached milestones, where any milestone has one; else the planned time of done tasks over that of all; else null.
- Revenue is what confirmed orders are worth; recognised is progress × revenue; margin = (recognised − actual cost) / recognised. The
  alert is raised below the target minus the points allowed, and ends the hysteresis above that line.
- At ticks the project's sums are told to each unit it was ever in: client, manager and company; only active projects count there.
- Earned value EV = progress × BAC; CPI = EV / AC; EAC = BAC / CPI; VAC = BAC − EAC; TCPI = (BAC − EV) / (BAC − AC), where BAC is
  the budget of cost and AC the actual cost.
- The forecast is raised while cost burn is low and EAC is above the budget, and ends when EAC is the hysteresis below that line.
- An archived or deleted project is measured with what was last said, and has no alerts and no levels.

Invariants: the sums are those of the rows. Floats only tell that nothing can have been crossed, with a wide margin; what is close
is decided by exact fractions.
"""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction
from typing import Any

from schemas.records import BudgetBurn, Severity
from schemas.topics import Process
from schemas.wire import ProjectEntry
from streams.core import kinds
from streams.core.alerts import Crossing, Line, Memory, Rule, calm_range, clear, flag, ladder
from streams.core.contract import Contribution, Row
from streams.core.policy import BudgetBurnPolicy
from streams.core.processor import Basic, Stamp
from streams.core.project_figures import burn_figures, burn_values
from streams.core.project_quality import positive, recognised_revenue
from streams.core.project_state import ProjectState, Range
from streams.core.project_units import parts
from streams.core.rules import InForce
from streams.core.state import PartitionState

_MARGIN = 1e-9
_DIMENSIONS = ("hours", "cost", "committed")


class BudgetBurnProcessor(Basic):
    """Measures projects."""

    name = "budget-burn"
    topic = "measure.budget-burn.v1"
    subject_kind = "project"
    process = Process.PROJECT_TO_REVENUE
    formula = "budget-burn/3"
    reports = True

    def __init__(self, policy: BudgetBurnPolicy, begins: date | None = None) -> None:
        """Measure by this policy, which holds from a day on, or from the beginning."""
        self._policy, self.in_force = policy, InForce.of(policy, begins)
        self._slack = Fraction(policy.hysteresis_points, 100)
        lines = tuple(_level(policy, level) for level in policy.all_levels)
        self._ladders = {name: Rule(f"budget_burn.{name}", lines, policy.owner) for name in _DIMENSIONS}
        above = Line("eac", "warning", policy.owner, Fraction(policy.forecast_above))
        self._forecast = Rule("budget_burn.forecast", (above,), policy.owner)
        self._least_margin = Fraction(policy.margin_target - policy.margin_below_target_by)
        thin = Line("below_target", "warning", policy.owner, self._least_margin)
        self._margin = Rule("budget_burn.margin", (thin,), policy.owner)
        self._no_budget = Rule("budget_burn.no_budget", (Line("missing", "notice", policy.owner),), policy.owner)

    def new(self, key: str) -> ProjectState:
        """A project of which nothing is known."""
        return ProjectState(key)

    def fold(self, subject: ProjectState, kind: str, entry: Any, first: int | None) -> Row | None:
        """Take in time, cost, a milestone, a fact or the project's own record."""
        if kind == kinds.TIME:
            row = subject.add_time(entry)
            if subject.calm and row is not None:
                subject.calm = subject.within()
            return row
        if kind == kinds.PROJECT:
            row = subject.keep_history(kind, entry, first, "from_day", _units)
            subject.set_project(subject.histories[entry["record"]].head.entry)
            subject.calm = subject.calm and row is None
            return row
        if kind not in {kinds.MILESTONE, kinds.COST, kinds.FACT}:
            raise KeyError(kind)
        old = subject.rows.get(entry["record"])
        row = subject.keep(kind, entry)
        if row is not None:
            subject.calm = False
            before = None if old is None else old[3]
            if kind == kinds.COST:
                subject.add_cost(before, entry)
            elif kind == kinds.MILESTONE:
                subject.add_milestone(before, entry)
            else:
                subject.add_fact(entry)
        return row

    def settle(self, partition: Any, subject: ProjectState) -> None:  # noqa: ARG002  Processor
        """Nothing is derived from the day until it is measured."""
        subject.stale = False

    def judge(self, subject: ProjectState, *, ticked: bool = False) -> list[Crossing]:  # noqa: ARG002  Processor
        """Bring levels, forecast and the missing budget to the sums."""
        memory, head = subject.memory, subject.head
        if head is None or not (head["active"] and head["present"]):
            subject.watch(None, None, None, has_cost=False)
            rules = (*self._ladders.values(), self._forecast, self._margin, self._no_budget)
            return [crossing for rule in rules for crossing in clear(memory, rule)]
        hours, bac = positive(head["budget_minutes"]), None if subject.foreign else subject.cost_budget()
        committed = subject.cost + subject.committed
        values = {
            "hours": None if hours is None else Fraction(subject.minutes, hours),
            "cost": None if bac is None else subject.cost / bac,
            "committed": None if bac is None else committed / bac,
        }
        out = [
            crossing
            for name in _DIMENSIONS
            for crossing in ladder(memory, self._ladders[name], values[name], self._slack)
        ]
        progress, recognised = subject.progress(), None if subject.foreign else recognised_revenue(subject)
        out += self._judge_forecast(memory, values["cost"], progress)
        out += self._judge_margin(memory, recognised, subject.cost)
        missing = hours is None and positive(head["budget_cost"]) is None
        out += flag(memory, self._no_budget, None, begins=missing, ends=not missing)
        self._watch(
            subject, hours, values["cost"], progress, has_cost=bac is not None, spend=self._spend(memory, recognised)
        )
        return out

    def _judge_margin(self, memory: Memory, recognised: Fraction | None, cost: int) -> list[Crossing]:
        if recognised is None or recognised <= 0:
            return flag(memory, self._margin, None, begins=False, ends=True)
        margin = (recognised - cost) / recognised
        ends = margin >= self._least_margin + self._slack
        return flag(memory, self._margin, margin, begins=margin < self._least_margin, ends=ends)

    def _spend(self, memory: Memory, recognised: Fraction | None) -> Range | None:
        """Between which costs the margin's alert stays as it is."""
        if recognised is None or recognised <= 0:
            return None
        if memory.in_force(self._margin.name):
            return math.floor(recognised * (1 - self._least_margin - self._slack)) + 1, math.inf
        return -math.inf, math.floor(recognised * (1 - self._least_margin)) + 1

    def _judge_forecast(self, memory: Memory, burn: Fraction | None, progress: Fraction | None) -> list[Crossing]:
        if burn is None or progress is None or progress <= 0:
            return flag(memory, self._forecast, None, begins=False, ends=True)
        forecast, line = burn / progress, Fraction(self._policy.forecast_above)  # EAC / BAC
        begins = forecast > line and burn < Fraction(self._policy.forecast_while_burn_below)
        return flag(memory, self._forecast, forecast, begins=begins, ends=forecast <= line - self._slack)

    def _watch(
        self,
        subject: ProjectState,
        hours: int | None,
        burn: Fraction | None,
        progress: Fraction | None,
        *,
        has_cost: bool,
        spend: Range | None,
    ) -> None:
        """Note between which sums nothing can be crossed."""
        low, high = calm_range(subject.memory, self._ladders["hours"], self._slack)
        minutes: Range | None = None
        if hours is not None:
            minutes = (
                -math.inf if low is None else math.ceil(low * hours),
                math.inf if high is None else math.ceil(high * hours),
            )
        edges: list[Fraction] = []
        if burn is not None and progress is not None and progress > 0:
            line = Fraction(self._policy.forecast_above)
            edges = [line * progress, (line - self._slack) * progress, Fraction(self._policy.forecast_while_burn_below)]
        cost = _narrowed(calm_range(subject.memory, self._ladders["cost"], self._slack), burn, edges)
        committed = _narrowed(calm_range(subject.memory, self._ladders["committed"], self._slack), None, [])
        subject.watch(minutes, cost, committed, has_cost=has_cost, spend=spend)

    def measure(self, subject: ProjectState, stamp: Stamp) -> BudgetBurn | None:
        """The project's burn."""
        memory = subject.memory
        levels = [
            f"{name}:{level}"
            for name in _DIMENSIONS
            for level in sorted(memory.in_force(self._ladders[name].name), key=int)
        ]
        return burn_figures(subject, self._policy, stamp, self.formula, levels)

    def values(self, subject: ProjectState) -> dict[str, str]:
        """Budgets, actuals and the burns."""
        return burn_values(subject)

    def report(self, partition: PartitionState, subject: ProjectState) -> list[Contribution]:
        """The project's sums, for each unit it was ever in."""
        return [] if subject.as_of is None else parts(partition, subject, subject.as_of, recognised_revenue(subject))

    def company(self, subject: ProjectState) -> int | None:
        """The project's company."""
        return None if subject.head is None else subject.head["company_id"]


def _level(policy: BudgetBurnPolicy, percent: int) -> Line:
    """The first level informs, the second is worth a notice, the next warn; the last and all beyond are critical."""
    severity: Severity = "warning"
    if percent >= policy.levels[-1]:
        severity = "critical"
    elif percent == policy.levels[0]:
        severity = "info"
    elif percent == policy.levels[1]:
        severity = "notice"
    return Line(str(percent), severity, policy.owner, Fraction(percent, 100))


def _units(entry: ProjectEntry) -> tuple[object, ...]:
    return entry["client_id"], entry["manager_id"], entry["company_id"], entry["present"]


def _narrowed(bounds: tuple[Fraction | None, Fraction | None], value: Fraction | None, edges: list[Fraction]) -> Range:
    """Bounds as floats, drawn in by a margin, and to the next edges around the value."""
    low, high = bounds
    if value is not None:
        lows = [edge for edge in (low, *edges) if edge is not None and edge <= value]
        highs = [edge for edge in (high, *edges) if edge is not None and edge > value]
        low, high = max(lows, default=low), min(highs, default=high)
    return (
        -math.inf if low is None else float(low) * (1 + _MARGIN),
        math.inf if high is None else float(high) * (1 - _MARGIN),
    )
