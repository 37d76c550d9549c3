"""The latest measures, as any subscriber can read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings
from schemas import codec

NAMES = ("utilization", "budget-burn", "dispute-aging")


def latest(settings: KafkaSettings, *, tenant: str) -> dict[str, dict[str, Mapping[str, Any]]]:
    """The latest values of each measure by subject, of one Odoo database."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name in NAMES:
        values: dict[str, bytes] = {}
        for record in read_to_end(settings, f"measure.{name}.v1"):
            key, data = (record.key() or b"").decode(), record.value()
            if data is None:
                values.pop(key, None)
            elif key.startswith(f"odoo:{tenant}:"):
                values[key] = data
        found[name] = {key: codec.decode(data).value["current"] for key, data in values.items()}
    return found
