"""Billing of a project: approved work that nobody has billed, by age, and what keeps the rest from being billed.

Rules
- Unbilled is time that was sold (it names an order line), is billable and approved, and is on no invoice. Its worth is its minutes at the
  line's price after discount, in the company's currency at the order's rate. Work sold otherwise (a fixed price, milestones, expenses,
  goods) is worth what is delivered and not invoiced of its line.
- Ages count from the day of the work. Age buckets tell all of it; the alert follows the oldest.
- What is not approved, an order that is not confirmed, a milestone past its deadline, an expense nobody approved, a line without a price
  an hour: each is a blocker. Blockers of an age are told only when they are older than the policy allows.
- An hour is 60 minutes, a day 8 hours; other units have no price of time.

Invariant: everything is made anew from the latest facts of the project.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from schemas.records import Severity
from schemas.topics import Process
from schemas.wire import FactEntry
from streams.core import days
from streams.core.alerts import Line, Rule
from streams.core.contracts import lines_by_project, rate_of, unscaled
from streams.core.monitors.facts import Fact, Reader, Watched
from streams.core.monitors.monitor import Finding, Judged, Monitor
from streams.core.monitors.policy import BillingPolicy
from streams.core.ratios import Quality, half_even

_BILLION = 10**9
_UNKNOWN = -1
_UNITS = {"hour": 60, "day": 480, "minute": 1}
BLOCKERS = ("expense_not_approved", "milestone_not_reached", "no_price", "order_not_confirmed", "time_not_approved")


def project(state: Any, system: str, _meta: Any) -> dict[str, Fact]:
    """Whose project it is, and where its days end."""
    numbers = {name: state[name] for name in ("company_id", "client_id", "manager_id")}
    words = {"timezone": state["timezone"], "currency": state["currency"]}
    return {f"{system}project.project:{state['id']}": Fact("project", {**numbers, "project_id": state["id"]}, words)}


def time(state: Any, system: str, _meta: Any) -> dict[str, Fact]:
    """Sold time that is on no invoice."""
    sold = state["order_line_id"] is not None and state["billable"] and not state["leave"]
    if not sold or state["invoice_id"] is not None or state["project_id"] is None:
        return {}
    numbers = {
        "minutes": state["minutes"],
        "day": state["date"],
        "line": state["order_line_id"],
        "approved": int(state["approved"]),
    }
    return {f"{system}project.project:{state['project_id']}": Fact("time", numbers)}


def milestone(state: Any, system: str, _meta: Any) -> dict[str, Fact]:
    """A milestone and the day it was agreed for."""
    numbers = {"reached": int(state["reached"]), "deadline": state["deadline"]}
    return {f"{system}project.project:{state['project_id']}": Fact("milestone", numbers)}


def expense(state: Any, system: str, _meta: Any) -> dict[str, Fact]:
    """An expense that waits for its approval, to each project that bears a part of it."""
    if state["status"] not in {"drafted", "submitted"}:
        return {}
    projects = {share["project_id"] for share in state["distribution"] if share["project_id"] is not None}
    return {f"{system}project.project:{one}": Fact("expense", {"day": state["date"]}) for one in sorted(projects)}


def contract(state: Any, system: str, _meta: Any) -> dict[str, Fact]:
    """An order's lines to each of its projects: what an hour is worth, and what else is delivered and not invoiced."""
    rate = rate_of(state)
    lists: dict[int, dict[str, list[int]]] = {}
    for one, line in lines_by_project(state):
        price = _price(line, rate)
        timed = line["kind"] == "time_and_material"
        left = unscaled(line["delivered"]) - unscaled(line["invoiced"])
        kept = lists.setdefault(one, {"lines": [], "prices": [], "units": [], "open": []})
        kept["lines"].append(line["id"])
        kept["prices"].append(price)
        kept["units"].append(_minutes(line["unit"]))
        kept["open"].append(0 if timed or price == _UNKNOWN else half_even(max(0, left) * price, _BILLION))
    numbers = {"confirmed": int(state["status"] == "confirmed")}
    words = {"currency": state["company_currency"]}
    return {
        f"{system}project.project:{one}": Fact("contract", numbers, words, kept)
        for one, kept in lists.items()
        if state["status"] != "cancelled"
    }


