"""A policy on history: what has happened is read from its topics, and nothing is written anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from confluent_kafka import Message

from consumers.core.approvals import alert_of
from consumers.core.policy import Policy
from consumers.core.trial import Happened, Outcome, outcomes
from consumers.directory import read_directory
from infra.errors import PoisonMessage
from infra.kafka.reader import read_to_end
from infra.kafka.unread import logged, unread
from infra.settings import KafkaSettings
from schemas import contents

HISTORY = ("governance.alert.v1", "governance.approval.v1", "governance.action.v1")


def trial(kafka: KafkaSettings, policy: Policy, since: datetime, until: datetime) -> list[Outcome]:
    """What the policy would have done from `since` up to `until`. Raises `Transient` for a broker that fails."""
    history = sorted(_history(kafka), key=lambda happened: happened.at)
    return list(outcomes(policy, read_directory(kafka), history, since, until))


def _history(kafka: KafkaSettings) -> Iterator[Happened]:
    for topic in HISTORY:
        for record in read_to_end(kafka, topic):
            try:
                happened = _happened(topic, record)
            except PoisonMessage as error:
                logged(unread(record, error))
                continue
            if happened is not None:
                yield happened


def _happened(topic: str, record: Message) -> Happened | None:
    data = record.value() or b""
    match topic:
        case "governance.alert.v1":
            alert = contents.read("governance.alert.v1", data)
            return Happened(alert["meta"]["occurred_at"], alert)
        case "governance.approval.v1":
            request = contents.read("governance.approval.v1", data)
            found = alert_of(request)
            return None if found is None else Happened(request["meta"]["occurred_at"], found, request=True)
    action = contents.read("governance.action.v1", data)
    if action["current"]["status"] != "overridden":
        return None
    return Happened(action["meta"]["occurred_at"], action=action["current"])
