"""Topics as code, on a real broker: a plan is applied once, and what would lose something is left to a person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.kafka import topics
from infra.kafka.reader import partitions_of
from infra.settings import KafkaSettings
from schemas.topics import TOPICS, Topic

pytestmark = pytest.mark.kafka


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka_bootstrap)


@pytest.fixture
def declared(topic_prefix: str) -> list[Topic]:
    return [replace(topic, name=topic_prefix + topic.name) for topic in TOPICS.values()]


def test_the_registry_is_created_as_declared_and_a_second_plan_is_empty(
    kafka: KafkaSettings, declared: list[Topic]
) -> None:
    changes = topics.plan(kafka, declared)
    assert [(change.kind, change.topic) for change in changes] == [("create", topic.name) for topic in declared]
    assert topics.apply(kafka, changes, declared) == changes
    assert topics.plan(kafka, declared) == []
    assert [len(partitions_of(kafka, topic.name)) for topic in declared] == [topic.partitions for topic in declared]


def test_what_can_be_mended_is_and_what_would_lose_records_is_left(kafka: KafkaSettings, declared: list[Topic]) -> None:
    topic = declared[0]
    old = replace(topic, compacted=False, partitions=3, extra={"retention.ms": "1000", "segment.ms": "60000"})
    topics.apply(kafka, topics.plan(kafka, [old]), [old])
    new = replace(topic, compacted=True, partitions=6, extra={"retention.ms": "2000", "segment.ms": "70000"})
    changes = topics.plan(kafka, [new])
    assert {(change.kind, change.setting) for change in changes} == {
        ("differs", "partitions"),
        ("differs", "cleanup.policy"),
        ("alter", "retention.ms"),
        ("alter", "segment.ms"),
    }
    topics.apply(kafka, changes, [new])
    assert {change.setting for change in topics.plan(kafka, [new])} == {"partitions", "cleanup.policy"}


def test_a_topic_that_somebody_made_in_between_is_fine(kafka: KafkaSettings, declared: list[Topic]) -> None:
    changes = topics.plan(kafka, declared[:1])
    topics.apply(kafka, changes, declared[:1])
    topics.apply(kafka, changes, declared[:1])
    assert topics.plan(kafka, declared[:1]) == []
