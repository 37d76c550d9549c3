"""Client exposure: what one client contests, against what it owes.

Rules
- Sums are over the client's posted invoices, in the company's currency. Invoices of companies with other currencies make the share
  null: sums of unlike money mean nothing.
- A client's limit is its own, else that of its tier. Its posted invoices are told the tier, since their service levels follow it.
- With a limit, one alert when the contested sum is above it; it ends below the limit minus the hysteresis.

Invariants: the sums are those of the rows. What an invoice is told has the client's version, so each version of it has one content.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction
from typing import Any

from mypy_extensions import mypyc_attr

from schemas.errors import PoisonMessage
from schemas.records import ClientExposure
from schemas.topics import Process
from schemas.wire import ExposureEntry, FactEntry
from streams.core import days, kinds
from streams.core.alerts import Crossing, Line, Rule, flag
from streams.core.contract import Contribution, Row
from streams.core.policy import ClientExposurePolicy
from streams.core.processor import Basic, Stamp
from streams.core.ratios import MONEY_SCALE, Quality, money, unscaled_money
from streams.core.rules import InForce
from streams.core.state import SubjectState


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class ClientState(SubjectState):
    """One client."""

    __slots__ = ("currencies", "disputed", "head", "in_dispute", "receivable", "said", "told")

    def __init__(self, key: str) -> None:
        """Begin with nothing known."""
        super().__init__(key)
        self.disputed = self.receivable = self.in_dispute = 0
        self.currencies: Counter[str | None] = Counter()
        self.head: ExposureEntry | None = None
        self.said: FactEntry | None = None
        self.told: dict[str, int] = {}

    @property
    def tier(self) -> str | None:
        """The tier, as the client's own record says it."""
        return None if self.said is None or not self.said["present"] else self.said["words"]["tier"]

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
    formula = "client-exposure/2"

    def __init__(self, policy: ClientExposurePolicy, begins: date | None = None) -> None:
        """Measure by this policy, which holds from a day on, or from the beginning."""
        self._policy, self.in_force = policy, InForce.of(policy, begins)
        self._rule = Rule("client_exposure.limit", (Line("limit", "critical", policy.owner),), policy.owner)

    def new(self, key: str) -> ClientState:
        """A client of which nothing is known."""
        return ClientState(key)

    def fold(self, subject: ClientState, kind: str, entry: Any, first: int | None) -> Row | None:  # noqa: ARG002  Processor
        """Take in an invoice's part, or the client's tier."""
        if kind == kinds.FACT:
            if subject.said is not None and subject.said["record"] != entry["record"]:
                raise PoisonMessage(
                    f"{entry['record']} and {subject.said['record']} both name the tier of one client",
                    remedy="find the producer that publishes a client under another key than its id's",
                )
            row = subject.keep(kind, entry)
            if row is not None:
                subject.said, subject.calm = entry, False
            return row
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
        own = None if subject.said is None else subject.said["record"]
        newest = next(subject.rows[mark[2]][3] for mark in reversed(subject.marks()) if mark[2] != own)
        subject.head, subject.zone = newest, newest["timezone"]
        subject.calm = False
        return row

    def settle(self, partition: Any, subject: ClientState) -> None:  # noqa: ARG002  Processor
        """Nothing is derived from the day."""
        subject.stale = False

    def judge(self, subject: ClientState, *, ticked: bool = False) -> list[Crossing]:  # noqa: ARG002  Processor
        """Bring the alert to the contested sum."""
        policy, disputed, head = self._policy, subject.disputed, subject.head
        limit = policy.limit if head is None else policy.limit_of(head["client_id"], subject.tier)
        value = Fraction(disputed, 10**MONEY_SCALE)
        if limit is None:
            return flag(subject.memory, self._rule, value, begins=False, ends=True)
        rule = Rule(self._rule.name, (self._rule.lines[0]._replace(at=Fraction(limit)),), policy.owner)
        most = unscaled_money(limit)
        ends = disputed <= most * (1 - Fraction(policy.hysteresis))
        return flag(subject.memory, rule, value, begins=disputed > most, ends=ends)

    def contributions(self, subject: ClientState, entry: Any) -> list[Contribution]:
        """The client's tier, for each of its posted invoices that does not know this version of it."""
        said, told = subject.said, subject.told
        if said is None:
            return []
        out = []
        for record in sorted(subject.rows) if entry["record"] == said["record"] else [entry["record"]]:
            known = subject.rows[record][3]
            if not known["present"]:
                told.pop(record, None)
            elif record != said["record"] and told.get(record) != said["version"]:
                told[record] = said["version"]
                numbers = {"client_id": known["client_id"]}
                out.append(
                    Contribution("dispute-aging", record, kinds.FACT, {**said, "subject": record, "numbers": numbers})
                )
        return out

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
            "client_tier": subject.tier,
            "as_of": days.to_date(stamp.as_of),
            "revision": stamp.revision,
            "formula": self.formula,
            "moved_by": stamp.moved_by,
            "reasons": quality.reasons(),
        }

    def values(self, subject: ClientState) -> dict[str, str]:
        """The sums, and the tier."""
        out = {
            "disputed_amount": str(money(subject.disputed)),
            "receivable_amount": str(money(subject.receivable)),
            "disputed_invoices": str(subject.in_dispute),
        }
        return out if subject.tier is None else {**out, "client_tier": subject.tier}

    def company(self, subject: ClientState) -> int | None:
        """The company of the invoice last changed."""
        return None if subject.head is None else subject.head["company_id"]
