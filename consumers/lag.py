"""Lag of every consumer group, looked at a few times within a second or two, and judged."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # exported without saying so

from consumers.core.lag_verdict import Sample, Verdict, judge
from infra.errors import Transient
from infra.kafka.clients import admin, broker_answers
from infra.kafka.failures import refusal
from infra.kafka.names import ALONE
from infra.settings import KafkaSettings, Settings

TIMEOUT = 15.0
LOADING = frozenset({KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE})
SPECS: tuple[Any, Any] = (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]  # the client's own
Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class GroupLag:
    """A group on a partition: what it committed (None for nothing yet), where the partition ends, and the verdict."""

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int
    lag: int
    members: int
    verdict: Verdict


def lag(settings: Settings, *, looks: int = 3, interval: float = 0.5) -> list[GroupLag]:
    """Every group on every partition it has committed for, sorted. Takes about `looks` × `interval` seconds.

    Raises `Transient` when the cluster does not answer, `Fatal` when it refuses.
    """
    broker_answers(settings.kafka)
    seen: dict[Place, list[Sample]] = defaultdict(list)
    client = admin(settings.kafka)
    for look in range(looks):
        if look:
            time.sleep(interval)
        for place, sample in _look(client, settings.kafka).items():
            seen[place].append(sample)
    return [
        GroupLag(*place, samples[-1].committed, samples[-1].end, samples[-1].lag, samples[-1].members, judge(samples))
        for place, samples in sorted(seen.items())
    ]


def _look(client: AdminClient, kafka: KafkaSettings) -> dict[Place, Sample]:
    try:
        committed, members = _once_loaded(client)
        places = sorted({(topic, partition) for _, topic, partition in committed})
        begins, ends = (_offsets(client, places, spec) for spec in SPECS)
    except KafkaException as error:
        raise refusal("asking for the groups", error) or Transient(
            f"the groups on {kafka.bootstrap_servers} cannot be asked for: {error.args[0]}",
            remedy="is the broker up? `burnline broker status` tells",
        ) from error
    return {
        (group, topic, partition): Sample(
            offset if offset >= 0 else None,
            begins[topic, partition],
            ends[topic, partition],
            max(members[group], group in ALONE),
        )
        for (group, topic, partition), offset in committed.items()
        if (topic, partition) in ends
    }


def _once_loaded(client: AdminClient) -> tuple[dict[Place, int], dict[str, int]]:
    """As `_committed`, once the broker has read who is in which group: for seconds after its start it says that it is at it."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return _committed(client)
        except KafkaException as error:
            if error.args[0].code() not in LOADING or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _committed(client: AdminClient) -> tuple[dict[Place, int], dict[str, int]]:
    """Committed offsets by place, negative for none, and the number of members by group."""
    listed = client.list_consumer_groups(request_timeout=TIMEOUT).result()
    if (
        listed.errors
    ):  # told apart from what some brokers answered: a table that silently lacks groups is worse than none
        raise KafkaException(*listed.errors)
    groups = [group.group_id for group in listed.valid]
    if not groups:
        return {}, {}
    described = client.describe_consumer_groups(groups, request_timeout=TIMEOUT)
    members = {group: len(future.result().members) for group, future in described.items()}
    found: dict[Place, int] = {}
    for group in groups:
        asked = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=TIMEOUT)
        for place in asked[group].result().topic_partitions or []:
            found[group, place.topic, place.partition] = place.offset
    return found, members


def _offsets(client: AdminClient, places: list[tuple[str, int]], spec: Any) -> dict[tuple[str, int], int]:
    """Offsets of partitions that still exist; the end counts records of open transactions too."""
    if not places:
        return {}
    asked = client.list_offsets({TopicPartition(*place): spec for place in places}, request_timeout=TIMEOUT)
    found = {}
    for place, future in asked.items():
        try:
            found[place.topic, place.partition] = future.result().offset
        except KafkaException as error:
            if error.args[0].name() != "UNKNOWN_TOPIC_OR_PART":  # the topic was deleted, the group's offsets outlive it
                raise
    return found
