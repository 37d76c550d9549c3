"""From a helpdesk's or portal's delivery to a dispute event: one declarative row per message type.

Rules
- The moment in the message is when it became true: it is the event's `occurred_at`, and in microseconds its version, so
  the same message always gives the same event id.
- Money is a decimal written as text. Unknown keys, other types and values out of bounds are refused, never coerced.
- A business date left out is the day of the moment, as its sender's clock wrote it. A reopened dispute names the day it was
  reopened; its first opening is known from its earlier events.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from schemas.errors import PoisonMessage
from schemas.events import meta, odoo_key
from schemas.records import DisputeEvent, DisputeStatus
from schemas.topics import topic

DISPUTES = topic("finance.dispute.v1")
AHEAD = timedelta(hours=1)
"""How far a sender's clock may run ahead: beyond it, one wrong version would hide every later one."""

MessageType = Literal[
    "dispute.opened",
    "dispute.updated",
    "dispute.escalated",
    "dispute.resolved",
    "dispute.withdrawn",
    "dispute.reopened",
]
StatusGiven = Literal["open", "awaiting_customer", "escalated"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONEY = re.compile(r"\d{1,15}(\.\d{1,4})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_STRICT: dict[str, object] = {"extra": "forbid", "strict": True}


@dataclass(frozen=True, slots=True)
class Change:
    """What one message type means. `statuses` may be given; the first is meant where none is."""

    verb: str
    statuses: tuple[DisputeStatus, ...]
    opens: bool = False
    closes: bool = False


TABLE: dict[str, Change] = {
    "dispute.opened": Change("opened", ("open", "awaiting_customer"), opens=True),
    "dispute.updated": Change("updated", ("open", "awaiting_customer", "escalated")),
    "dispute.escalated": Change("escalated", ("escalated",)),
    "dispute.resolved": Change("resolved", ("resolved",), closes=True),
    "dispute.withdrawn": Change("withdrawn", ("withdrawn",), closes=True),
    "dispute.reopened": Change("reopened", ("open", "awaiting_customer"), opens=True),
}


@dataclass(frozen=True, slots=True)
class DisputeData:
    """The dispute as its sender knows it. `opened_on` may be left out only by the message that opens it."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT
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
        for name, number in (
            ("invoice_id", self.invoice_id),
            ("client_id", self.client_id),
            ("company_id", self.company_id),
        ):
            if number is not None and not 0 < number < 1 << 31:
                raise ValueError(f"{name} is no id of a record")
        if self.amount is not None and not _MONEY.fullmatch(self.amount):
            raise ValueError('amount is no money: write it as text with at most four decimals, for example "1250.50"')
        if self.currency is not None and not _CURRENCY.fullmatch(self.currency):
            raise ValueError("currency is no ISO 4217 code")
        if self.amount is not None and self.currency is None:
            raise ValueError("an amount needs its currency")
        if self.reason is not None and len(self.reason) > 2000:
            raise ValueError("reason is longer than 2000 characters")


@dataclass(frozen=True, slots=True)
class DisputeMessage:
    """A delivery's body: type, moment (with its UTC offset) and data, as the Standard Webhooks specification lays it out."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT
    type: MessageType
    timestamp: datetime
    data: DisputeData

    def __post_init__(self) -> None:
        """Refuse a moment that could be any of 24, and a status or a date that the type contradicts."""
        change, data = TABLE[self.type], self.data
        if self.timestamp.tzinfo is None:
            raise ValueError("timestamp has no UTC offset")
        if data.status is not None and data.status not in change.statuses:
            raise ValueError(f"data.status {data.status} contradicts {self.type}")
        if data.opened_on is None and not change.opens:
            raise ValueError(f"data.opened_on is missing: {self.type} must say when the dispute was opened")
        if data.closed_on is not None and not change.closes:
            raise ValueError(f"data.closed_on contradicts {self.type}")
        if data.opened_on is not None and data.opened_on > (data.closed_on or self.timestamp.date()):
            raise ValueError("data.opened_on lies after the end or the moment of the message")


def dispute_event(
    message: DisputeMessage, *, source: str, database: str, now: datetime, correlation_id: str, causation_id: str
) -> DisputeEvent:
    """The canonical event of a message; `now` is when it came in.

    Raises `PoisonMessage` for a moment in the future.
    """
    if message.timestamp > now + AHEAD:
        raise PoisonMessage(
            f"timestamp {message.timestamp.isoformat()} lies in the future", remedy="set the clock of the sender"
        )
    change, data, day = TABLE[message.type], message.data, message.timestamp.date()
    return {
        "meta": meta(
            DISPUTES,
            change.verb,
            source=source,
            subject=odoo_key(database, "account.move", data.invoice_id),
            version=(message.timestamp - EPOCH) // timedelta(microseconds=1),
            occurred_at=message.timestamp.astimezone(UTC),
            recorded_at=now,
            mode="webhook",
            tenant=database,
            company_id=data.company_id,
            correlation_id=correlation_id,
            causation_id=causation_id,
        ),
        "previous": None,
        "current": {
            "invoice_id": data.invoice_id,
            "status": data.status or change.statuses[0],
            "reason": data.reason,
            "amount": Decimal(data.amount) if data.amount is not None else None,
            "currency": data.currency,
            "opened_on": data.opened_on or day,
            "closed_on": (data.closed_on or day) if change.closes else None,
            "client_id": data.client_id,
            "company_id": data.company_id,
        },
        "changed": [],
    }
