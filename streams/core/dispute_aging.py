"""Dispute aging: how long an invoice has been in dispute, about how much, and what that means for its client.

Rules
- Only invoices that were ever disputed are measured; every posted one is part of its client's exposure.
- Contested is what the newest open source names, else what was due when it opened; never more than the residual. In the company's currency
  it is the same part of the company's residual.
- Ages count calendar days up to the tick's day or the closing. Buckets of days open raise alerts; those of days past due do not.
- Business days leave out weekends and the company's public holidays. Service levels are those of the client's tier, which the client's
  exposure tells each posted invoice of its own.
- Alerts are raised once in an episode of the dispute, and all end when it closes.
- A deleted dispute counts as never opened; where it was the only one, the invoice stays measured as withdrawn, with the reason.

Invariant: what a client's exposure is told depends on what was heard, never on the day, so that each version of it has one content.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any, cast

from mypy_extensions import mypyc_attr

from schemas.records import DisputeAging, Severity
from schemas.topics import Process
from schemas.wire import DisputeEntry, ExposureEntry, FactEntry, InvoiceEntry
from streams.core import days, kinds
from streams.core.alerts import Crossing, Line, Rule, clear, each_once, once
from streams.core.availability import company_holidays
from streams.core.contract import Contribution, Row
from streams.core.exposed import Exposed, disputed_parts
from streams.core.history import History
from streams.core.policy import DisputeAgingPolicy
from streams.core.processor import Basic, Stamp
from streams.core.ratios import Quality, half_even, money
from streams.core.rules import InForce
from streams.core.state import PartitionState, SubjectState
from streams.core.timeline import CLOSED, Timeline, is_settled, response_days, trace

CLIENT_MODEL = "res.partner"
_SEVERITIES: tuple[Severity, ...] = ("notice", "warning", "critical")


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class InvoiceState(SubjectState):
    """One invoice and what its sources say of a dispute."""

    __slots__ = ("disputes", "exposed", "invoice", "off", "tiers", "timeline", "told")

    def __init__(self, key: str) -> None:
        """Begin with nothing known."""
        super().__init__(key)
        self.invoice: InvoiceEntry | None = None
        self.disputes: dict[str, DisputeEntry] = {}
        self.timeline: Timeline | None = None
        self.off: frozenset[int] = frozenset()
        self.exposed: Exposed | None = None
        self.told: Exposed | None = None
        self.tiers: dict[int, FactEntry] = {}

    @property
    def tier(self) -> str | None:
        """The client's tier, of an invoice that its client knows of."""
        said = None if self.exposed is None else self.tiers.get(self.exposed.client)
        return None if said is None or not said["present"] else said["words"]["tier"]

    def open_disputes(self) -> list[DisputeEntry]:
        """What sources that hold the dispute open last said, newest last."""
        invoice = self.invoice
        if invoice is None or not invoice["present"] or is_settled(invoice):
            return []
        said = (entry for entry in self.disputes.values() if entry["present"] and entry["status"] not in CLOSED)
        return sorted(said, key=lambda entry: (entry["recorded_at"], entry["event_id"]))

    def contested(self) -> tuple[int, int]:
        """Contested and unpaid, in the invoice's and in the company's currency."""
        said, invoice = self.open_disputes(), self.invoice
        if invoice is None or not said:
            return 0, 0
        residual, of_company = invoice["residual"], invoice["company_residual"]
        amounts = [entry["amount"] for entry in said if entry["amount"] is not None]
        amount = max(0, min(amounts[-1] if amounts else self._residual_on(said[-1]["opened_day"]), residual))
        return amount, half_even(amount * of_company, residual)

    def _residual_on(self, day: int) -> int:
        """What was due at the end of a day, or when it was posted, if that was later; where nothing was, what is due now."""
        invoice = cast("InvoiceEntry", self.invoice)
        posted = [run for run in self.histories[invoice["record"]].segments() if run.entry["posted"]]
        due = [run.entry["residual"] for run in posted if run.day <= day] or [
            run.entry["residual"] for run in posted[:1]
        ]
        return due[-1] if due and due[-1] > 0 else invoice["residual"]


