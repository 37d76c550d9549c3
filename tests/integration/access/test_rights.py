"""Who may do what on a real broker with ACLs on: each role what the registry says of it, with its own name, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # exported without saying so

from infra.errors import Fatal
from infra.kafka import acls, topics
from infra.kafka.access import STEWARD, Operation, rights
from infra.kafka.changes import Allowance
from infra.kafka.clients import admin, consumer, producer, transactional_producer
from infra.kafka.failures import Refused
from infra.kafka.names import scratch_group
from infra.settings import Settings
from schemas.topics import DataClass
from tests.integration.access.conftest import ROLES, Realm
from tests.support.drill import until
from tests.support.guarded import Door

FORBIDDEN = KafkaError.TOPIC_AUTHORIZATION_FAILED


def readable(settings: Settings, names: list[str]) -> set[str]:
    """The topics that are read to their end. Whoever may read a topic may see it, so that what is hidden need not be tried."""
    seen = admin(settings.kafka).list_topics(timeout=30).topics.keys() & set(names)
    reader = consumer(settings.kafka, group=scratch_group("test"), enable_partition_eof=True)
    told: dict[str, int] = {}

    def all_told() -> bool:
        for record in reader.consume(500, 0.2):
            error, topic = record.error(), record.topic()
            if error is not None and topic is not None:
                told[topic] = error.code()
        return told.keys() >= seen

    try:
        reader.assign([TopicPartition(name, 0, 0) for name in seen])
        until(all_told, f"a word on each topic for {settings.kafka.sasl_username}")
    finally:
        reader.close()
    assert set(told.values()) <= {FORBIDDEN, KafkaError._PARTITION_EOF}
    return {name for name, code in told.items() if code == KafkaError._PARTITION_EOF}


def writable(settings: Settings, names: list[str]) -> set[str]:
    """The topics that take a record; all others refuse it."""
    told: dict[str, int | None] = {}
    writer = producer(settings.kafka, enable_idempotence=False)
    for name in names:
        writer.produce(
            name, b"x", b"k", on_delivery=lambda error, record: told.update({record.topic(): error and error.code()})
        )
    assert writer.flush(30) == 0
    assert set(told.values()) <= {None, FORBIDDEN}
    return {name for name, code in told.items() if code is None}


def test_each_role_reads_and_writes_what_the_registry_says_and_nothing_else(realm: Realm) -> None:
    realm.make(*ROLES)
    names = [topic.name for topic in realm.declared]
    # reading first, since what is written would stand in the way of an end
    read = {role: readable(realm.settings(role), names) for role in ROLES if role != "webhooks"}
    written = {role: writable(realm.settings(role), names) for role in ROLES}
    cleared = {"analytics", "people-analytics"}
    derived = rights(realm.declared, realm.settings())
    for topic in realm.declared:
        teams = {"people-analytics"} if topic.data_class is DataClass.PERSONAL else cleared
        readers = {*topic.subscribers} - {"analytics"} | (teams if "analytics" in topic.subscribers else set())
        # the steward is nobody's publisher or subscriber: what it may is derived for itself
        may = {right.operation for right in derived[STEWARD] if right.name == topic.name}
        readers |= {STEWARD} if Operation.READ in may else set()
        writers = {*topic.publishers} | ({STEWARD} if Operation.WRITE in may else set())
        assert {role for role in read if topic.name in read[role]} == readers, topic.name
        assert {role for role in written if topic.name in written[role]} == writers, topic.name


def join(settings: Settings, group: str, topic: str) -> None:
    """Become a member of a group and get partitions. Raises what it is refused with."""
    member: Consumer = consumer(settings.kafka, group=group)
    assigned: list[object] = []
    failed: list[KafkaError] = []

    def settled() -> bool:
        record = member.poll(0.2)
        if record is not None and (error := record.error()) is not None:
            failed.append(error)
        return bool(assigned or failed)

    try:
        member.subscribe([topic], on_assign=lambda _member, partitions: assigned.extend(partitions))
        until(settled, f"an answer for {group}")
    finally:
        member.close()
    if failed:
        raise KafkaException(failed[0])


def begin(settings: Settings, transactional_id: str) -> None:
    """Take a transactional id. Raises what it is refused with."""
    transactional_producer(settings.kafka, transactional_id, timeout=5)


def make_topic(settings: Settings, name: str) -> None:
    """Make a topic. Raises what it is refused with."""
    client = admin(settings.kafka)
    for future in client.create_topics([NewTopic(name, 1, 1)]).values():
        future.result(30)


def test_groups_transactions_and_the_cluster_are_each_role_s_own(realm: Realm) -> None:
    realm.make("streams", "clock", "capture", "analytics", "actions")
    streams, alerts = realm.settings().streams.group, realm.topic("governance.alert.v1")
    sources, capture = realm.topic("finance.invoice.v1"), f"burnline.capture.{realm.prefix}"
    attempts: list[tuple[str, str, Callable[..., None], tuple[str, ...], bool]] = [
        ("the workers' group is theirs", "streams", join, (streams, sources), True),
        ("data teams have groups named after them", "analytics", join, (f"analytics.{realm.prefix}", sources), True),
        ("nobody joins the workers", "analytics", join, (streams, sources), False),
        ("nor invents a group elsewhere", "analytics", join, (f"{realm.prefix}mine", sources), False),
        ("who acts has a group", "actions", join, (realm.settings().actions.group, alerts), True),
        ("a reader's group commits nothing", "actions", join, (scratch_group("test"), alerts), False),
        ("each worker has a transactional id", "streams", begin, (f"{streams}.worker-9",), True),
        ("a capture has one per database", "capture", begin, (capture,), True),
        ("nobody fences the clock", "capture", begin, ("burnline.clock",), False),
        ("nor the clock a capture", "clock", begin, (capture,), False),
        ("programs make no topics", "streams", make_topic, (realm.topic("internal.mine.v1"),), False),
    ]
    told = {why: answer(attempt, realm.settings(role), *arguments) for why, role, attempt, arguments, _ in attempts}
    assert {why: "AUTHORIZATION_FAILED" not in said for why, said in told.items()} == {
        why: allowed for why, _, _, _, allowed in attempts
    }, told
    assert {said for said in told.values() if "AUTHORIZATION_FAILED" not in said} == {"done"}


def answer(attempt: Callable[..., None], settings: Settings, *arguments: str) -> str:
    try:
        attempt(settings, *arguments)
    except (Refused, KafkaException) as error:
        return str(error)
    return "done"


def test_an_administrator_who_was_let_in_once_does_the_rest(realm: Realm) -> None:
    mine = realm.settings("admin")
    own = f"User:{realm.user('admin')}"
    acls.apply(realm.settings().kafka, [change for change in realm.rights() if change.what == own])
    realm.door.make_users([realm.user("admin")])
    changes = topics.plan(mine.kafka, realm.declared)
    assert len(topics.apply(mine.kafka, changes, realm.declared)) == len(realm.declared)
    given = realm.rights("admin")
    assert len(acls.apply(mine.kafka, given)) == len(given) > 100
    assert topics.plan(mine.kafka, realm.declared) == []
    assert realm.rights("admin") == []
    assert readable(mine, [topic.name for topic in realm.declared]) == set()


def test_a_right_too_many_is_shown_and_taken_away_only_when_pruning(realm: Realm) -> None:
    realm.make()
    root, payments = realm.settings().kafka, realm.topic("finance.payment.v1")
    fewer = [replace(t, subscribers=("capture",)) if t.name == payments else t for t in realm.declared]
    stale = realm.rights(declared=fewer)
    assert [(change.item, change.refused) for change in stale] == [(f"read topic {payments}", True)] * 2
    assert acls.apply(root, stale) == []
    assert realm.rights() == []
    assert len(acls.apply(root, realm.rights(declared=fewer, allow=Allowance(prune=True)))) == 2
    assert realm.rights(declared=fewer) == []


def test_who_may_not_see_the_list_is_told_so_and_not_that_it_is_empty(door: Door) -> None:
    with pytest.raises(Fatal, match="burnline-operator may not see the cluster's ACLs") as caught:
        acls.plan(Settings(kafka=door.kafka("burnline-operator")))
    assert "--no-acls" in caught.value.remedy


def test_a_hidden_topic_is_not_taken_for_a_missing_one(door: Door) -> None:
    with pytest.raises(Refused, match="TOPIC_AUTHORIZATION_FAILED"):
        topics.plan(door.kafka("burnline-clock"))
