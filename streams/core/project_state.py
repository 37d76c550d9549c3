"""What is derived from a project's rows, kept current row by row.

Invariants: every sum is that of the rows (an old contribution is taken out by exactly what was put in); the bounds that `within`
compares with are those of the last judgement.
"""

from __future__ import annotations

import math
from fractions import Fraction
from struct import Struct

from mypy_extensions import mypyc_attr

from schemas.errors import PoisonMessage
from schemas.lines import TimeLine
from schemas.wire import CostEntry, FactEntry, MilestoneEntry, ProjectEntry
from streams.core import kinds
from streams.core.contract import Row
from streams.core.days import iso_week
from streams.core.lines import TimedState
from streams.core.state import shared_key

LINE = Struct("<qqiiqqH??")
"""Version, recorded_at, day, minutes, cost, who worked, the currency's place among those seen; whether it counts, is approved."""
Range = tuple[float, float]
_ALL: Range = (-math.inf, math.inf)
_NONE: Range = (math.inf, -math.inf)
_SMALLEST_BUDGET = 1e-6
_BILLION = 10**9
_MOST_CURRENCIES = 1000
FACTS = RATE, REVENUE, TASK = ("rate", "revenue", "task")
"""What is said of a project: what an assigned consultant costs, what an order is worth, what a task plans."""
_NO_WORK = (0, 0)


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class ProjectState(TimedState):
    """One project. Sums of money are of what is in the project's own currency; `foreign` counts what costs something in another.

    `weeks` has minutes by ISO week. `people` has minutes and cost by consultant, `rates` their cost of a minute, while the budget of cost is
    told by these (`by_person`): else nobody asks.

    `said` has the facts by kind and record: what its contracts are worth, what its tasks plan, what its assigned consultants cost.
    """

    __slots__ = (
        "_by_person",
        "_committed_range",
        "_cost_range",
        "_currencies",
        "_fixed",
        "_fixed_budget",
        "_has_cost",
        "_minutes_range",
        "_mixed",
        "_own",
        "_people",
        "_rated_minutes",
        "_rates",
        "_spend_range",
        "_watched",
        "approved",
        "committed",
        "committed_minutes",
        "cost",
        "foreign",
        "head",
        "minutes",
        "reached",
        "said",
        "shares",
        "weeks",
    )

    def __init__(self, key: str) -> None:
        """Begin with nothing known."""
        super().__init__(key, LINE)
        self.head: ProjectEntry | None = None
        self.minutes = self.approved = self.cost = self.committed = self.committed_minutes = 0
        self.foreign = 0
        self._currencies = [""]
        self._own: int | None = None
        self.weeks: dict[int, int] = {}
        self.shares = self.reached = 0
        self._by_person = False
        self._people: dict[int, tuple[int, int]] = {}
        self._rates: dict[int, float] = {}
        self._fixed_budget: int | Fraction = 0
        self._fixed = 0.0
        self._rated_minutes = 0
        self.said: dict[str, dict[str, FactEntry]] = {kind: {} for kind in FACTS}
        self.watch(None, None, None, has_cost=False)

    def add_time(self, entry: TimeLine) -> Row | None:
        """Take in a line of time; nothing for a duplicate or an older version."""
        record, version, now_in = entry.record, entry.version, self._place(entry.currency)
        lines = self.lines
        key = lines.key(record)
        old = lines.rows.get(key)
        before: int | None = None
        if old is not None:
            before, _, day, minutes, cost, person, currency, present, approved = LINE.unpack_from(old)
            if before >= version:
                return None
            if present:
                if currency and cost and self._is_foreign(currency):
                    self.foreign -= 1
                    cost = person = 0
                self._add(day, -minutes, approved, -cost, person)
        elif record in self.rows:
            raise shared_key(record)
        present, day, minutes, approved = entry.present, entry.day, entry.minutes, entry.approved
        cost, person, event_id, recorded_at = (
            entry.cost,
            entry.employee_id,
            entry.event_id,
            entry.recorded_at,
        )
        lines.rows[key] = (
            LINE.pack(version, recorded_at, day, minutes, cost, person, now_in, present, approved) + event_id.encode()
        )
        if present:
            if now_in and cost and self._is_foreign(now_in):
                self.foreign += 1
                cost = person = 0
            self._add(day, minutes, approved, cost, person)
        self.count(record, before, version, recorded_at, event_id)
        return Row(self.key, record, kinds.TIME, entry)

    def _place(self, currency: str) -> int:
        """The place of a currency among those seen; the first is that of none, which is taken for the project's own."""
        seen = self._currencies
        for place, known in enumerate(seen):
            if known == currency:
                return place
        if len(seen) > _MOST_CURRENCIES:
            raise PoisonMessage(f"{self.key} costs something in {len(seen)} currencies", remedy="mend them")
        seen.append(currency)
        return len(seen) - 1

    def _is_foreign(self, currency: int) -> bool:
        """Whether money of this currency cannot be added to the project's. Where that has none, nothing can be told apart."""
        return currency != self._own and self._own is not None

    def _add(self, day: int, minutes: int, approved: bool, cost: int, person: int) -> None:
        self.minutes += minutes
        if approved:
            self.approved += minutes
        week = iso_week(day)
        weeks = self.weeks
        weeks[week] = weeks.get(week, 0) + minutes
        self.cost += cost
        if person and self._by_person:
            self._work(person, minutes, cost)

    def _work(self, person: int, minutes: int, cost: int) -> None:
        worked, paid = self._people.get(person, _NO_WORK)
        worked, paid = self._people[person] = worked + minutes, paid + cost
        if worked > 0:
            self._rates[person] = paid / worked
        else:
            self._rates.pop(person, None)

    def add_cost(self, before: CostEntry | None, entry: CostEntry) -> None:
        """Replace what an expense or a purchase contributes."""
        for sign, one in ((-1, before), (1, entry)):
            if one is not None and one["present"]:
                self.committed_minutes += sign * one["committed_minutes"]
                self._spend(sign, one)

    def _spend(self, sign: int, one: CostEntry) -> None:
        currency = self._place(one["currency"])
        if currency and (one["actual"] or one["committed"]) and self._is_foreign(currency):
            self.foreign += sign
        else:
            self.cost += sign * one["actual"]
            self.committed += sign * one["committed"]

    def _pay_anew(self) -> None:
        """Tell own money from foreign, since the project's currency is another than it was."""
        self.cost = self.committed = self.foreign = 0
        for row in self.lines.rows.values():
            _, _, _, _, cost, _, currency, present, _ = LINE.unpack_from(row)
            if present and currency and cost and self._is_foreign(currency):
                self.foreign += 1
            elif present:
                self.cost += cost
        self._people_anew()
        for kept in self.rows.values():
            if kept[3]["present"] and "actual" in kept[3]:
                self._spend(1, kept[3])

    def _people_anew(self) -> None:
        """Add up who worked, since it is asked for again, or what counts is another than it was."""
        self._people.clear()
        self._rates.clear()
        if not self._by_person:
            return
        for row in self.lines.rows.values():
            _, _, _, minutes, cost, person, currency, present, _ = LINE.unpack_from(row)
            if person and present and not (currency and cost and self._is_foreign(currency)):
                self._work(person, minutes, cost)

    def add_milestone(self, before: MilestoneEntry | None, entry: MilestoneEntry) -> None:
        """Replace what a milestone contributes."""
        for sign, one in ((-1, before), (1, entry)):
            if one is not None and one["present"] and one["share"] is not None:
                self.shares += sign
                self.reached += sign * one["share"] if one["reached"] else 0

    def set_project(self, entry: ProjectEntry) -> None:
        """Take over the project's own record."""
        self.head = entry
        self.zone = entry["timezone"]
        self._rated_minutes = max(0, entry["budget_minutes"] or 0)
        own = self._place(entry["currency"]) if entry["currency"] else None
        if own != self._own:
            self._own = own
            if self.foreign or len(self._currencies) > len(("", entry["currency"])):
                self._pay_anew()
        self._fix_budget()

    def add_fact(self, entry: FactEntry) -> None:
        """Take over what somebody says of the project."""
        self.said[entry["kind"]][entry["record"]] = entry
        self._fix_budget()

    def _fix_budget(self) -> None:
        """Bring the part of the budget of cost that no line of time moves up to date."""
        head = self.head
        self._fixed_budget = 0 if head is None else max(0, head["budget_cost"] or 0)
        if not self._fixed_budget and self._rated_minutes:
            costs = self.assigned_costs()
            self._fixed_budget = Fraction(self._rated_minutes * sum(costs), 60 * len(costs)) if costs else 0
        self._fixed = float(self._fixed_budget)
        by_person = self._rated_minutes > 0 and not self._fixed_budget
        if by_person != self._by_person:
            self._by_person = by_person
            self._people_anew()

    def assigned_costs(self) -> list[int]:
        """What an hour of each assigned consultant costs, where it is known, in the project's currency."""
        currency = None if self.head is None else self.head["currency"]
        return [
            entry["numbers"]["cost"]
            for entry in self.said[RATE].values()
            if entry["present"] and entry["numbers"].get("cost", 0) > 0 and entry["words"].get("currency") == currency
        ]

    def progress(self) -> Fraction | None:
        """Share delivered: by milestones where any has a share, else by the planned time of tasks; null without either."""
        if self.shares:
            return Fraction(self.reached, _BILLION)
        tasks = [entry["numbers"] for entry in self.said[TASK].values() if entry["present"]]
        planned = sum([task["minutes"] for task in tasks])
        return Fraction(sum([task["minutes"] for task in tasks if task.get("done")]), planned) if planned > 0 else None

    def revenue(self) -> int | None:
        """What its confirmed orders are worth; null without any, and where one is worth nobody can tell what."""
        orders = [entry for entry in self.said[REVENUE].values() if entry["present"]]
        currency = None if self.head is None else self.head["currency"]
        if not orders or any(
            "amount" not in order["numbers"] or order["words"].get("currency") != currency for order in orders
        ):
            return None
        return sum(order["numbers"]["amount"] for order in orders)

    def cost_budget(self) -> Fraction | None:
        """Budget of cost in ten-thousandths, exact; null where neither a field nor a rate tells."""
        if self._fixed_budget:
            return Fraction(self._fixed_budget)
        rated = [(minutes, cost) for minutes, cost in self._people.values() if minutes > 0]
        if not rated or not self._rated_minutes:
            return None
        # over one common denominator: adding fractions one by one reduces each sum, at ten times the cost
        common = math.lcm(*[minutes for minutes, _ in rated])
        total = sum([cost * (common // minutes) for minutes, cost in rated])
        return Fraction(self._rated_minutes * total, common * len(rated)) if total > 0 else None

    def watch(
        self,
        minutes: Range | None,
        cost: Range | None,
        committed: Range | None,
        *,
        has_cost: bool,
        spend: Range | None = None,
    ) -> None:
        """Note between which values nothing can be crossed; null where there is nothing to watch.

        `cost` and `committed` are parts of the budget of cost, `spend` is the cost itself.
        """
        self._mixed = bool(self.foreign)
        self._watched = minutes is not None or cost is not None or spend is not None
        self._spend_range = spend or _ALL
        self._minutes_range = minutes or _ALL
        self._has_cost = has_cost
        self._cost_range = (cost if has_cost else None) or _NONE
        self._committed_range = (committed if has_cost else None) or _NONE

    def within(self) -> bool:
        """Whether the sums are where nothing can have been crossed since the last judgement."""
        if not self._watched:
            return bool(self.foreign) == self._mixed
        low, high = self._minutes_range
        if not low <= self.minutes < high:
            return False
        if self.foreign or self._mixed:
            return bool(self.foreign) == self._mixed  # money that is mixed is not judged
        return self._money_within()

    def _money_within(self) -> bool:
        low, high = self._spend_range
        if not low <= self.cost < high:
            return False
        budget = self._fixed
        if not budget:
            rates = self._rates
            together: float = sum(rates.values(), 0.0)
            budget = self._rated_minutes * together / len(rates) if rates else 0.0
        if budget < _SMALLEST_BUDGET:
            return budget == 0 and not self._has_cost
        low, high = self._cost_range
        if not low < self.cost / budget < high:
            return False
        low, high = self._committed_range
        return low < (self.cost + self.committed) / budget < high
