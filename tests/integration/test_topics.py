"""Topics as code, on a real broker: a plan is applied once, and what would lose something waits for a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from infra.errors import Fatal
from infra.kafka import topics
from infra.kafka.access import domain
from infra.kafka.changes import Allowance, Change, Kind
from infra.kafka.clients import admin, producer
from infra.kafka.reader import partitions_of, read_to_end
from infra.kafka.states import missing, states
from infra.settings import KafkaSettings
from schemas.topics import TOPICS, Topic

pytestmark = pytest.mark.kafka


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka_bootstrap)


@pytest.fixture
def declared(topic_prefix: str) -> list[Topic]:
    return [replace(topic, name=topic_prefix + topic.name) for topic in TOPICS.values()]


def refused(changes: list[Change]) -> dict[str, bool]:
    return {change.item: change.refused for change in changes}


def test_the_registry_is_created_as_declared_and_a_second_plan_is_empty(
    kafka: KafkaSettings, declared: list[Topic]
) -> None:
    changes = topics.plan(kafka, declared)
    assert [(change.kind, change.what) for change in changes] == [(Kind.CREATE, topic.name) for topic in declared]
    assert missing(kafka, [topic.name for topic in declared]) == [topic.name for topic in declared]
    assert topics.apply(kafka, changes, declared) == changes
    assert topics.plan(kafka, declared) == []
    assert [len(partitions_of(kafka, topic.name)) for topic in declared] == [topic.partitions for topic in declared]
    assert missing(kafka, [topic.name for topic in declared]) == []


def test_what_can_be_mended_is_and_what_would_lose_records_waits_until_it_is_allowed(
    kafka: KafkaSettings, declared: list[Topic]
) -> None:
    topic = declared[0]
    old = replace(topic, compacted=False, partitions=3, extra={"retention.ms": "2000", "segment.ms": "60000"})
    topics.apply(kafka, topics.plan(kafka, [old]), [old])
    new = replace(topic, compacted=True, partitions=6, extra={"retention.ms": "1000", "segment.ms": "70000"})
    changes = topics.plan(kafka, [new])
    assert refused(changes) == {"partitions": True, "cleanup.policy": True, "retention.ms": True, "segment.ms": False}
    assert [change.item for change in topics.apply(kafka, changes, [new])] == ["segment.ms"]
    assert refused(topics.plan(kafka, [new])) == {"partitions": True, "cleanup.policy": True, "retention.ms": True}
    allow = Allowance(data_loss=frozenset({topic.name}), repartition=frozenset({topic.name}))
    topics.apply(kafka, topics.plan(kafka, [new], allow=allow), [new])
    assert topics.plan(kafka, [new]) == []
    assert len(partitions_of(kafka, topic.name)) == 6


def test_fewer_partitions_are_had_by_deleting_and_only_where_that_is_allowed(
    kafka: KafkaSettings, declared: list[Topic]
) -> None:
    topic = next(one for one in declared if one.name.endswith("finance.invoice.v1"))
    wide = replace(topic, partitions=4)
    topics.apply(kafka, topics.plan(kafka, [wide]), [wide])
    writer = producer(kafka)
    writer.produce(topic.name, b"a record", b"a key")
    assert writer.flush(30) == 0
    narrow = replace(topic, partitions=2)
    (change,) = topics.plan(kafka, [narrow])
    assert change.kind is Kind.RECREATE
    assert topics.apply(kafka, [change], [narrow]) == []
    assert len(list(read_to_end(kafka, topic.name))) == 1
    changes = topics.plan(kafka, [narrow], allow=Allowance(deletion=frozenset({topic.name})))
    topics.apply(kafka, changes, [narrow])
    assert topics.plan(kafka, [narrow]) == []
    assert list(read_to_end(kafka, topic.name)) == []


def test_what_was_set_by_hand_shows_as_drift_and_is_taken_away_when_pruning(
    kafka: KafkaSettings, declared: list[Topic]
) -> None:
    topic = next(one for one in declared if one.name.endswith("delivery.timesheet.v1"))
    topics.apply(kafka, topics.plan(kafka, [topic]), [topic])
    by_hand = [
        ConfigEntry("segment.ms", "86400000", incremental_operation=AlterConfigOpType.SET),
        ConfigEntry("max.message.bytes", "2000000", incremental_operation=AlterConfigOpType.SET),
    ]
    resource = ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=by_hand)
    client = admin(kafka)
    for future in client.incremental_alter_configs([resource]).values():
        future.result(30)
    drift = topics.plan(kafka, [topic])
    assert [(change.kind, change.item, change.before, change.refused) for change in drift] == [
        (Kind.ALTER, "max.message.bytes", "2000000", True),
        (Kind.RESET, "segment.ms", "86400000", True),
    ]
    assert topics.apply(kafka, drift, [topic]) == []
    pruned = topics.plan(kafka, [topic], allow=Allowance(prune=True))
    assert [change.item for change in topics.apply(kafka, pruned, [topic])] == ["segment.ms"]
    assert [change.item for change in topics.plan(kafka, [topic])] == ["max.message.bytes"]
    both = Allowance(prune=True, data_loss=frozenset({topic.name}))
    topics.apply(kafka, topics.plan(kafka, [topic], allow=both), [topic])
    assert topics.plan(kafka, [topic]) == []


def test_a_topic_nobody_declares_is_told_of_and_deleted_only_by_name(
    kafka: KafkaSettings, declared: list[Topic]
) -> None:
    topic = declared[0]
    former, domains = topic.name.replace(".v1", ".v0"), {domain(topic.name)}
    topics.apply(kafka, topics.plan(kafka, [topic]), [topic])
    client = admin(kafka)
    for future in client.create_topics([NewTopic(former, 1, 1)]).values():
        future.result(30)
    (stranger,) = topics.plan(kafka, [topic], domains=domains)
    assert (stranger.kind, stranger.what, stranger.refused) == (Kind.DELETE, former, True)
    assert topics.apply(kafka, [stranger], [topic]) == []
    assert former in states(kafka, [former])
    allow = Allowance(deletion=frozenset({former}))
    topics.apply(kafka, topics.plan(kafka, [topic], domains=domains, allow=allow), [topic])
    assert topics.plan(kafka, [topic], domains=domains) == []
    assert missing(kafka, [former]) == [former]


def test_copies_are_never_moved_nor_a_quorum_asked_for_that_nobody_could_reach(
    kafka: KafkaSettings, declared: list[Topic]
) -> None:
    topic = declared[0]
    topics.apply(kafka, topics.plan(kafka, [topic]), [topic])
    changes = topics.plan(kafka.model_copy(update={"replication_factor": 3}), [topic])
    assert refused(changes) == {"replicas": True, "min.insync.replicas": True}


def test_more_copies_than_brokers_is_told_in_the_broker_s_words(kafka: KafkaSettings, declared: list[Topic]) -> None:
    three = kafka.model_copy(update={"replication_factor": 3})
    with pytest.raises(
        Fatal, match=r"creating .*people\.consultant\.v1 failed: .*INVALID_REPLICATION_FACTOR"
    ) as caught:
        topics.apply(three, topics.plan(three, declared[:1]), declared[:1])
    assert "replication factor" in caught.value.remedy


def test_a_topic_that_somebody_made_in_between_is_fine(kafka: KafkaSettings, declared: list[Topic]) -> None:
    changes = topics.plan(kafka, declared[:1])
    topics.apply(kafka, changes, declared[:1])
    topics.apply(kafka, changes, declared[:1])
    assert topics.plan(kafka, declared[:1]) == []
