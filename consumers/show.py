"""The measures as they stand: the latest record of each subject, with names joined in from the topics that hold them.

Order: by subject's number. A subject whose last record is a tombstone is gone. Records that cannot be decoded are an error here, since
a table that silently lacks a row is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from consumers.core.views import budget_burn_view, dispute_view, utilization_view
from infra.errors import PoisonMessage
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings, Settings
from schemas import codec


def utilization(settings: Settings) -> Iterator[dict[str, Any]]:
    """Consultants, in the form of `consumers.core.views`. Raises `Transient` for a broker that fails, `PoisonMessage`."""
    names = _names(settings.kafka, "people.consultant.v1", "name")
    for subject, measure in _measures(settings.kafka, "measure.utilization.v1"):
        yield utilization_view(subject, measure, names)


def budget_burn(settings: Settings) -> Iterator[dict[str, Any]]:
    """Projects, in the form of `consumers.core.views`. Raises `Transient` for a broker that fails, `PoisonMessage`."""
    names = _names(settings.kafka, "delivery.project.v1", "name")
    for subject, measure in _measures(settings.kafka, "measure.budget-burn.v1"):
        yield budget_burn_view(subject, measure, names)


def disputes(settings: Settings) -> Iterator[dict[str, Any]]:
    """Disputed invoices, in the form of `consumers.core.views`. Raises `Transient` for a broker that fails, `PoisonMessage`."""
    numbers = _names(settings.kafka, "finance.invoice.v1", "number")
    clients = _names(settings.kafka, "sales.client.v1", "name")
    for subject, measure in _measures(settings.kafka, "measure.dispute-aging.v1"):
        yield dispute_view(subject, measure, numbers, clients)


def _latest(kafka: KafkaSettings, topic: str) -> dict[str, Any]:
    """The last event of each key; a tombstone removes its key."""
    values: dict[bytes, tuple[bytes, str]] = {}
    for record in read_to_end(kafka, topic):
        key, value = record.key() or b"", record.value()
        if value is None:
            values.pop(key, None)
        else:
            values[key] = value, f"partition {record.partition()}, offset {record.offset()}"
    return {key.decode(): _decoded(topic, *found) for key, found in values.items()}


def _decoded(topic: str, value: bytes, place: str) -> Any:
    try:
        return codec.decode(value).value
    except PoisonMessage as error:
        raise PoisonMessage(f"{topic}, {place}: {error}", remedy=error.remedy) from error


def _names(kafka: KafkaSettings, topic: str, field: str) -> dict[int, str]:
    """The name of each record that exists, by its Odoo id."""
    currents = (event["current"] for event in _latest(kafka, topic).values())
    return {current["id"]: current[field] for current in currents if current is not None and current[field]}


def _measures(kafka: KafkaSettings, topic: str) -> list[tuple[str, Any]]:
    found = [(subject, event["current"]) for subject, event in _latest(kafka, topic).items()]
    return sorted(found, key=lambda pair: _order(pair[0]))


def _order(subject: str) -> tuple[str, int]:
    kind, _, number = subject.rpartition(":")
    return (kind, int(number)) if number.isdecimal() else (subject, 0)