class DisputeAgingProcessor(Basic):
    """Measures disputed invoices."""

    name = "dispute-aging"
    topic = "measure.dispute-aging.v1"
    subject_kind = "invoice"
    process = Process.ISSUE_TO_RESOLUTION
    formula = "dispute-aging/3"

    def __init__(self, policy: DisputeAgingPolicy, begins: date | None = None) -> None:
        """Measure by this policy, which holds from a day on, or from the beginning."""
        self._policy, self.in_force = policy, InForce.of(policy, begins)
        owner, severities = policy.owner, _SEVERITIES
        self._bucket = Rule(
            "dispute_aging.bucket",
            tuple(
                Line(policy.bucket(end + 1), severities[min(place, 2)], policy.bucket_owners[place], Fraction(end + 1))
                for place, end in enumerate(policy.bucket_ends)
            ),
            owner,
        )
        lines = Line("first_response", "warning", owner), Line("resolution", "critical", owner)
        self._service_level = Rule("dispute_aging.sla", lines, owner)
        self._reopened = Rule("dispute_aging.reopened", (Line("reopened", "warning", owner),), owner)

    def new(self, key: str) -> InvoiceState:
        """An invoice of which nothing is known."""
        return InvoiceState(key)

    def fold(self, subject: InvoiceState, kind: str, entry: Any, first: int | None) -> Row | None:
        """Take in the invoice's own record, what a source says of its dispute, or the tier of its client."""
        record = entry["record"]
        if kind == kinds.INVOICE:
            row = subject.keep_history(kind, entry, first, "from_day", _due)
            subject.invoice = cast("InvoiceEntry", subject.histories[record].head.entry)
            subject.zone = subject.invoice["timezone"]
        elif kind == kinds.DISPUTE:
            row = subject.keep_history(kind, entry, first, "status_day", _says)
            subject.disputes[record] = subject.histories[record].head.entry
        elif kind == kinds.FACT:
            row = subject.keep(kind, entry)
            if row is not None:
                subject.tiers[entry["numbers"]["client_id"]] = entry
        else:
            raise KeyError(kind)
        if row is not None:
            subject.stale, subject.calm = True, False
            subject.exposed = _exposed(subject)
        return row

    def settle(self, partition: PartitionState, subject: InvoiceState) -> None:
        """Derive where the dispute stands on the day."""
        if subject.as_of is None or subject.invoice is None:
            return
        window = self._policy.reopening_window_days
        invoice = subject.histories[subject.invoice["record"]]
        subject.timeline = trace(_sources(subject, present=True), invoice, subject.as_of, window)
        if subject.timeline is not None:
            holidays = (row[3] for row in partition.shared.rows.values())
            period = range(subject.timeline.opened, subject.as_of + 1)
            subject.off = company_holidays(holidays, subject.invoice["company_id"], period)
        subject.stale = False

    def judge(self, subject: InvoiceState, *, ticked: bool = False) -> list[Crossing]:  # noqa: ARG002  Processor
        """Bring the alerts to the ages."""
        memory, timeline, as_of = subject.memory, subject.timeline, subject.as_of
        promised = self._promised(subject)
        rules = (self._bucket, promised, self._reopened)
        present = subject.invoice is not None and subject.invoice["present"]
        if timeline is None or as_of is None or timeline.status in CLOSED or not present:
            return [crossing for rule in rules for crossing in clear(memory, rule)]
        age = timeline.end(as_of) - timeline.opened
        reached = [line for line in self._bucket.lines if line.at is not None and line.at <= age]
        out = once(memory, self._bucket, Fraction(age), episode=timeline.episode, reached=reached)
        out += each_once(
            memory, promised, episode=timeline.episode, reached=_missed(promised, subject, timeline, as_of)
        )
        again = list(self._reopened.lines * timeline.reopened)
        return out + once(memory, self._reopened, None, episode=timeline.episode, reached=again)

    def _promised(self, subject: InvoiceState) -> Rule:
        """The service levels, each at what was promised to the client."""
        lines = zip(self._service_level.lines, self._service(subject), strict=True)
        return self._service_level._replace(lines=tuple(line._replace(at=Fraction(days_)) for line, days_ in lines))

    def _service(self, subject: InvoiceState) -> tuple[int, int]:
        """First response in business days and resolution in days, as promised to the client."""
        return self._policy.service(None if subject.invoice is None else subject.invoice["client_id"], subject.tier)

    def contributions(self, subject: InvoiceState, entry: Any) -> list[Contribution]:
        """What the client's exposure is to know: the new part, and the end of the old one where the client changed."""
        before, now = subject.told, subject.exposed
        if before == now:
            return []
        subject.told = now
        out = disputed_parts(subject.key, subject.revision, entry, before, now)
        if before is not None and (now is None or now.client != before.client):
            out.append(
                _contribution(
                    subject, entry, before._replace(disputed=0, receivable=0, in_dispute=False), present=False
                )
            )
        if now is not None:
            out.append(_contribution(subject, entry, now, present=True))
        return out

    def measure(self, subject: InvoiceState, stamp: Stamp) -> DisputeAging | None:
        """The dispute's aging."""
        invoice, timeline, policy = subject.invoice, subject.timeline, self._policy
        quality = Quality()
        if timeline is None and subject.disputes:
            quality.note("dispute_deleted")
            ended = trace(_sources(subject, present=False), None, stamp.as_of, policy.reopening_window_days)
            timeline = ended and ended._replace(status="withdrawn", closed=ended.opened, sla_days=0)
        if invoice is None or timeline is None:
            return None
        _note_invoice(quality, invoice)
        end = timeline.end(stamp.as_of)
        past_due = None if invoice["due_day"] is None else end - invoice["due_day"]
        amount, company_amount = subject.contested()
        return {
            "invoice_id": invoice["invoice_id"],
            "company_id": invoice["company_id"],
            "client_id": invoice["client_id"],
            "status": timeline.status,
            "episode": timeline.episode,
            "opened_on": days.to_date(timeline.opened),
            "closed_on": None if timeline.closed is None else days.to_date(timeline.closed),
            "days_open": end - timeline.opened,
            "business_days_open": days.business_days(timeline.opened, end, subject.off),
            "days_past_due": past_due,
            "bucket_open": policy.bucket(end - timeline.opened),
            "bucket_past_due": None if past_due is None or past_due < 0 else policy.bucket(past_due),
            "sla_days": timeline.sla_days,
            "response_business_days": response_days(timeline, stamp.as_of, subject.off),
            "promised_response_business_days": self._service(subject)[0],
            "promised_resolution_days": self._service(subject)[1],
            "client_tier": subject.tier,
            "amount": money(amount),
            "company_amount": money(company_amount),
            "currency": invoice["currency"],
            "as_of": days.to_date(stamp.as_of),
            "revision": stamp.revision,
            "formula": self.formula,
            "moved_by": stamp.moved_by,
            "reasons": quality.reasons(),
        }

    def values(self, subject: InvoiceState) -> dict[str, str]:
        """Ages and amounts."""
        timeline, as_of, invoice = subject.timeline, subject.as_of, subject.invoice
        amount, company_amount = subject.contested()
        out = {"amount": str(money(amount)), "company_amount": str(money(company_amount))}
        if timeline is not None and as_of is not None:
            out["status"] = timeline.status
            out["opened_on"] = days.to_date(timeline.opened).isoformat()
            out["days_open"] = str(timeline.end(as_of) - timeline.opened)
            out["sla_days"] = str(timeline.sla_days)
            out["promised_response_business_days"], out["promised_resolution_days"] = map(str, self._service(subject))
        if invoice is not None and invoice["currency"] is not None:
            out["currency"] = invoice["currency"]
        if subject.tier is not None:
            out["client_tier"] = subject.tier
        return out

    def company(self, subject: InvoiceState) -> int | None:
        """The invoice's company."""
        return None if subject.invoice is None else subject.invoice["company_id"]


