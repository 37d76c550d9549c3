"""What happens to a delivery that was let in: recorded raw, mapped to an event where it means one, parked where it does not.

The raw delivery and what follows from it are sent together, and answered only when Kafka has acknowledged all of it.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from infra.dead_letters import DEAD_LETTERS, parked
from infra.errors import PoisonMessage
from producers.core.webhook_admission import JSON
from producers.core.webhook_disputes import DISPUTES, DisputeMessage, dispute_event
from producers.core.webhook_records import DELIVERIES, delivery_event, hint, hint_event
from producers.webhooks.outbox import Outbox, Outgoing
from schemas.records import DeadLetterEvent


class Answer(NamedTuple):
    """What a sender is told."""

    status: int
    reason: str


@cache
def _messages() -> TypeAdapter[DisputeMessage]:
    return TypeAdapter(DisputeMessage)


def parse_message(body: bytes) -> DisputeMessage:
    """The message in a signed body. Raises `PoisonMessage` naming the place that is wrong with it."""
    try:
        return _messages().validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise PoisonMessage(
            f"{place}: {first['msg']}", remedy="mend the sender's payload; docs/events.md shows what dispute.* holds"
        ) from None


class Intake:
    """Turns admitted deliveries into records. One for the whole server."""

    def __init__(self, outbox: Outbox, database: str) -> None:
        """Publish through `outbox`; `database` is the Odoo database that invoices and hints belong to."""
        self._outbox = outbox
        self._database = database

    async def signed(self, source: str, delivery_id: str, body: bytes, now: datetime) -> Answer:
        """Publish a verified delivery and its event: 202, or 422 with a dead letter. Raises `Transient` without Kafka."""
        raw = delivery_event(
            source=source,
            delivery_id=delivery_id,
            database=self._database,
            received_at=now,
            content_type=JSON,
            body=body,
        )
        causes = {"correlation_id": raw["meta"]["event_id"], "causation_id": raw["meta"]["event_id"]}
        delivery = Outgoing(DELIVERIES, raw)
        try:
            message = parse_message(body)
            event = dispute_event(message, source=source, database=self._database, now=now, **causes)
            await self._outbox.publish([delivery, Outgoing(DISPUTES, event)])
        except PoisonMessage as error:
            letter = self._parked(f"/webhooks/{source}", raw["meta"]["subject"], body, error, now)
            letter["current"]["owner"] = DISPUTES.owner
            letter["current"]["business_process"] = DISPUTES.process.value
            await self._outbox.publish([delivery, Outgoing(DEAD_LETTERS, letter)])
            return Answer(422, str(error))
        return Answer(202, "accepted")

    async def unsigned(self, body: bytes, now: datetime) -> Answer:
        """Publish Odoo's hint: 202, or 422 with a dead letter. Raises `Transient` without Kafka."""
        delivery_id = str(uuid.uuid4())
        try:
            event = hint_event(
                hint(_parsed(body)),
                delivery_id=delivery_id,
                database=self._database,
                received_at=now,
                content_type=JSON,
                body=body,
            )
        except PoisonMessage as error:
            letter = self._parked("/odoo", f"odoo:delivery:{delivery_id}", body, error, now)
            await self._outbox.publish([Outgoing(DEAD_LETTERS, letter)])
            return Answer(422, str(error))
        await self._outbox.publish([Outgoing(DELIVERIES, event)])
        return Answer(202, "accepted")

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


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PoisonMessage(f"the body is no JSON: {error}", remedy="send what an Odoo automation rule sends") from None
