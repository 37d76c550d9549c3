"""What all messages have in common: from a type, a moment and validated data to an event of the catalogue.

Rules
- The moment in the message is when it became true: it is the event's `occurred_at`, and in microseconds its version, so the same message
  always gives the same event id, and events of one record are ordered by when they happened.
- A message tells the whole state, as its source knows it: who reads one event needs no other.
- Unknown keys, other types and values out of bounds are refused, never coerced. Money is a decimal written as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from schemas.errors import PoisonMessage
from schemas.events import meta
from schemas.topics import Topic

AHEAD = timedelta(hours=1)
"""How far a sender's clock may run ahead: beyond it, one wrong version would hide every later one."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STRICT: dict[str, object] = {"extra": "forbid", "strict": True}
LONGEST_TEXT = 2000
LONGEST_NAME = 200
_MONEY = re.compile(r"-?\d{1,15}(\.\d{1,4})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_REFERENCE = re.compile(r"[!-~]{1,200}")

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message came from: its configured source, the Odoo database it is about, when it came in, and the id of the raw delivery."""

    source: str
    database: str
    received_at: datetime
    delivery: str


@dataclass(frozen=True, slots=True)
class Row(Generic[R]):
    """What one type of message means: the verb of its event, and what else the state needs to know of the type."""

    verb: str
    means: R


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """The messages about one entity: its topic, its key, its state, and a row for each type of message."""

    topic: Topic
    subject: Callable[[Any, Origin], str]
    state: Callable[[Any, datetime, R], Mapping[str, Any]]
    rows: Mapping[str, Row[R]]

    def event(self, message: Any, origin: Origin) -> dict[str, Any]:
        """The event of a validated message. Raises `PoisonMessage` for a moment in the future."""
        if message.timestamp > origin.received_at + AHEAD:
            raise PoisonMessage(
                f"timestamp {message.timestamp.isoformat()} lies in the future", remedy="set the clock of the sender"
            )
        row = self.rows[message.type]
        current = self.state(message.data, message.timestamp, row.means)
        return {
            "meta": meta(
                self.topic,
                row.verb,
                source=origin.source,
                subject=self.subject(message.data, origin),
                version=(message.timestamp - EPOCH) // timedelta(microseconds=1),
                occurred_at=message.timestamp.astimezone(UTC),
                recorded_at=origin.received_at,
                mode="webhook",
                tenant=origin.database,
                company_id=current["company_id"],
                correlation_id=origin.delivery,
                causation_id=origin.delivery,
            ),
            "previous": None,
            "current": current,
            "changed": [],
        }


def money(amount: str | None) -> Decimal | None:
    """A checked amount as a number."""
    return None if amount is None else Decimal(amount)


def utc(moment: datetime | None) -> datetime | None:
    """A checked moment in UTC."""
    return None if moment is None else moment.astimezone(UTC)


def check_moments(**moments: datetime | None) -> None:
    """Refuse a moment that could be any of 24, or that UTC has no year for."""
    for name, moment in moments.items():
        if moment is None:
            continue
        if moment.tzinfo is None:
            raise ValueError(f"{name} has no UTC offset")
        try:
            moment.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{name} lies outside of the years 1 to 9999 in UTC") from None


def check_ids(**ids: int | None) -> None:
    """Refuse what is no id of an Odoo record."""
    for name, number in ids.items():
        if number is not None and not 0 < number < 1 << 31:
            raise ValueError(f"{name} is no id of a record")


def check_money(amount: str | None, currency: str | None, *, negative: bool = False) -> None:
    """Refuse an amount that is no decimal text, is negative where it may not be, or has no currency."""
    if amount is not None and (not _MONEY.fullmatch(amount) or (amount.startswith("-") and not negative)):
        raise ValueError('amount is no money: write it as text with at most four decimals, for example "1250.50"')
    if currency is not None and not _CURRENCY.fullmatch(currency):
        raise ValueError("currency is no ISO 4217 code")
    if amount is not None and currency is None:
        raise ValueError("an amount needs its currency")


def check_names(**names: str) -> None:
    """Refuse a name that says nothing, or is a novel."""
    for field, name in names.items():
        if not 0 < len(name) <= LONGEST_NAME:
            raise ValueError(f"{field} is empty, or longer than {LONGEST_NAME} characters")


def check_texts(**texts: str | None) -> None:
    """Refuse a novel."""
    for field, text in texts.items():
        if text is not None and len(text) > LONGEST_TEXT:
            raise ValueError(f"{field} is longer than {LONGEST_TEXT} characters")


def check_reference(reference: str) -> None:
    """Refuse what could not be a part of a key."""
    if not _REFERENCE.fullmatch(reference):
        raise ValueError("reference must be 1 to 200 printable ASCII characters without a space")


def check_begun(name: str, begun: datetime | None, message: Any, first: str) -> None:
    """Refuse a message that does not say when its matter began, unless its type is the first, and one from before that."""
    if message.type != first:
        needed(name, begun, f"{message.type} must say when it was {first.rpartition('.')[2]}")
    if begun is not None and begun > message.timestamp:
        raise ValueError(f"data.{name} lies after the moment of the message")


def needed(name: str, given: object, why: str) -> None:
    """Refuse a message that leaves out what its type must say."""
    if given is None:
        raise ValueError(f"data.{name} is missing: {why}")
