"""What is acted upon: alerts, and the duties that the governor makes of those which have to wait, or of those that nobody has answered.

Each is followed by a membership of its own, so that a duty never waits behind an alert.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import Message

from consumers.core.plan import Planned, plan, plan_duty
from consumers.core.policy import Policy
from infra.errors import PoisonMessage
from infra.kafka.names import duties_group
from infra.settings import ActionSettings
from schemas import contents
from schemas.events import refuse_contradiction
from schemas.topics import Topic, topic

ALERTS = topic("governance.alert.v1")
DUTIES = topic("governance.duty.v1")


@dataclass(frozen=True, slots=True)
class Source:
    """A topic, the group that follows it, and the actions that a record asks for; `planned` raises `PoisonMessage` for what cannot be read."""

    topic: Topic
    group: str
    planned: Callable[[Message, Policy], tuple[Planned, ...]]


def sources(settings: ActionSettings) -> tuple[Source, ...]:
    """Everything that is followed."""
    return (
        Source(ALERTS, settings.group, _of_alert),
        Source(DUTIES, duties_group(settings.group), _of_duty),
    )


def _of_alert(record: Message, policy: Policy) -> tuple[Planned, ...]:
    alert = contents.read("governance.alert.v1", _value(record))
    refuse_contradiction(record.headers(), alert["meta"])
    return plan(alert, policy)


def _of_duty(record: Message, policy: Policy) -> tuple[Planned, ...]:
    duty = contents.read("governance.duty.v1", _value(record))
    refuse_contradiction(record.headers(), duty["meta"])
    return plan_duty(duty, policy)


def _value(record: Message) -> bytes:
    value = record.value()
    if value is None:
        raise PoisonMessage(
            "a record is empty", remedy="find the producer: alerts and duties are never deleted", reason="empty"
        )
    return value