def _missed(promised: Rule, subject: InvoiceState, timeline: Timeline, as_of: int) -> list[tuple[Line, Fraction]]:
    """The service levels that were missed, each with its age."""
    ages = response_days(timeline, as_of, subject.off), timeline.sla_days
    aged = zip(promised.lines, map(Fraction, ages), strict=True)
    return [(line, age) for line, age in aged if line.at is not None and age > line.at]


def _due(entry: InvoiceEntry) -> tuple[object, ...]:
    return is_settled(entry), entry["residual"]


def _says(entry: DisputeEntry) -> tuple[object, ...]:
    return entry["status"], entry["opened_day"], entry["present"]


def _sources(subject: InvoiceState, *, present: bool) -> list[History]:
    return [
        subject.histories[record]
        for record in sorted(subject.disputes)
        if subject.disputes[record]["present"] is present
    ]


def _note_invoice(quality: Quality, invoice: InvoiceEntry) -> None:
    if not invoice["present"]:
        quality.note("deleted")
    if invoice["due_day"] is None:
        quality.note("no_due_date")
    if not days.is_zone(invoice["timezone"]):
        quality.note("unknown_timezone")


def _exposed(subject: InvoiceState) -> Exposed | None:
    invoice = subject.invoice
    if invoice is None or not (invoice["present"] and invoice["posted"]) or invoice["client_id"] is None:
        return None
    return Exposed(
        invoice["client_id"],
        invoice["company_id"],
        subject.contested()[1],
        invoice["company_residual"],
        invoice["company_currency"],
        bool(subject.open_disputes()),
        invoice["timezone"],
    )


def _contribution(subject: InvoiceState, entry: Any, exposed: Exposed, *, present: bool) -> Contribution:
    system, tenant, _ = subject.key.split(":", 2)
    out: ExposureEntry = {
        "subject": f"{system}:{tenant}:{CLIENT_MODEL}:{exposed.client}",
        "record": subject.key,
        "version": subject.revision,
        "present": present,
        "event_id": entry["event_id"],
        "recorded_at": entry["recorded_at"],
        "client_id": exposed.client,
        "company_id": exposed.company,
        "disputed": exposed.disputed,
        "receivable": exposed.receivable,
        "currency": exposed.currency,
        "in_dispute": exposed.in_dispute,
        "timezone": exposed.zone,
    }
    return Contribution("client-exposure", out["subject"], kinds.EXPOSURE, out)
