"""Straight-through rate of a process: how many of its cases ended well without anybody having to step in, and where the others went astray.

Rules
- A case is a record that goes through a process: an order, an invoice, an expense, a request. It counts once it ended, for the days of
  the window from then on. It went straight through when it ended well and no exception was ever said of it.
- An exception stays said, whatever becomes of the case: refused and then approved is not straight. With the case, it goes.
- Clusters count the exceptions of the window's cases by the kind of record and what happened, the most frequent first.
- Time lines are no cases: there are too many of them to remember each one for good, and corrections of them are told by their own events.

Invariant: what counts depends on the versions known, not on the order in which they came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from schemas.topics import Process
from schemas.wire import FactEntry
from streams.core import days
from streams.core.alerts import Line, Rule
from streams.core.monitors.facts import PART, Fact, Key, Reader, Watched
from streams.core.monitors.monitor import Finding, Judged, Monitor
from streams.core.monitors.policy import StraightThroughPolicy
from streams.core.ratios import Quality


class Stand(NamedTuple):
    """Where a case stands: whether it ended, and what went astray."""

    ended: bool
    astray: list[str]


def _order(state: Any) -> Stand:
    return Stand(state["status"] in {"confirmed", "cancelled"}, ["cancelled"] * (state["status"] == "cancelled"))


def _invoice(state: Any) -> Stand | None:
    if state["move_type"] != "out_invoice" or state["status"] == "draft":
        return None
    said = {"blocked": state["payment_status"] == "blocked", "reversed": state["payment_status"] == "reversed"}
    said |= {"overdue": state["overdue"], "cancelled": state["status"] == "cancelled"}
    ended = state["payment_status"] in {"paid", "in_payment", "reversed"} or state["status"] == "cancelled"
    return Stand(ended, [name for name, there in said.items() if there])


def _dispute(state: Any) -> Stand:
    return Stand(state["status"] in {"resolved", "withdrawn"}, ["escalated"] * (state["status"] == "escalated"))


def _expense(state: Any) -> Stand:
    return Stand(state["status"] in {"posted", "paid", "refused"}, ["refused"] * (state["status"] == "refused"))


def _purchase(state: Any) -> Stand:
    cancelled = state["status"] == "cancelled"
    return Stand(state["invoiced"] or cancelled, ["cancelled"] * cancelled)


def _approval(state: Any) -> Stand:
    astray = [status for status in ("rejected", "expired", "cancelled") if state["status"] == status]
    return Stand(state["status"] != "requested", astray + ["delegated"] * (state["delegated_from_id"] is not None))


def _change_request(state: Any) -> Stand:
    astray = [status for status in ("rejected", "withdrawn") if state["status"] == status]
    return Stand(state["status"] != "raised", astray)


def _milestone(state: Any) -> Stand:
    late = state["reached_on"] is not None and state["deadline"] is not None and state["reached_on"] > state["deadline"]
    return Stand(state["reached"], ["late"] * late)


def _absence(state: Any) -> Stand | None:
    if state["kind"] != "leave":
        return None
    astray = [status for status in ("refused", "cancelled") if state["status"] == status]
    return Stand(state["status"] != "requested", astray)


def _reader(process: Process, record: str, stand: Callable[[Any], Stand | None]) -> Reader:
    """What a record says to its process: the case itself, and each exception as a part that stays."""

    def read(state: Any, system: str, meta: Any) -> dict[Key, Fact]:
        found = stand(state)
        if found is None:
            return {}
        about = f"{system}process:{process}"
        words = {"process": process.value, "record": record, "tenant": meta["tenant"]}
        day = days.local_day(meta["occurred_at"], "UTC")
        case = Fact("case", {"ended": int(found.ended), "day": day}, words)
        parts: dict[Key, Fact] = {
            (about, name): Fact("exception", {}, {**words, "what": name}) for name in found.astray
        }
        return {about: case, **parts}

    return read


_P = Process


class StraightThrough(Monitor):
    """Measures processes."""

    name = "straight-through"
    topic = "measure.straight-through.v1"
    subject_kind = "process"
    process = Process.OPERATIONS
    formula = "straight-through/1"
    inputs: ClassVar[Mapping[str, Reader]] = {
        "sales.contract.v1": _reader(_P.QUOTE_TO_CASH, "contract", _order),
        "finance.invoice.v1": _reader(_P.QUOTE_TO_CASH, "invoice", _invoice),
        "finance.dispute.v1": _reader(_P.ISSUE_TO_RESOLUTION, "dispute", _dispute),
        "finance.expense.v1": _reader(_P.VENDOR_TO_PAY, "expense", _expense),
        "finance.purchase-order.v1": _reader(_P.VENDOR_TO_PAY, "purchase-order", _purchase),
        "governance.approval.v1": _reader(_P.OPERATIONS, "approval", _approval),
        "delivery.change-request.v1": _reader(_P.PROJECT_TO_REVENUE, "change-request", _change_request),
        "delivery.milestone.v1": _reader(_P.PROJECT_TO_REVENUE, "milestone", _milestone),
        "people.absence.v1": _reader(_P.RESOURCE_TO_TIMESHEET, "absence", _absence),
    }

    def __init__(self, policy: StraightThroughPolicy) -> None:
        """Measure by this policy."""
        self._policy = policy
        below = Line("below", "notice", policy.owner, Fraction(policy.rate_below))
        self._rule = Rule("straight_through.rate", (below,), policy.owner)

    def rules(self) -> Sequence[Rule]:
        """A rate that is too low."""
        return (self._rule,)

    def look(self, subject: Watched, as_of: int, holidays: Sequence[Mapping[str, Any]]) -> Finding | None:  # noqa: ARG002  Monitor
        """The rate of the window's cases, and where exceptions cluster."""
        policy, quality = self._policy, Quality()
        first = as_of - policy.window_days + 1
        counted = {
            case["record"]
            for case in subject.facts("case")
            if case["numbers"]["ended"] and first <= case["numbers"]["day"] <= as_of
        }
        astray = [one for one in subject.facts("exception") if _case(one) in counted]
        straight = len(counted) - len({_case(one) for one in astray})
        clusters = Counter(f"{one['words']['record']}: {one['words']['what']}" for one in astray)
        most = sorted(clusters.items(), key=lambda pair: (-pair[1], pair[0]))[: policy.clusters]
        rate = Fraction(straight, len(counted)) if counted else None
        if rate is None:
            quality.note("no_cases")
        process = next(row[3]["words"]["process"] for row in subject.rows.values())
        measure = {
            "process": process,
            "window_days": policy.window_days,
            "cases": len(counted),
            "straight": straight,
            "rate": quality.share(rate),
            "clusters": [name for name, _ in most],
            "cluster_counts": [number for _, number in most],
        }
        low = rate is not None and len(counted) >= policy.least_cases and rate < Fraction(policy.rate_below)
        values = {"cases": str(len(counted)), "straight": str(straight), **{name: str(number) for name, number in most}}
        return Finding(measure, values, [Judged(self._rule, self._rule.lines * low, rate)], quality=quality)


def _case(exception: FactEntry) -> str:
    return exception["record"].rpartition(PART)[0]
