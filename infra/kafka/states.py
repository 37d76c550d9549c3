"""What a cluster has: topics, their widths, copies and settings.

A topic that may not be seen is told from one that is not there: the list of all topics leaves out both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the client's public names, exported without saying so
    AdminClient,
    ConfigResource,
    ConfigSource,
    ResourceType,
)

from infra.kafka.changes import TopicState
from infra.kafka.clients import admin, broker_answers
from infra.kafka.failures import cause_of, failure
from infra.settings import KafkaSettings

TIMEOUT = 30.0


def missing(settings: KafkaSettings, names: Iterable[str]) -> list[str]:
    """Which of these topics the cluster does not have.

    Raises `Transient` when the cluster does not answer, `Fatal` when it refuses, or hides one of them.
    """
    broker_answers(settings)
    wanted = list(names)
    found = _visible(admin(settings), wanted)
    return [name for name in wanted if name not in found]


def states(settings: KafkaSettings, names: Collection[str], domains: Collection[str] = ()) -> dict[str, TopicState]:
    """These topics, and those whose names begin with one of `domains`, as the cluster has them. Raises as `missing` does."""
    broker_answers(settings)
    client = admin(settings)
    found = _visible(client, names)
    there = [name for name in found if name in names or name.startswith(tuple(domains))]
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in there]
    try:
        asked = client.describe_configs(resources, request_timeout=TIMEOUT) if resources else {}
        configs = {resource.name: future.result() for resource, future in asked.items()}
    except KafkaException as error:
        raise failure("asking for the topics' settings", error) from error
    return {name: _state(found[name], configs[name]) for name in there}


def _visible(client: AdminClient, names: Collection[str]) -> Mapping[str, Any]:
    """Every topic that we may see. Raises `Fatal` where one of these is hidden from us."""
    try:
        found = client.list_topics(timeout=TIMEOUT).topics
        unseen = [name for name in names if name not in found]
        asked = client.describe_topics(TopicCollection(unseen), request_timeout=TIMEOUT) if unseen else {}
    except KafkaException as error:
        raise failure("asking for the topics", error) from error
    for name, future in asked.items():
        _not_hidden(name, future)
    return found


def _not_hidden(name: str, future: Future[Any]) -> None:
    try:
        future.result()
    except KafkaException as error:
        if cause_of(error).code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise failure(f"asking for {name}", error) from error


def _state(metadata: Any, config: Mapping[str, Any]) -> TopicState:
    here = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    return TopicState(
        partitions=len(metadata.partitions),
        replicas=min((len(partition.replicas) for partition in metadata.partitions.values()), default=0),
        config={name: entry.value for name, entry in config.items()},
        set_here=frozenset(name for name, entry in config.items() if entry.source == here),
    )
