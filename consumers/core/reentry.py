"""How a letter goes back to where it failed, and when it must not. Pure.

Ways back
- *record*: it stood on a topic. A copy of it goes to the end of the same partition, so that whoever reads the topic meets it once more.
- *hint*: a row of Odoo that became no event. Capture is told to read the record again; it takes what Odoo has now.
- *post*: a delivery that the webhook server refused. It is signed and posted anew.
- *new attempt*: an action that was given up. It is asked for anew, and a copy of its alert, or duty, goes to the end of the partition, there for this action alone.
  One that may have been done is not: nobody but its owner can tell whether it would be done twice.

Order. A copy stands behind all that came after the original. Where that holds a later record of the same entity, the letter is superseded:
the copy would bring back what was. Inputs of the streams are exempt: they are keyed by nothing, and what they move is guarded by versions.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from consumers.core.letter_queue import Decision, Letter
from consumers.core.letters import ABANDONED
from schemas import codec
from schemas.errors import PoisonMessage
from schemas.events import deterministic_id, meta
from schemas.records import DeadLetterEvent, WebhookDeliveryEvent
from schemas.topics import TOPICS, topic

DEAD_LETTERS, DELIVERIES, ALERTS = topic("ops.dead-letter.v1"), topic("ops.webhook.v1"), "governance.alert.v1"
SOURCE = "burnline.dlq"
CAPTURE, WEBHOOKS = "capture.", "webhooks"
NOT_COPIED = frozenset({"ce_source"})
"""Headers that a copy does not have. By its source a publisher knows its own events again, and a copy is nobody's latest word."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Way(StrEnum):
    """How a letter goes back."""

    RECORD = "record"
    HINT = "hint"
    POST = "post"
    ACTION = "new attempt"


class Refusal(NamedTuple):
    """Why a letter is not tried again, and what to do instead."""

    why: str
    remedy: str


SUPERSEDED = "discard the letter: what it said is no longer so"
BY_HAND = "do it by hand and say so: `burnline worklist`, `burnline override ID done-by-hand`; then discard the letter"


def way_of(letter: Letter) -> Way | Refusal:
    """The way back for a letter."""
    current = letter.event["current"]
    if not letter.open:
        return Refusal(
            f"it was {letter.status} already", "nothing is left to do; it comes back by itself if it fails again"
        )
    if current["reason"] == ABANDONED:
        return Way.ACTION
    if current["stage"].startswith(CAPTURE) and record_of(letter.event) is not None:
        return Way.HINT
    if current["stage"] == WEBHOOKS and current["topic"].startswith("/"):
        return Way.POST
    if current["offset"] >= 0 and current["topic"] in TOPICS:
        return Way.RECORD
    return Refusal("there is no way back for it", "mend its source, then discard the letter")


def record_of(event: DeadLetterEvent) -> tuple[str, str, int] | None:
    """Database, model and id of the Odoo record that a letter is about; None where it is about none."""
    parts = event["meta"]["subject"].split(":")
    if len(parts) != 4 or parts[0] != "odoo" or not parts[3].isdecimal():
        return None
    return parts[1], parts[2], int(parts[3])


def hint_for(letter: Letter, at: datetime) -> WebhookDeliveryEvent:
    """The hint by which capture reads a letter's record again. `at` tells one hint from another."""
    found = record_of(letter.event)
    if found is None:
        raise ValueError(f"the letter {letter.identity} is about no record of Odoo")
    database, model, number = found
    micros = (at - _BEGINNING) // timedelta(microseconds=1)
    subject = letter.event["meta"]["subject"]
    return {
        "meta": meta(
            DELIVERIES,
            "received",
            source=SOURCE,
            subject=subject,
            version=micros,
            occurred_at=at,
            recorded_at=at,
            mode="hint",
            tenant=database,
            company_id=None,
            correlation_id=letter.event["meta"]["correlation_id"],
            causation_id=letter.event["meta"]["event_id"],
        ),
        "current": {
            "delivery_id": deterministic_id(letter.identity, micros),
            "webhook_source": SOURCE,
            "verified": False,
            "received_at": at,
            "content_type": "application/json",
            "body": json.dumps({"_model": model, "_id": number}).encode(),
            "model": model,
            "record_id": number,
            "action": "a dead letter is tried again",
        },
    }


def entity_of(topic_name: str, key: bytes | None, value: bytes | None) -> tuple[bytes, str] | None:
    """What a record is about, for the order of a copy: its key; of an alert the alert, since a subject has many. None where order is no matter.

    An alert that cannot be read is about whatever its key says.
    """
    if key is None or not TOPICS[topic_name].public:
        return None
    if topic_name == ALERTS and value is not None:
        try:
            return key, codec.decode(value).value["current"]["alert_id"]
        except (PoisonMessage, KeyError, TypeError):
            return key, ""
    return key, ""


def decision_event(letter: Letter, status: str, decision: Decision) -> DeadLetterEvent:
    """The event that a letter was decided. It bears no bytes of the record: those are in the letter."""
    parked, at = letter.event, decision.at
    return {
        "meta": meta(
            DEAD_LETTERS,
            status,
            source=SOURCE,
            subject=parked["meta"]["subject"],
            version=(at - _BEGINNING) // timedelta(microseconds=1),
            occurred_at=at,
            recorded_at=at,
            mode="derived",
            tenant=parked["meta"]["tenant"],
            company_id=parked["meta"]["company_id"],
            correlation_id=parked["meta"]["correlation_id"],
            causation_id=parked["meta"]["event_id"],
        ),
        "current": {
            **parked["current"],
            "status": status,  # type: ignore[typeddict-item]  # one of the two that a decision may be
            "value": None,
            "headers": {},
            "letter_id": letter.identity,
            "decided_by": decision.by,
            "note": decision.note,
        },
    }
