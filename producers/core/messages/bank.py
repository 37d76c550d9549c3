"""A bank or a payment provider tells what became of a payment that Odoo knows. A day left out is that of the moment, as its clock wrote it."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Literal

from producers.core.messages.base import STRICT, Row, Table, check_ids, check_moments, check_money
from schemas.events import odoo_key
from schemas.records import Payment, PaymentStatus
from schemas.topics import topic

Type = Literal["payment.registered", "payment.settled", "payment.rejected", "payment.cancelled"]


@dataclass(frozen=True, slots=True)
class PaymentData:
    """The payment as the bank knows it."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    payment_id: int
    direction: Literal["inbound", "outbound"]
    amount: str
    currency: str
    date: dt.date | None = None
    partner_id: int | None = None
    invoice_ids: list[int] = field(default_factory=list)
    company_id: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no payment could have."""
        check_ids(payment_id=self.payment_id, partner_id=self.partner_id, company_id=self.company_id)
        for invoice in self.invoice_ids:
            check_ids(invoice_ids=invoice)
        check_money(self.amount, self.currency)


@dataclass(frozen=True, slots=True)
class PaymentMessage:
    """The moment is when the bank did it."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    type: Type
    timestamp: dt.datetime
    data: PaymentData

    def __post_init__(self) -> None:
        """Refuse a moment that could be any of 24."""
        check_moments(timestamp=self.timestamp)


def _payment(data: PaymentData, moment: dt.datetime, status: PaymentStatus) -> Payment:
    return {
        "id": data.payment_id,
        "status": status,
        "direction": data.direction,
        "partner_id": data.partner_id,
        "amount": Decimal(data.amount),
        "currency": data.currency,
        "date": data.date or moment.date(),
        "invoice_ids": sorted(set(data.invoice_ids)),
        "company_id": data.company_id,
    }


PAYMENTS: Table[Any] = Table(
    topic("finance.payment.v1"),
    subject=lambda data, origin: odoo_key(origin.database, "account.payment", data.payment_id),
    state=_payment,
    rows={
        "payment.registered": Row("registered", "in_process"),
        "payment.settled": Row("settled", "paid"),
        "payment.rejected": Row("rejected", "rejected"),
        "payment.cancelled": Row("cancelled", "cancelled"),
    },
)
