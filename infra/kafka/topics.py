"""Topics as code: what the registry declares, compared with what a cluster has, and made so.

Rules
- What is to change, and what of it is refused, is decided in `infra.kafka.changes`; here it is only done.
- Applying a plan twice changes nothing the second time. What was applied is read back before it is believed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the client's public names, exported without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from infra.kafka.access import domain
from infra.kafka.changes import NOTHING, Allowance, Change, Kind, settings_of, topic_changes
from infra.kafka.clients import admin
from infra.kafka.failures import cause_of, failure
from infra.kafka.reader import latest_offsets
from infra.kafka.settled import until_settled
from infra.kafka.states import TIMEOUT, states
from infra.settings import KafkaSettings
from schemas.topics import TOPICS, Topic

log = structlog.get_logger()


def plan(
    settings: KafkaSettings,
    declared: Iterable[Topic] | None = None,
    *,
    allow: Allowance = NOTHING,
    domains: Collection[str] = (),
) -> list[Change]:
    """The differences between the registry (or these topics) and the cluster, in the registry's order; none when all is well.

    Topics that nobody declares are told of where their names begin with one of `domains`; for the whole registry, with one of
    its own. Raises `Transient` when the cluster does not answer, `Fatal` when it refuses.
    """
    wanted = _declared(settings, declared)
    where = frozenset(domains) if declared is not None else frozenset(domain(topic.name) for topic in wanted)
    found = states(settings, [topic.name for topic in wanted], where)
    return topic_changes(wanted, found, replicas=settings.replication_factor, allow=allow, domains=where)


def _declared(settings: KafkaSettings, topics: Iterable[Topic] | None) -> list[Topic]:
    """The topics with what the settings say of all of them, unless a topic says otherwise itself."""
    common = {"max.message.bytes": str(settings.max_message_bytes)}
    every = TOPICS.values() if topics is None else topics
    return [replace(topic, extra={**common, **topic.extra}) for topic in every]


def apply(settings: KafkaSettings, changes: Iterable[Change], declared: Iterable[Topic] | None = None) -> list[Change]:
    """Carry out what is not refused, and return it once the cluster shows it. A topic that somebody else made in between is fine.

    `declared` are the topics that the plan was made for. Raises `Transient` or `Fatal` that names the topic.
    """
    contracts = {topic.name: topic for topic in _declared(settings, declared)}
    todo = [change for change in changes if not change.refused and change.acl is None]
    if not todo:
        return []

    def named(*kinds: Kind) -> list[str]:
        return [change.what for change in todo if change.kind in kinds]

    client, copies = admin(settings), settings.replication_factor
    doomed = named(Kind.DELETE, Kind.RECREATE)
    _delete(client, doomed)
    _create(client, settings, [contracts[name] for name in named(Kind.CREATE, Kind.RECREATE)])
    _grow(client, [contracts[name] for name in named(Kind.GROW)])
    _alter(client, [change for change in todo if change.kind in {Kind.ALTER, Kind.RESET}])
    touched = [contracts[name] for name in dict.fromkeys(change.what for change in todo) if name in contracts]
    until_settled(
        todo,
        lambda: topic_changes(
            touched, states(settings, [t.name for t in touched], doomed), replicas=copies, domains=doomed
        ),
    )
    for change in todo:
        log.info("topic_changed", topic=change.what, kind=change.kind, item=change.item, after=change.after)
    return todo


def _delete(client: AdminClient, names: list[str]) -> None:
    asked = client.delete_topics(names, request_timeout=TIMEOUT) if names else {}
    _done("deleting", asked, KafkaError.UNKNOWN_TOPIC_OR_PART)


def _create(client: AdminClient, settings: KafkaSettings, topics: list[Topic]) -> None:
    if not topics:
        return
    copies = settings.replication_factor
    new = [NewTopic(t.name, t.partitions, copies, config=settings_of(t, copies)) for t in topics]
    _done("creating", client.create_topics(new, request_timeout=TIMEOUT), KafkaError.TOPIC_ALREADY_EXISTS)
    latest_offsets(settings, {t.name: t.partitions for t in topics})  # answers once every partition has a leader


def _grow(client: AdminClient, topics: list[Topic]) -> None:
    if topics:
        wider = [NewPartitions(topic.name, topic.partitions) for topic in topics]
        _done("adding partitions to", client.create_partitions(wider, request_timeout=TIMEOUT))


def _alter(client: AdminClient, changes: list[Change]) -> None:
    by_topic: dict[str, list[ConfigEntry]] = {}
    for change in changes:
        operation = AlterConfigOpType.DELETE if change.kind is Kind.RESET else AlterConfigOpType.SET
        entry = ConfigEntry(change.item, change.after, incremental_operation=operation)
        by_topic.setdefault(change.what, []).append(entry)
    resources = [
        ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries) for name, entries in by_topic.items()
    ]
    if resources:
        asked = client.incremental_alter_configs(resources, request_timeout=TIMEOUT)
        _done("altering", {resource.name: future for resource, future in asked.items()})


def _done(doing: str, asked: Mapping[str, Future[Any]], fine: int | None = None) -> None:
    """Wait for each answer. Raises what went wrong, unless somebody else was faster: then the error is `fine`."""
    for name, future in asked.items():
        try:
            future.result()
        except KafkaException as error:
            if cause_of(error).code() != fine:
                raise failure(f"{doing} {name}", error) from error
