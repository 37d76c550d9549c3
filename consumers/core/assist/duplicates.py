"""Invoices that may have been entered twice: the same partner, kind, currency and amount, and dates nearer than this partner's usual.

Rules; numbered, the first that holds decides
1. A draft, a cancelled or a reversed document, or one without partner, date or amount, is like no other.
2. Different partner, kind, currency or amount: no suspicion.
3. The same number: certain (score 1).
4. At least `ENOUGH` gaps are known between the partner's documents of that kind: suspicious where the gap is more than three deviations
   (median and MAD, a tenth of the usual gap and a day at least) shorter than usual. So a retainer of the same amount every month is none, and two in one week are.
5. Else suspicious within a week.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from consumers.core.assist.ideas import Idea
from consumers.core.assist.robust import spread, unusual
from schemas.records import InvoiceEvent

ENOUGH = 4
FAR = Decimal(3)
DAY = Decimal(1)
WEEK = 7
KEPT = 500
"""So many of a partner's documents are remembered, the newest."""


class Document(NamedTuple):
    """What is compared of an invoice."""

    on: date
    key: str
    number: str | None
    amount: Decimal
    currency: str | None


Like = tuple[str, int, str]


@dataclass(slots=True)
class Invoices:
    """Documents by tenant, partner and kind. The latest event of each counts."""

    _of: dict[Like, dict[str, Document]] = field(default_factory=lambda: defaultdict(dict))

    def take(self, event: InvoiceEvent) -> list[Idea]:
        """Take in an event of an invoice; the suspicions that it raises."""
        key, current = event["meta"]["subject"], event["current"]
        for documents in self._of.values():
            documents.pop(key, None)
        if (
            current is None
            or current["status"] != "posted"
            or current["payment_status"] == "reversed"
            or current["reversed_id"] is not None
            or current["partner_id"] is None
            or current["invoice_date"] is None
            or not current["total"]
        ):
            return []
        like = (event["meta"]["tenant"], current["partner_id"], current["move_type"])
        document = Document(current["invoice_date"], key, current["number"], current["total"], current["currency"])
        others = self._of[like]
        gaps = _gaps([*others.values()])
        ideas = [
            _idea(event, document, other, score)
            for other in others.values()
            if (score := suspicion(document, other, gaps)) is not None
        ]
        others[key] = document
        if len(others) > KEPT:
            del others[min(others.values()).key]
        return ideas


def suspicion(one: Document, other: Document, gaps: list[Decimal]) -> Decimal | None:
    """How much speaks for one being the other again, from 0 to 1; None where nothing does. `gaps` are the partner's usual ones, in days."""
    if (one.amount, one.currency) != (other.amount, other.currency):
        return None
    if one.number is not None and one.number == other.number:
        return Decimal(1)
    gap = Decimal(abs((one.on - other.on).days))
    if len(gaps) < ENOUGH:
        return None if gap > WEEK else Decimal("0.9") - gap / 20
    usual, _ = spread(gaps)
    if unusual(gap, gaps, least=max(DAY, usual / 10)) > -FAR:
        return None
    return max(Decimal("0.95") - gap / (2 * usual), Decimal("0.5"))


def _gaps(documents: list[Document]) -> list[Decimal]:
    days = sorted(document.on for document in documents)
    return [Decimal((after - before).days) for before, after in pairwise(days)]


def _idea(event: InvoiceEvent, one: Document, other: Document, score: Decimal) -> Idea:
    apart = abs((one.on - other.on).days)
    same = "the same number" if score == 1 else f"{apart} days apart"
    return Idea(
        kind="duplicate_invoice",
        basis="|".join(sorted((one.key, other.key))),
        text=f"This may be {other.key} again: the same partner and amount, {same}. Look at both before either is paid.",
        score=score,
        cause=event["meta"],
        evidence={"other": other.key, "days_apart": str(apart), "amount": f"{one.amount:f}"},
    )
