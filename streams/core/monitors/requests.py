"""Requests that wait for a decision: approvals and change requests, how old they are, and who is told when they are late.

Rules
- A request is due on the day it names, else so many business days after it was asked. Business days leave out weekends and the
  company's public holidays.
- It is late when that day has passed: the first step is told on the first late day (an approval's approver), the next after so many
  business days more (the alternates), then operations. Deciding ends all of it; ages stop at the decision.
- A request without a company has no holidays. Days end in the monitors' time zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

from schemas.records import Severity
from schemas.topics import Process
from schemas.wire import FactEntry
from streams.core import days
from streams.core.alerts import Line, Rule
from streams.core.availability import company_holidays
from streams.core.contracts import unscaled
from streams.core.monitors.facts import Fact, Reader, Watched
from streams.core.monitors.monitor import Finding, Judged, Monitor
from streams.core.monitors.policy import RequestsPolicy
from streams.core.ratios import Quality

_WAITING = frozenset({"requested", "raised"})


def approval(state: Any, _system: str, meta: Any) -> dict[str, Fact]:
    """What an approval says of itself."""
    numbers = {
        "asked_at": state["requested_at"],
        "due_at": state["due_at"],
        "decided_at": state["decided_at"],
        "requester_id": state["requester_id"],
        "approver_id": state["approver_id"],
        "delegated_from_id": state["delegated_from_id"],
    }
    return _said(
        "approval", state, meta, numbers, {"category": state["category"]}, {"alternates": state["alternate_ids"]}
    )


def change_request(state: Any, _system: str, meta: Any) -> dict[str, Fact]:
    """What a change request says of itself."""
    numbers = {
        "asked_at": state["raised_at"],
        "due_on": state["due_on"],
        "decided_at": state["decided_at"],
        "requester_id": state["requester_id"],
        "project_id": state["project_id"],
        "client_id": state["client_id"],
        "minutes": state["minutes"],
    }
    return _said("change_request", state, meta, numbers, {}, {})


def _said(  # noqa: PLR0917  what both kinds of request say, in the order of `Fact`
    kind: str,
    state: Any,
    meta: Any,
    numbers: dict[str, int | None],
    words: dict[str, str | None],
    lists: dict[str, list[int]],
) -> dict[str, Fact]:
    amount = None if state["amount"] is None else unscaled(state["amount"])
    for name in ("asked_at", "due_at", "decided_at"):
        at = numbers.get(name)
        numbers[name] = at if at is not None and days.is_moment(at) else None  # no calendar has it
    numbers |= {"company_id": state["company_id"], "amount": amount}
    words |= {
        "reference": state["reference"],
        "status": state["status"],
        "currency": state["currency"],
        "tenant": meta["tenant"],
    }
    return {meta["subject"]: Fact(kind, numbers, words, lists)}


class Requests(Monitor):
    """Measures approvals and change requests."""

    name = "request-aging"
    topic = "measure.request-aging.v1"
    subject_kind = "request"
    process = Process.PROJECT_TO_REVENUE
    formula = "request-aging/1"
    inputs: ClassVar[Mapping[str, Reader]] = {
        "governance.approval.v1": approval,
        "delivery.change-request.v1": change_request,
    }

    def __init__(self, policy: RequestsPolicy, zone: str) -> None:
        """Measure by this policy; days end in `zone`."""
        self._policy, self._zone = policy, zone
        steps = list(zip(policy.overdue_owners, policy.overdue_days, strict=True))
        self._rules = {
            kind: Rule(
                f"{kind}.overdue",
                tuple(
                    Line(owner, _severity(place, len(steps)), owner, Fraction(after))
                    for place, (owner, after) in enumerate(steps)
                ),
                policy.overdue_owners[-1],
            )
            for kind in ("approval", "change_request")
        }

    def rules(self) -> Sequence[Rule]:
        """One for each kind of request."""
        return list(self._rules.values())

    def look(self, subject: Watched, as_of: int, holidays: Sequence[Mapping[str, Any]]) -> Finding | None:
        """The request's ages."""
        known = subject.facts("approval", "change_request")
        if not known:
            return None  # it was deleted: its alerts end with it
        fact = known[-1]
        numbers, words, quality = fact["numbers"], fact["words"], Quality()
        if "asked_at" not in numbers:
            quality.note("no_time_of_asking")
        asked = self._day(numbers["asked_at"]) if "asked_at" in numbers else as_of
        waits = words["status"] in _WAITING
        decided = None if waits or "decided_at" not in numbers else self._day(numbers["decided_at"])
        if asked > as_of:
            quality.note("asked_in_the_future")
        end = max(asked, as_of if decided is None else min(as_of, decided))
        off = company_holidays(holidays, numbers.get("company_id"), range(min(asked, as_of), as_of + 1))
        due = self._due(fact, asked, off)
        late = days.business_days(due, end, off) if end > due else -1
        rule = self._rules[fact["kind"]]
        late_steps = [
            line._replace(about=str(numbers.get("approver_id")))
            for line in rule.lines
            if line.at is not None and waits and end > due and line.at < max(1, late)
        ]
        measure = {
            "kind": fact["kind"],
            "reference": words["reference"],
            "status": words["status"],
            "category": words.get("category"),
            "company_id": numbers.get("company_id"),
            "project_id": numbers.get("project_id"),
            "client_id": numbers.get("client_id"),
            "requester_id": numbers.get("requester_id"),
            "approver_id": numbers.get("approver_id"),
            "delegated_from_id": numbers.get("delegated_from_id"),
            "alternate_ids": list(fact["lists"].get("alternates", [])),
            "amount": None if "amount" not in numbers else quality.amount(Fraction(numbers["amount"])),
            "currency": words.get("currency"),
            "asked_on": days.to_date(asked),
            "due_on": days.to_date(due),
            "decided_on": None if decided is None else days.to_date(decided),
            "days_open": end - asked,
            "business_days_open": days.business_days(asked, end, off),
            "business_days_overdue": max(0, late),
            "overdue": end > due,
        }
        shown = ("status", "approver_id", "alternate_ids", "due_on", "business_days_open", "business_days_overdue")
        values = {name: str(measure[name]) for name in shown if measure[name] not in (None, [])}
        value = Fraction(max(0, late))
        return Finding(
            measure, values, [Judged(rule, late_steps, value, episode=1)], numbers.get("company_id"), quality
        )

    def _day(self, at: int) -> int:
        return days.local_day(at, self._zone)

    def _due(self, fact: FactEntry, asked: int, off: frozenset[int]) -> int:
        numbers = fact["numbers"]
        if "due_on" in numbers and days.is_date(numbers["due_on"]):
            return numbers["due_on"]
        if "due_at" in numbers:
            return self._day(numbers["due_at"])
        usual = self._policy
        after = usual.approval_business_days if fact["kind"] == "approval" else usual.change_request_business_days
        return days.business_day_after(asked, after, off)


def _severity(place: int, steps: int) -> Severity:
    """The first step is worth a notice, the last is critical, those between warn."""
    if place == 0:
        return "notice"
    return "critical" if place == steps - 1 else "warning"
