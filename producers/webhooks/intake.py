"""What becomes of a post that was let in: recorded raw, mapped to an event where it means one, parked where it does not.

What follows from a post is decided here, once; nothing is sent or stored. So the same bytes leave for Kafka however often that is tried.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeAlias

import pydantic_core

from infra.dead_letters import DEAD_LETTERS, parked
from infra.errors import PoisonMessage
from infra.letter_posts import Retried
from producers.core.messages import Message, Origin, Table, table_of
from producers.core.webhook_admission import JSON
from producers.core.webhook_depth import deeper_than
from producers.core.webhook_records import DELIVERIES, Hint, delivery_event, hint, hint_event
from producers.webhooks.entries import ACCEPTED, Answer, Delivery, Entry, Outgoing, digest, records
from producers.webhooks.messages import NotJsonError, parse_message
from schemas.records import DeadLetterEvent

Tables: TypeAlias = tuple[Table[Any], ...]
ODOO_DOOR = "/odoo"
"""Where Odoo posts, as its letters name it: without the token."""


class DeniedError(PoisonMessage):
    """A message that its source may not send."""


class Intake:
    """Turns admitted posts into what is to be kept of them. One for the whole server."""

    def __init__(self, database: str, *, models: Collection[str], max_depth: int) -> None:
        """`database` is the Odoo database that invoices and hints belong to; of it, `models` are captured."""
        self._database, self._models, self._max_depth = database, models, max_depth

    def signed(
        self,
        source: str,
        tables: Tables,
        delivery_id: str,
        body: bytes,
        now: datetime,
        *,
        retried: Retried | None = None,
    ) -> Entry:
        """A verified delivery and its event: 202.

        With a dead letter in the event's place 400 (no JSON), 422 (no event), or 403 (its source may not speak of such things).
        One that was sent for a letter and fails again is that letter, once more.
        """
        raw = delivery_event(
            source=source,
            delivery_id=delivery_id,
            database=self._database,
            received_at=now,
            content_type=JSON,
            body=body,
        )
        recorded, answer = Outgoing(DELIVERIES, raw), ACCEPTED
        try:
            self._shallow(body)
            table, message = _told(body, tables)
            event = table.event(message, Origin(source, self._database, now, raw["meta"]["event_id"]))
            made = records([recorded, Outgoing(table.topic, event)])
        except PoisonMessage as error:
            letter = self._parked(door_of(source), raw["meta"]["subject"], body, error, now, retried=retried)
            if len(tables) == 1:
                letter["current"]["owner"] = tables[0].topic.owner
                letter["current"]["business_process"] = tables[0].topic.process.value
            made = records([recorded, Outgoing(DEAD_LETTERS, letter)])
            answer = _refused(error)
        return Entry(Delivery(source, delivery_id, digest(body)), now.timestamp(), answer, made)

    def unsigned(self, body: bytes, now: datetime, *, retried: Retried | None = None) -> Entry:
        """Odoo's hint: 202; or a dead letter with 400 (no JSON) or 422 (it names no record that is captured)."""
        delivery_id, answer = str(uuid.uuid4()), ACCEPTED
        try:
            self._shallow(body)
            event = hint_event(
                self._captured(hint(_parsed(body))),
                delivery_id=delivery_id,
                database=self._database,
                received_at=now,
                content_type=JSON,
                body=body,
            )
            made = records([Outgoing(DELIVERIES, event)])
        except PoisonMessage as error:
            letter = self._parked(ODOO_DOOR, f"odoo:delivery:{delivery_id}", body, error, now, retried=retried)
            made = records([Outgoing(DEAD_LETTERS, letter)])
            answer = _refused(error)
        return Entry(None, now.timestamp(), answer, made)

    def _captured(self, found: Hint) -> Hint:
        if found.model not in self._models:
            raise PoisonMessage(
                f"nothing of {found.model} is captured",
                remedy="remove the automation rule that posts it; `burnline odoo install-webhooks` makes those that are of use",
            )
        return found

    def _shallow(self, body: bytes) -> None:
        if deeper_than(self._max_depth, body):
            raise NotJsonError(
                f"the body is nested deeper than {self._max_depth} levels",
                remedy="send a flatter body, or raise BURNLINE_WEBHOOKS__MAX_DEPTH",
            )

    def _parked(
        self, door: str, key: str, body: bytes, error: PoisonMessage, now: datetime, *, retried: Retried | None
    ) -> DeadLetterEvent:
        return parked(
            door,
            -1,
            -1,
            key=key.encode() if retried is None else retried.key,
            value=body,
            headers=None if retried is None else retried.headers,
            error=error,
            stage="webhooks",
            at=now,
            tenant=self._database,
        )


def door_of(source: str) -> str:
    """Where a source posts, as its letters name it."""
    return f"/webhooks/{source}"


def _told(body: bytes, tables: Tables) -> tuple[Table[Any], Message]:
    message = parse_message(body)
    table = table_of(message.type)
    if table not in tables:
        raise DeniedError(
            f"this source may not speak of {message.type}",
            remedy="let another source say so, or give this one another kind in BURNLINE_WEBHOOKS__SOURCES",
        )
    return table, message


def _refused(error: PoisonMessage) -> Answer:
    status = 400 if isinstance(error, NotJsonError) else 403 if isinstance(error, DeniedError) else 422
    return Answer(status, str(error))


def _parsed(body: bytes) -> Any:
    try:
        return pydantic_core.from_json(body)
    except ValueError as error:
        raise NotJsonError(f"the body is no JSON: {error}", remedy="send what an Odoo automation rule sends") from None
