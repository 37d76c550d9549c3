"""Topics as code: what the registry declares, compared with what a cluster has.

Rules
- Nothing is deleted and nothing shrinks. What would lose records, or would move keys to other partitions, is shown and left to
  a person.
- Applying a plan twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the client's public names, exported without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from infra.errors import Fatal, Transient
from infra.kafka.clients import admin, broker_answers
from infra.kafka.reader import latest_offsets
from infra.settings import KafkaSettings
from schemas.topics import TOPICS, Topic

log = structlog.get_logger()
TIMEOUT = 30.0

Kind = Literal["create", "alter", "differs"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `create` and `alter` are applied; `differs` is left to a person, and `why` says so.

    `setting` is `partitions` or the name of a setting; for `create` it is empty and `wanted` tells partitions and settings.
    """

    kind: Kind
    topic: str
    setting: str
    wanted: str
    found: str
    why: str = ""

    def __str__(self) -> str:
        """The change as a line of a diff."""
        if self.kind == "create":
            return f"+ {self.topic}: {self.wanted}"
        sign = "~" if self.kind == "alter" else "!"
        return f"{sign} {self.topic}: {self.setting} is {self.found}, declared {self.wanted}" + (
            f" ({self.why})" if self.why else ""
        )


def plan(settings: KafkaSettings, declared: Iterable[Topic] | None = None) -> list[Change]:
    """The differences between the registry (or these topics) and the cluster, in the registry's order; none when all is well.

    Raises `Transient` when the cluster does not answer, `Fatal` when it refuses.
    """
    wanted = list(TOPICS.values() if declared is None else declared)
    broker_answers(settings)
    client = admin(settings)
    try:
        found = client.list_topics(timeout=TIMEOUT).topics
        there = [topic for topic in wanted if topic.name in found]
        resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in there]
        asked = client.describe_configs(resources, request_timeout=TIMEOUT) if resources else {}
        configs = {resource.name: _values(future) for resource, future in asked.items()}
    except KafkaException as error:
        raise _failure("asking for the topics", error) from error
    changes: list[Change] = []
    for topic in wanted:
        if topic.name not in found:
            settled = ", ".join(f"{key}={value}" for key, value in topic.config.items())
            changes.append(Change("create", topic.name, "", f"{topic.partitions} partitions, {settled}", ""))
        else:
            changes += differences(topic, len(found[topic.name].partitions), configs[topic.name])
    return changes


def differences(topic: Topic, partitions: int, config: Mapping[str, str | None]) -> list[Change]:
    """What a topic that exists has otherwise than declared. Pure."""
    changes: list[Change] = []
    if partitions != topic.partitions:
        why = "more partitions would move keys, fewer cannot be had: move to a new version of the topic"
        changes.append(Change("differs", topic.name, "partitions", str(topic.partitions), str(partitions), why))
    for setting, wanted in topic.config.items():
        found = config.get(setting)
        if found != wanted:
            why = _loss(setting, wanted, found)
            changes.append(Change("differs" if why else "alter", topic.name, setting, wanted, found or "unset", why))
    return changes


def _loss(setting: str, wanted: str, found: str | None) -> str:
    """What a change of a setting would lose; empty where it loses nothing."""
    if setting == "cleanup.policy":
        return "another clean-up policy deletes records"
    if setting.startswith("retention.") and found is not None:
        for_ever = {"-1": float("inf")}
        if for_ever.get(wanted, float(wanted)) < for_ever.get(found, float(found)):
            return "a shorter retention deletes records"
    return ""


def apply(settings: KafkaSettings, changes: Iterable[Change], declared: Iterable[Topic] | None = None) -> list[Change]:
    """Carry out what may be carried out, and return it. A topic that somebody else made in between is fine.

    Raises `Transient` or `Fatal` that names the topic.
    """
    contracts = {topic.name: topic for topic in (TOPICS.values() if declared is None else declared)}
    todo = [change for change in changes if change.kind != "differs"]
    client = admin(settings)
    _create(client, settings, [contracts[change.topic] for change in todo if change.kind == "create"])
    _alter(client, [change for change in todo if change.kind == "alter"])
    for change in todo:
        log.info("topic_changed", topic=change.topic, kind=change.kind, setting=change.setting, wanted=change.wanted)
    return todo


def _create(client: AdminClient, settings: KafkaSettings, topics: list[Topic]) -> None:
    if not topics:
        return
    new = [NewTopic(t.name, t.partitions, settings.replication_factor, config=t.config) for t in topics]
    for name, future in client.create_topics(new, request_timeout=TIMEOUT).items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise _failure(f"creating {name}", error) from error
    latest_offsets(settings, {t.name: t.partitions for t in topics})  # answers once every partition has a leader


def _alter(client: AdminClient, changes: list[Change]) -> None:
    if not changes:
        return
    by_topic: dict[str, list[ConfigEntry]] = {}
    for change in changes:
        by_topic.setdefault(change.topic, []).append(
            ConfigEntry(change.setting, change.wanted, incremental_operation=AlterConfigOpType.SET)
        )
    resources = [
        ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries) for name, entries in by_topic.items()
    ]
    for resource, future in client.incremental_alter_configs(resources, request_timeout=TIMEOUT).items():
        try:
            future.result()
        except KafkaException as error:
            raise _failure(f"altering {resource.name}", error) from error


def _values(future: Future[dict[str, Any]]) -> dict[str, str | None]:
    return {name: entry.value for name, entry in future.result().items()}


def _failure(doing: str, error: KafkaException) -> Fatal | Transient:
    cause = error.args[0]
    sentence = f"{doing} failed: {cause.str()} ({cause.name()})"
    if cause.retriable() or cause.code() in {KafkaError._TRANSPORT, KafkaError._TIMED_OUT}:  # noqa: SLF001
        return Transient(sentence, remedy="is the broker up? `burnline broker status` tells")
    return Fatal(sentence, remedy="mend what the broker names: rights, replication factor, or a setting's value")