def _price(line: Any, rate: Fraction | None) -> int:
    """Ten-thousandths of the company's currency a unit, after the discount."""
    if rate is None:
        return _UNKNOWN
    kept = unscaled(line["unit_price"]) * (_BILLION - unscaled(line["discount"]))
    return max(0, half_even(kept * rate.numerator, _BILLION * rate.denominator))


def _minutes(unit: str | None) -> int:
    return next((minutes for name, minutes in _UNITS.items() if (unit or "").casefold().startswith(name)), 0)


class Price(NamedTuple):
    """What a minute on an order line is worth, in ten-thousandths; nothing where nobody can tell."""

    minute: Fraction | None
    confirmed: bool


class Billing(Monitor):
    """Measures projects."""

    name = "billing"
    topic = "measure.billing.v1"
    subject_kind = "project"
    process = Process.PROJECT_TO_REVENUE
    formula = "billing/2"
    inputs: ClassVar[Mapping[str, Reader]] = {
        "delivery.project.v1": project,
        "delivery.timesheet.v1": time,
        "delivery.milestone.v1": milestone,
        "finance.expense.v1": expense,
        "sales.contract.v1": contract,
    }

    def __init__(self, policy: BillingPolicy) -> None:
        """Measure by this policy."""
        self._policy = policy
        severities: tuple[Severity, ...] = ("notice", "warning", "critical")
        steps = zip(policy.unbilled_days, policy.unbilled_owners, strict=True)
        lines = tuple(
            Line(policy.bucket(age), severities[min(place, 2)], owner, Fraction(age))
            for place, (age, owner) in enumerate(steps)
        )
        self._unbilled = Rule("billing.unbilled", lines, policy.owner)
        self._blocked = Rule(
            "billing.blocked", tuple(Line(blocker, "notice", policy.owner) for blocker in BLOCKERS), policy.owner
        )

    def rules(self) -> Sequence[Rule]:
        """Work that grows old, and what keeps it from being billed."""
        return self._unbilled, self._blocked

    def look(self, subject: Watched, as_of: int, holidays: Sequence[Mapping[str, Any]]) -> Finding | None:  # noqa: ARG002  Monitor
        """What of the project can be billed, and what cannot, and why."""
        head = next(iter(subject.facts("project")), None)
        if head is None:
            return None
        quality, contracts = Quality(), subject.facts("contract")
        currency = head["words"].get("currency")
        prices = dict(_prices(contracts))
        one_money = all(order["words"].get("currency") == currency for order in contracts) and currency is not None
        if not one_money:
            quality.note("mixed_currencies" if currency is not None else "no_currency")
        lines = subject.facts("time")
        approved = [line for line in lines if line["numbers"]["approved"]]
        confirmed = {number for number, price in prices.items() if price.confirmed}
        ready = [line for line in approved if line["numbers"]["line"] in confirmed]
        buckets = self._by_age(ready, prices, as_of)
        worth = sum((amount for _, amount in buckets.values()), Fraction(0))
        waiting = [
            line for line in lines if not line["numbers"]["approved"] or line["numbers"]["line"] not in confirmed
        ]
        waiting_worth = sum((_worth(line, prices) for line in waiting), Fraction(0))
        other = sum(sum(order["lists"]["open"]) for order in contracts if order["numbers"]["confirmed"])
        oldest = min((line["numbers"]["day"] for line in ready), default=None)
        blockers, told = self._blockers(subject, prices, approved, waiting, as_of)
        if "no_price" in blockers:
            quality.note("no_price")

        def amount(value: Fraction) -> Any:
            return quality.amount(value) if one_money else None

        amounts = [amount(value) for _, value in buckets.values()]
        measure = {
            **{name: head["numbers"].get(name) for name in ("project_id", "company_id", "client_id", "manager_id")},
            "currency": currency,
            "unbilled_minutes": sum(line["numbers"]["minutes"] for line in ready),
            "unbilled_amount": amount(worth),
            "buckets": list(buckets),
            "bucket_minutes": [minutes for minutes, _ in buckets.values()],
            "bucket_amounts": [] if None in amounts else amounts,
            "oldest_unbilled_on": None if oldest is None or not days.is_date(oldest) else days.to_date(oldest),
            "other_amount": amount(Fraction(other)),
            "ready_amount": amount(worth + other),
            "waiting_minutes": sum(line["numbers"]["minutes"] for line in waiting),
            "waiting_amount": amount(waiting_worth),
            "blockers": blockers,
        }
        age = None if oldest is None else Fraction(as_of - oldest)
        values = {name: str(measure[name]) for name in ("unbilled_minutes", "unbilled_amount", "waiting_minutes")}
        values["blockers"] = ", ".join(blockers)
        reached = [line for line in self._blocked.lines if line.level in told]
        judged = [Judged(self._unbilled, None, age), Judged(self._blocked, reached)]
        return Finding(measure, values, judged, head["numbers"].get("company_id"), quality)

    def _by_age(
        self, ready: Sequence[FactEntry], prices: Mapping[int, Price], as_of: int
    ) -> dict[str, tuple[int, Fraction]]:
        """Minutes and worth by bucket of age, all buckets in order."""
        names = [self._policy.bucket(end) for end in (*self._policy.bucket_ends, self._policy.bucket_ends[-1] + 1)]
        out = dict.fromkeys(names, (0, Fraction(0)))
        for line in ready:
            name = self._policy.bucket(max(0, as_of - line["numbers"]["day"]))
            minutes, worth = out[name]
            out[name] = minutes + line["numbers"]["minutes"], worth + _worth(line, prices)
        return out

    def _blockers(
        self,
        subject: Watched,
        prices: Mapping[int, Price],
        approved: Sequence[FactEntry],
        waiting: Sequence[FactEntry],
        as_of: int,
    ) -> tuple[list[str], set[str]]:
        """What keeps work from being billed, and which of it is to be told."""
        late = as_of - self._policy.blocked_after_days
        since: dict[str, int] = {}

        def found(blocker: str, day: int) -> None:
            since[blocker] = min(day, since.get(blocker, day))

        for line in waiting:
            price = prices.get(line["numbers"]["line"])
            if not line["numbers"]["approved"]:
                found("time_not_approved", line["numbers"]["day"])
            if price is None or not price.confirmed:
                found("order_not_confirmed", line["numbers"]["day"])
        for line in approved:
            price = prices.get(line["numbers"]["line"])
            if price is not None and price.minute is None:
                found("no_price", line["numbers"]["day"])
        for one in subject.facts("expense"):
            found("expense_not_approved", one["numbers"]["day"])
        for one in subject.facts("milestone"):
            deadline = one["numbers"].get("deadline")
            if not one["numbers"]["reached"] and deadline is not None and deadline < as_of:
                found("milestone_not_reached", deadline)
        return sorted(since), {blocker for blocker, day in since.items() if day < late}


def _prices(contracts: Sequence[FactEntry]) -> Iterator[tuple[int, Price]]:
    for order in contracts:
        lists, confirmed = order["lists"], bool(order["numbers"]["confirmed"])
        for line, price, unit in zip(lists["lines"], lists["prices"], lists["units"], strict=True):
            yield line, Price(None if price == _UNKNOWN or not unit else Fraction(price, unit), confirmed)


def _worth(line: FactEntry, prices: Mapping[int, Price]) -> Fraction:
    """What a line of time is worth; nothing where nobody can tell."""
    price = prices.get(line["numbers"]["line"])
    return Fraction(0) if price is None or price.minute is None else price.minute * line["numbers"]["minutes"]
