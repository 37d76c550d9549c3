"""What the present user may do, as the broker itself says: every user may ask this of a topic, a group or the cluster.

It cannot be asked of a transactional id without taking it, which would fence who has it; so that is left out, and said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple

import stamina
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from infra.kafka.access import Operation, Resource, Right, players, rights, wanted
from infra.kafka.clients import admin, broker_answers
from infra.kafka.failures import Refused, cause_of, failure
from infra.kafka.states import TIMEOUT
from infra.settings import Settings
from schemas.topics import TOPICS, Topic

PROBE = "doctor"
"""Put after the beginning of names, to ask of one of them."""


class Standing(NamedTuple):
    """Who we are, our roles, what we lack for them, what could not be asked, and which of our topics are not there."""

    principal: str
    roles: tuple[str, ...]
    lacking: tuple[Right, ...]
    unasked: tuple[Right, ...]
    missing: tuple[str, ...]


def standing(settings: Settings, declared: Iterable[Topic] | None = None) -> Standing | None:
    """What we lack for the roles we play; None where we have no name (without SASL the broker's name for us is not known).

    Raises `Transient` when the cluster does not answer.
    """
    if settings.kafka.sasl_username is None:
        return None
    topics = list(TOPICS.values() if declared is None else declared)
    principal = f"User:{settings.kafka.sasl_username}"
    playing = players(settings.access, rights(topics, settings))
    roles = tuple(role for role, principals in playing.items() if principal in principals)
    needed = sorted(acl.right for acl in wanted(topics, settings) if acl.principal == principal)
    broker_answers(settings.kafka)
    client = admin(settings.kafka)
    concerned = {topic.name: [right for right in needed if _about(right, topic.name)] for topic in topics}
    allowed, missing = _on_topics(client, [name for name, found in concerned.items() if found])
    lacking = {
        right
        for name, found in concerned.items()
        for right in found
        if name in allowed and right.operation not in allowed[name]
    }
    groups = {right: right.name + PROBE * right.prefixed for right in needed if right.resource is Resource.GROUP}
    on_groups = _on_groups(client, set(groups.values()))
    lacking |= {right for right, group in groups.items() if right.operation not in on_groups[group]}
    cluster = [right for right in needed if right.resource is Resource.CLUSTER]
    lacking |= {right for right in cluster if right.operation not in _on_cluster(client)}
    unasked = tuple(right for right in needed if right.resource is Resource.TRANSACTIONS)
    return Standing(principal, roles, tuple(sorted(lacking)), unasked, tuple(missing))


_MOVING = frozenset(
    {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS}
)


def _about(right: Right, topic: str) -> bool:
    if right.resource is not Resource.TOPIC:
        return False
    return topic.startswith(right.name) if right.prefixed else topic == right.name


def _on_topics(client: AdminClient, names: list[str]) -> tuple[dict[str, Collection[Operation]], list[str]]:
    """What we may do with each topic that is there or hidden, and which are not there."""
    if not names:
        return {}, []
    asked = client.describe_topics(TopicCollection(names), include_authorized_operations=True, request_timeout=TIMEOUT)
    missing = [name for name, future in asked.items() if _is_missing(future)]
    return _answers("topics", {name: future for name, future in asked.items() if name not in missing}), missing


def _is_missing(future: Future[Any]) -> bool:
    error = future.exception()
    return isinstance(error, KafkaException) and cause_of(error).code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def _on_groups(client: AdminClient, names: Collection[str]) -> dict[str, Collection[Operation]]:
    if not names:
        return {}
    for attempt in stamina.retry_context(on=_is_moving, attempts=6, wait_initial=0.2, wait_max=2.0):
        with attempt:
            asked = client.describe_consumer_groups(
                list(names), include_authorized_operations=True, request_timeout=TIMEOUT
            )
            for future in asked.values():
                if (error := future.exception()) is not None and _is_moving(error):
                    raise error
    return _answers("groups", asked)


def _is_moving(error: BaseException) -> bool:
    """A group's coordinator is just being chosen, or reads what it has to know: soon it answers."""
    return isinstance(error, KafkaException) and cause_of(error).code() in _MOVING


def _on_cluster(client: AdminClient) -> Collection[Operation]:
    asked = client.describe_cluster(include_authorized_operations=True, request_timeout=TIMEOUT)
    return _answers("the cluster", {"": asked})[""]


def _answers(of: str, asked: Mapping[str, Future[Any]]) -> dict[str, Collection[Operation]]:
    found: dict[str, Collection[Operation]] = {}
    for name, future in asked.items():
        try:
            found[name] = {Operation[one.name] for one in future.result().authorized_operations or ()}
        except KafkaException as error:
            told = failure(f"asking what may be done with {of}", error)
            if not isinstance(told, Refused):
                raise told from error
            found[name] = ()
    return found
