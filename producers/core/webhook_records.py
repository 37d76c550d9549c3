"""What comes in, as it is recorded: a signed delivery byte for byte, and an unsigned post of Odoo as a hint.

Rules
- A delivery's event id follows from its sender and its `webhook-id` alone: sent again, even after a restart, it is the same event.
- Odoo's posts are unsigned snapshots from inside a transaction. They say which record to read again, and nothing else of
  them is believed; they are keyed like that record.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from producers.core.messages.base import EPOCH
from schemas.errors import PoisonMessage
from schemas.events import meta, odoo_key
from schemas.records import WebhookDelivery, WebhookDeliveryEvent
from schemas.topics import topic

DELIVERIES = topic("ops.webhook.v1")
ODOO = "odoo"
LONGEST_ACTION = 200
_MODEL = re.compile(r"[a-z_][a-z0-9_.]{0,126}")


@dataclass(frozen=True, slots=True)
class Hint:
    """The record that an Odoo automation rule points at."""

    model: str
    record_id: int
    action: str | None


def hint(content: Any) -> Hint:
    """The hint in the parsed body of Odoo's post. Raises `PoisonMessage` where it names no record."""
    if not isinstance(content, dict):
        raise PoisonMessage(
            "the body is no JSON object", remedy="send what an Odoo automation rule of type webhook sends"
        )
    model, record_id, action = content.get("_model"), content.get("_id"), content.get("_action")
    if not isinstance(model, str) or not _MODEL.fullmatch(model):
        raise PoisonMessage("_model names no Odoo model", remedy="use an automation rule of Odoo 17 or later")
    if not isinstance(record_id, int) or isinstance(record_id, bool) or not 0 < record_id < 1 << 31:
        raise PoisonMessage("_id is no id of a record", remedy="use an automation rule of Odoo 17 or later")
    return Hint(model, record_id, str(action)[:LONGEST_ACTION] if action else None)


def delivery_event(
    *, source: str, delivery_id: str, database: str, received_at: datetime, content_type: str, body: bytes
) -> WebhookDeliveryEvent:
    """A verified delivery, as it came in."""
    return _event(
        {
            "delivery_id": delivery_id,
            "webhook_source": source,
            "verified": True,
            "received_at": received_at,
            "content_type": content_type,
            "body": body,
            "model": None,
            "record_id": None,
            "action": None,
        },
        subject=f"{source}:delivery:{delivery_id}",
        version=1,
        database=database,
    )


def hint_event(
    found: Hint, *, delivery_id: str, database: str, received_at: datetime, content_type: str, body: bytes
) -> WebhookDeliveryEvent:
    """An unsigned post of Odoo, under the key of its record. `delivery_id` is a fresh UUID: the post has none."""
    return _event(
        {
            "delivery_id": delivery_id,
            "webhook_source": ODOO,
            "verified": False,
            "received_at": received_at,
            "content_type": content_type,
            "body": body,
            "model": found.model,
            "record_id": found.record_id,
            "action": found.action,
        },
        subject=odoo_key(database, found.model, found.record_id),
        version=(received_at - EPOCH) // timedelta(microseconds=1),
        database=database,
    )


def _event(delivery: WebhookDelivery, *, subject: str, version: int, database: str) -> WebhookDeliveryEvent:
    received_at = delivery["received_at"]
    return {
        "meta": meta(
            DELIVERIES,
            "received",
            source=delivery["webhook_source"],
            subject=subject,
            version=version,
            occurred_at=received_at,
            recorded_at=received_at,
            mode="webhook" if delivery["verified"] else "hint",
            tenant=database,
            company_id=None,
        ),
        "current": delivery,
    }
