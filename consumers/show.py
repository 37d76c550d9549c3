"""The measures as they stand: the latest record of each subject, with names joined in from the topics that hold them.

Order: by subject's number. A subject whose last record is a tombstone is gone. One whose last record cannot be read is `told` of, and
missing: a table that silently lacks a row is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from confluent_kafka import Message

from consumers.core.views import budget_burn_view, dispute_view, doubt_view, proposal_views, utilization_view
from infra.errors import PoisonMessage
from infra.kafka.reader import read_to_end
from infra.kafka.unread import Told, logged, unread
from infra.settings import KafkaSettings, Settings
from schemas import codec
from schemas.topics import TOPICS, Topic, topic

MEASURE = "measure."


def utilization(settings: Settings, told: Told = logged) -> Iterator[dict[str, Any]]:
    """Consultants, in the form of `consumers.core.views`. Raises `Transient` for a broker that fails."""
    names = _names(settings.kafka, topic("people.consultant.v1"), "name", told)
    for subject, measure in _measures(settings.kafka, topic("measure.utilization.v1"), told):
        yield utilization_view(subject, measure, names)


def budget_burn(settings: Settings, told: Told = logged) -> Iterator[dict[str, Any]]:
    """Projects, in the form of `consumers.core.views`. Raises `Transient` for a broker that fails."""
    names = _names(settings.kafka, topic("delivery.project.v1"), "name", told)
    for subject, measure in _measures(settings.kafka, topic("measure.budget-burn.v1"), told):
        yield budget_burn_view(subject, measure, names)


def disputes(settings: Settings, told: Told = logged) -> Iterator[dict[str, Any]]:
    """Disputed invoices, in the form of `consumers.core.views`. Raises `Transient` for a broker that fails."""
    numbers = _names(settings.kafka, topic("finance.invoice.v1"), "number", told)
    clients = _names(settings.kafka, topic("sales.client.v1"), "name", told)
    for subject, measure in _measures(settings.kafka, topic("measure.dispute-aging.v1"), told):
        yield dispute_view(subject, measure, numbers, clients)


def quality(settings: Settings, told: Told = logged) -> Iterator[dict[str, Any]]:
    """Whatever any measure says against itself, in the form of `consumers.core.views`. Raises `Transient` for a broker that fails."""
    for source in TOPICS.values():
        if source.name.startswith(MEASURE):
            name = source.name.removeprefix(MEASURE).rpartition(".")[0]
            doubts = (doubt_view(name, *found) for found in _measures(settings.kafka, source, told))
            yield from (doubt for doubt in doubts if doubt is not None)


def proposals(settings: Settings, told: Told = logged) -> list[dict[str, Any]]:
    """What the assistant thinks of alerts in force, and whatever is about none, in the form of `consumers.core.views`: the most urgent alerts first.

    Raises `Transient` for a broker that fails.
    """
    ended = {
        event["current"]["alert_id"]
        for event in _each(settings.kafka, topic("governance.alert.v1"), told)
        if event["current"]["status"] == "cleared"
    }
    proposed = [event["current"] for _, event in _latest(settings.kafka, topic("governance.proposal.v1"), told)]
    return proposal_views(one for one in proposed if one["alert_id"] not in ended)


def _each(kafka: KafkaSettings, source: Topic, told: Told) -> Iterator[Any]:
    """Every event that can be read."""
    for record in read_to_end(kafka, source.name):
        if record.value() is None:
            continue
        try:
            yield codec.decode_as(source.record, record.value() or b"")
        except PoisonMessage as error:
            told(unread(record, error))


def _latest(kafka: KafkaSettings, source: Topic, told: Told) -> Iterator[tuple[str, Any]]:
    """The last event of each key; a tombstone removes its key."""
    last: dict[bytes, Message] = {}
    for record in read_to_end(kafka, source.name):
        key = record.key() or b""
        if record.value() is None:
            last.pop(key, None)
        else:
            last[key] = record
    for key, record in last.items():
        try:
            yield key.decode("utf-8", "replace"), codec.decode_as(source.record, record.value() or b"")
        except PoisonMessage as error:
            told(unread(record, error))


def _names(kafka: KafkaSettings, source: Topic, field: str, told: Told) -> dict[int, str]:
    """The name of each record that exists, by its Odoo id."""
    currents = (event["current"] for _, event in _latest(kafka, source, told))
    return {current["id"]: current[field] for current in currents if current is not None and current[field]}


def _measures(kafka: KafkaSettings, source: Topic, told: Told) -> list[tuple[str, Any]]:
    found = [(subject, event["current"]) for subject, event in _latest(kafka, source, told)]
    return sorted(found, key=lambda pair: _order(pair[0]))


def _order(subject: str) -> tuple[str, int]:
    kind, _, number = subject.rpartition(":")
    return (kind, int(number)) if number.isdecimal() else (subject, 0)
