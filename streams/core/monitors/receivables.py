"""Receivables of a company and of each of its clients: how long sales stay unpaid, and what of it is late or contested.

Rules
- DSO = closing receivables × days / credit sales of those days; best possible DSO counts only receivables that are not due yet;
  average days delinquent is the difference.
- Posted invoices count, credit notes against them; both with tax, in the company's currency at the document's rate.
- A document without a due date is not late. One whose rate nobody knows makes all money null: a part of the receivables is not them.
- What is contested is told by the disputes themselves, for the company; a client's is in its exposure.

Invariant: sums are made anew from the latest documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

from schemas.topics import Process
from schemas.wire import FactEntry
from streams.core.contracts import unscaled
from streams.core.exposed import RECEIVABLES
from streams.core.monitors.facts import Fact, Reader, Watched
from streams.core.monitors.monitor import Finding, Monitor
from streams.core.monitors.policy import ReceivablesPolicy
from streams.core.ratios import Quality

_SIGNS = {"out_invoice": 1, "out_refund": -1}


def document(state: Any, system: str, _meta: Any) -> dict[str, Fact]:
    """What a client's posted document says to its company and to its client."""
    sign = _SIGNS.get(state["move_type"], 0)
    if not sign or state["status"] != "posted":
        return {}
    residual, own_residual = unscaled(state["company_residual"]), unscaled(state["residual"])
    total, own_total = unscaled(state["company_total"]), unscaled(state["total"])
    numbers = {
        "residual": sign * residual,
        "total": sign * total,
        "invoice_day": state["invoice_date"],
        "due_day": state["due_date"],
        "company_id": state["company_id"],
        "unrated": int((own_residual != 0 and residual == 0) or (own_total != 0 and total == 0)) or None,
    }
    words = {"currency": state["company_currency"], "timezone": state["timezone"]}
    units = (("company", "res.company", state["company_id"]), ("client", "res.partner", state["partner_id"]))
    return {
        f"{system}{model}:{unit}": Fact("document", {**numbers, "unit_id": unit}, {**words, "unit": kind})
        for kind, model, unit in units
        if unit is not None
    }


class Receivables(Monitor):
    """Measures companies and clients."""

    name = RECEIVABLES
    topic = "measure.receivables.v1"
    subject_kind = "unit"
    process = Process.QUOTE_TO_CASH
    formula = "receivables/1"
    inputs: ClassVar[Mapping[str, Reader]] = {"finance.invoice.v1": document}

    def __init__(self, policy: ReceivablesPolicy) -> None:
        """Measure by this policy."""
        self._days = policy.days

    def look(self, subject: Watched, as_of: int, holidays: Sequence[Mapping[str, Any]]) -> Finding | None:  # noqa: ARG002  Monitor
        """The unit's receivables."""
        known = [row[3] for _, row in sorted(subject.rows.items()) if row[3]["kind"] == "document"]
        if not known:
            return None
        documents, disputed, quality = subject.facts("document"), subject.facts("disputed"), Quality()
        currencies = {one["words"].get("currency") for one in documents}
        summable = _summable(quality, documents, currencies)
        open_ = sum([one["numbers"]["residual"] for one in documents])
        late = sum([one["numbers"]["residual"] for one in documents if one["numbers"].get("due_day", as_of) < as_of])
        first = as_of - self._days + 1
        sales = sum(
            [
                one["numbers"]["total"]
                for one in documents
                if first <= one["numbers"].get("invoice_day", first - 1) <= as_of
            ]
        )
        contested = sum([one["numbers"]["disputed"] for one in disputed])

        def amount(value: int) -> Any:
            return quality.amount(Fraction(value)) if summable else None

        def per_sales(value: int) -> Any:
            if not summable:
                return None
            if sales <= 0:
                quality.note("no_credit_sales")
                return None
            return quality.share(Fraction(value * self._days, sales))

        head = known[0]
        companies = {one["numbers"].get("company_id") for one in documents}
        company = companies.pop() if len(companies) == 1 else None
        measure = {
            "kind": head["words"]["unit"],
            "unit_id": head["numbers"]["unit_id"],
            "company_id": company,
            "currency": next(iter(currencies)) if len(currencies) == 1 else None,
            "window_days": self._days,
            "receivable_amount": amount(open_),
            "current_amount": amount(open_ - late),
            "past_due_amount": amount(late),
            "credit_sales_amount": amount(sales),
            "disputed_amount": amount(contested),
            "disputed_invoices": sum(one["numbers"]["in_dispute"] for one in disputed),
            "disputed_share": quality.share(Fraction(contested, open_)) if summable and open_ > 0 else None,
            "dso": per_sales(open_),
            "best_possible_dso": per_sales(open_ - late),
            "average_days_delinquent": per_sales(late),
        }
        return Finding(measure, company=company, quality=quality)


def _summable(quality: Quality, documents: Sequence[FactEntry], currencies: set[str | None]) -> bool:
    """Whether all money is of one kind and known; notes why not."""
    if any(one["numbers"].get("unrated") for one in documents):
        quality.note("no_exchange_rate")
        return False
    if len(currencies) > 1:
        quality.note("mixed_currencies")
        return False
    if None in currencies:
        quality.note("no_currency")
        return False
    if any("due_day" not in one["numbers"] and one["numbers"]["residual"] for one in documents):
        quality.note("no_due_date")
    return True
