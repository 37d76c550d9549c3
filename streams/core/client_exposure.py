"""Client exposure: what one client contests, against what it owes.

Rules
- Sums are over the client's posted invoices, in the company's currency. Invoices of companies with other currencies make the share
  null: sums of unlike money mean nothing.
- With a limit, one alert when the contested sum is above it; it ends below the limit minus the hysteresis.

Invariant: the sums are those of the rows.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

from schemas.records import ClientExposure
from schemas.topics import Process
from schemas.wire import ExposureEntry
from streams.core import days, kinds
from streams.core.alerts import Crossing, Line, Rule, flag
from streams.core.contract import Row
from streams.core.policy import ClientExposurePolicy
from streams.core.processor import Basic, Stamp
from streams.core.ratios import MONEY_SCALE, Quality, money, unscaled_money
from streams.core.state import SubjectState


class ClientState(SubjectState):
    """One client."""

    __slots__ = ("currencies", "disputed", "head", "in_dispute", "receivable")

    def __init__(self, key: str) -> None:
        """Begin with nothing known."""
        super().__init__(key)
        self.disputed = self.receivable = self.in_dispute = 0
        self.currencies: Counter[str | None] = Counter()
        self.head: ExposureEntry | None = None

    def add(self, entry: ExposureEntry, sign: int) -> None:
        """Put an invoice's part in, or take it out."""
        self.disputed += sign * entry["disputed"]
        self.receivable += sign * entry["receivable"]
        self.in_dispute += sign * entry["in_dispute"]
        self.currencies[entry["currency"]] += sign


class ClientExposureProcessor(Basic):
    """Measures clients."""

    name = "client-exposure"
    topic = "measure.client-exposure.v1"
    subject_kind = "client"
    process = Process.ISSUE_TO_RESOLUTION
    formula = "client-exposure/1"

    def __init__(self, policy: ClientExposurePolicy) -> None:
        """Measure by this policy."""
        self._policy = policy
        self._rule = Rule("client_exposure.limit", (Line("limit", "critical", policy.owner),), policy.owner)

    def new(self, key: str) -> ClientState:
        """A client of which nothing is known."""
        return ClientState(key)

    def fold(self, subject: ClientState, kind: str, entry: Any, first: int | None) -> Row | None:  # noqa: ARG002  Processor
        """Take in an invoice's part."""
        if kind != kinds.EXPOSURE:
            raise KeyError(kind)
        old = subject.rows.get(entry["record"])
        row = subject.keep(kind, entry)
        if row is None:
            return None
        if old is not None and old[3]["present"]:
            subject.add(old[3], -1)
        if entry["present"]:
            subject.add(entry, 1)
        newest = subject.rows[subject.marks()[-1][2]][3]
        subject.head, subject.zone = newest, newest["timezone"]
        subject.calm = False
        return row

    def settle(self, partition: Any, subject: ClientState) -> None:  # noqa: ARG002  Processor
        """Nothing is derived from the day."""
        subject.stale = False

    def judge(self, subject: ClientState, *, ticked: bool = False) -> list[Crossing]:  # noqa: ARG002  Processor
        """Bring the alert to the contested sum."""
        policy, disputed, head = self._policy, subject.disputed, subject.head
        limit = policy.limit if head is None else policy.limits.get(head["client_id"], policy.limit)
        value = Fraction(disputed, 10**MONEY_SCALE)
        if limit is None:
            return flag(subject.memory, self._rule, value, begins=False, ends=True)
        rule = Rule(self._rule.name, (self._rule.lines[0]._replace(at=Fraction(limit)),), policy.owner)
        most = unscaled_money(limit)
        ends = disputed <= most * (1 - Fraction(policy.hysteresis))
        return flag(subject.memory, rule, value, begins=disputed > most, ends=ends)

    def measure(self, subject: ClientState, stamp: Stamp) -> ClientExposure | None:
        """The client's exposure."""
        head = subject.head
        if head is None:
            return None
        quality = Quality()
        share = None
        if len(+subject.currencies) > 1:
            quality.note("mixed_currencies")
        else:
            share = quality.ratio(subject.disputed, subject.receivable, "no_receivables")
        if not days.is_zone(head["timezone"]):
            quality.note("unknown_timezone")
        return {
            "client_id": head["client_id"],
            "company_id": head["company_id"],
            "disputed_invoices": subject.in_dispute,
            "disputed_amount": money(subject.disputed),
            "receivable_amount": money(subject.receivable),
            "currency": head["currency"],
            "share": share,
            "as_of": days.to_date(stamp.as_of),
            "revision": stamp.revision,
            "formula": self.formula,
            "moved_by": stamp.moved_by,
            "reasons": quality.reasons(),
        }

    def values(self, subject: ClientState) -> dict[str, str]:
        """The sums."""
        return {
            "disputed_amount": str(money(subject.disputed)),
            "receivable_amount": str(money(subject.receivable)),
            "disputed_invoices": str(subject.in_dispute),
        }

    def company(self, subject: ClientState) -> int | None:
        """The company of the invoice last changed."""
        return None if subject.head is None else subject.head["company_id"]
