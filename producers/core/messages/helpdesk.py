"""A helpdesk or a portal tells of disputes about invoices.

A business date left out is the day of the moment, as its sender's clock wrote it. A reopened dispute names the day it was reopened; its first
opening is known from its earlier events.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from producers.core.messages.base import (
    STRICT,
    Row,
    Table,
    check_ids,
    check_moments,
    check_money,
    check_texts,
    money,
)
from schemas.events import odoo_key
from schemas.records import Dispute, DisputeStatus
from schemas.topics import topic

Type = Literal[
    "dispute.opened",
    "dispute.updated",
    "dispute.escalated",
    "dispute.resolved",
    "dispute.withdrawn",
    "dispute.reopened",
]
StatusGiven = Literal["open", "awaiting_customer", "escalated"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a type says of the dispute. `statuses` may be given; the first is meant where none is."""

    statuses: tuple[DisputeStatus, ...]
    opens: bool = False
    closes: bool = False


@dataclass(frozen=True, slots=True)
class DisputeData:
    """The dispute as its sender knows it. `opened_on` may be left out only by the message that opens it."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    invoice_id: int
    status: StatusGiven | None = None
    reason: str | None = None
    amount: str | None = None
    currency: str | None = None
    opened_on: date | None = None
    closed_on: date | None = None
    client_id: int | None = None
    company_id: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no invoice could have."""
        check_ids(invoice_id=self.invoice_id, client_id=self.client_id, company_id=self.company_id)
        check_money(self.amount, self.currency)
        check_texts(reason=self.reason)


@dataclass(frozen=True, slots=True)
class DisputeMessage:
    """A delivery's body: type, moment (with its UTC offset) and data, as the Standard Webhooks specification lays it out."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    type: Type
    timestamp: datetime
    data: DisputeData

    def __post_init__(self) -> None:
        """Refuse a status or a date that the type contradicts."""
        check_moments(timestamp=self.timestamp)
        change, data = DISPUTES.rows[self.type].means, self.data
        if data.status is not None and data.status not in change.statuses:
            raise ValueError(f"data.status {data.status} contradicts {self.type}")
        if data.opened_on is None and not change.opens:
            raise ValueError(f"data.opened_on is missing: {self.type} must say when the dispute was opened")
        if data.closed_on is not None and not change.closes:
            raise ValueError(f"data.closed_on contradicts {self.type}")
        if data.opened_on is not None and data.opened_on > (data.closed_on or self.timestamp.date()):
            raise ValueError("data.opened_on lies after the end or the moment of the message")


def _dispute(data: DisputeData, moment: datetime, change: Change) -> Dispute:
    day = moment.date()
    return {
        "invoice_id": data.invoice_id,
        "status": data.status or change.statuses[0],
        "reason": data.reason,
        "amount": money(data.amount),
        "currency": data.currency,
        "opened_on": data.opened_on or day,
        "closed_on": (data.closed_on or day) if change.closes else None,
        "client_id": data.client_id,
        "company_id": data.company_id,
    }


DISPUTES: Table[Any] = Table(
    topic("finance.dispute.v1"),
    subject=lambda data, origin: odoo_key(origin.database, "account.move", data.invoice_id),
    state=_dispute,
    rows={
        "dispute.opened": Row("opened", Change(("open", "awaiting_customer"), opens=True)),
        "dispute.updated": Row("updated", Change(("open", "awaiting_customer", "escalated"))),
        "dispute.escalated": Row("escalated", Change(("escalated",))),
        "dispute.resolved": Row("resolved", Change(("resolved",), closes=True)),
        "dispute.withdrawn": Row("withdrawn", Change(("withdrawn",), closes=True)),
        "dispute.reopened": Row("reopened", Change(("open", "awaiting_customer"), opens=True)),
    },
)
