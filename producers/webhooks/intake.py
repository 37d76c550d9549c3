"""What becomes of a post that was let in: recorded raw, mapped to an event where it means one, parked where it does not.

What follows from a post is decided here, once; nothing is sent or stored. So the same bytes leave for Kafka however often that is tried.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import cache
from typing import Any

import pydantic_core
from pydantic import TypeAdapter, ValidationError

from infra.dead_letters import DEAD_LETTERS, parked
from infra.errors import PoisonMessage
from producers.core.webhook_admission import JSON
from producers.core.webhook_depth import deeper_than
from producers.core.webhook_disputes import DISPUTES, DisputeMessage, dispute_event
from producers.core.webhook_records import DELIVERIES, delivery_event, hint, hint_event
from producers.webhooks.entries import Answer, Delivery, Entry, Outgoing, digest, records
from schemas.records import DeadLetterEvent

ACCEPTED = Answer(202, "accepted")
MEND = "mend the sender's payload; docs/events.md shows what dispute.* holds"


@cache
def _messages() -> TypeAdapter[DisputeMessage]:
    return TypeAdapter(DisputeMessage)


class NotJsonError(PoisonMessage):
    """A body that no reader of JSON in UTF-8 could take."""


def parse_message(body: bytes) -> DisputeMessage:
    """The message in a signed body. Raises `PoisonMessage` naming the place that is wrong with it."""
    try:
        return _messages().validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise NotJsonError(f"the body is no JSON: {first['ctx']['error']}", remedy=MEND) from None
        place = ".".join(map(str, first["loc"])) or "the body"
        raise PoisonMessage(f"{place}: {first['msg']}", remedy=MEND) from None


class Intake:
    """Turns admitted posts into what is to be kept of them. One for the whole server."""

    def __init__(self, database: str, *, max_depth: int) -> None:
        """`database` is the Odoo database that invoices and hints belong to."""
        self._database, self._max_depth = database, max_depth

    def signed(self, source: str, delivery_id: str, body: bytes, now: datetime) -> Entry:
        """A verified delivery and its event: 202; or with a dead letter in the event's place 400 (no JSON) or 422 (no event)."""
        raw = delivery_event(
            source=source,
            delivery_id=delivery_id,
            database=self._database,
            received_at=now,
            content_type=JSON,
            body=body,
        )
        causes = {"correlation_id": raw["meta"]["event_id"], "causation_id": raw["meta"]["event_id"]}
        recorded, answer = Outgoing(DELIVERIES, raw), ACCEPTED
        try:
            self._shallow(body)
            message = parse_message(body)
            event = dispute_event(message, source=source, database=self._database, now=now, **causes)
            made = records([recorded, Outgoing(DISPUTES, event)])
        except PoisonMessage as error:
            letter = self._parked(f"/webhooks/{source}", raw["meta"]["subject"], body, error, now)
            letter["current"]["owner"] = DISPUTES.owner
            letter["current"]["business_process"] = DISPUTES.process.value
            made = records([recorded, Outgoing(DEAD_LETTERS, letter)])
            answer = _refused(error)
        return Entry(Delivery(source, delivery_id, digest(body)), now.timestamp(), answer, made)

    def unsigned(self, body: bytes, now: datetime) -> Entry:
        """Odoo's hint: 202; or a dead letter with 400 (no JSON) or 422 (it names no record)."""
        delivery_id, answer = str(uuid.uuid4()), ACCEPTED
        try:
            self._shallow(body)
            event = hint_event(
                hint(_parsed(body)),
                delivery_id=delivery_id,
                database=self._database,
                received_at=now,
                content_type=JSON,
                body=body,
            )
            made = records([Outgoing(DELIVERIES, event)])
        except PoisonMessage as error:
            letter = self._parked("/odoo", f"odoo:delivery:{delivery_id}", body, error, now)
            made = records([Outgoing(DEAD_LETTERS, letter)])
            answer = _refused(error)
        return Entry(None, now.timestamp(), answer, made)

    def _shallow(self, body: bytes) -> None:
        if deeper_than(self._max_depth, body):
            raise NotJsonError(
                f"the body is nested deeper than {self._max_depth} levels",
                remedy="send a flatter body, or raise BURNLINE_WEBHOOKS__MAX_DEPTH",
            )

    def _parked(self, path: str, key: str, body: bytes, error: PoisonMessage, now: datetime) -> DeadLetterEvent:
        return parked(
            path,
            -1,
            -1,
            key=key.encode(),
            value=body,
            headers=None,
            error=error,
            stage="webhooks",
            at=now,
            tenant=self._database,
        )


def _refused(error: PoisonMessage) -> Answer:
    return Answer(400 if isinstance(error, NotJsonError) else 422, str(error))


def _parsed(body: bytes) -> Any:
    try:
        return pydantic_core.from_json(body)
    except ValueError as error:
        raise NotJsonError(f"the body is no JSON: {error}", remedy="send what an Odoo automation rule sends") from None
