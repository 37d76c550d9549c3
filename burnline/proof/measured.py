"""The latest measures, as any subscriber can read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Message

from infra.errors import PoisonMessage
from infra.kafka.reader import read_to_end
from infra.kafka.unread import logged, unread
from infra.settings import KafkaSettings
from schemas import contents

NAMES = ("utilization", "budget-burn", "dispute-aging")


def latest(settings: KafkaSettings, *, tenant: str) -> dict[str, dict[str, Mapping[str, Any]]]:
    """The latest values of each measure by subject, of one Odoo database. One that cannot be read is said in the log, and missing."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name in NAMES:
        values: dict[str, Message] = {}
        for record in read_to_end(settings, f"measure.{name}.v1"):
            key, data = (record.key() or b"").decode(), record.value()
            if data is None:
                values.pop(key, None)
            elif key.startswith(f"odoo:{tenant}:"):
                values[key] = record
        found[name] = {key: value for key, record in values.items() if (value := _current(record)) is not None}
    return found


def _current(record: Message) -> Mapping[str, Any] | None:
    try:
        return contents.read(record.topic() or "", record.value() or b"")["current"]
    except PoisonMessage as error:
        logged(unread(record, error))
        return None
