"""Laws of plans, on a model of a cluster: what was applied is settled, and nothing is lost that nobody allowed to be lost."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from infra.kafka.access import Acl, Operation, Resource, Right
from infra.kafka.changes import (
    NOTHING,
    Allowance,
    Change,
    Danger,
    Kind,
    TopicState,
    acl_changes,
    settings_of,
    topic_changes,
)
from schemas.topics import TOPICS, Topic

DEFAULTS = {
    "cleanup.policy": "delete",
    "retention.ms": "604800000",
    "min.insync.replicas": "1",
    "max.message.bytes": "1048588",
    "segment.ms": "604800000",
}
"""What the model's broker does where nothing was set."""
NAMES = ["people.a.v1", "people.b.v1", "finance.c.v1"]
DOMAINS = {"people.", "finance."}
PLAYING = {"clock": ("User:burnline-clock",), "capture": ("User:CN=capture",)}
VALUES = {
    "cleanup.policy": ["delete", "compact", "compact,delete"],
    "retention.ms": ["-1", "1000", "2000", "604800000", "9000000000"],
    "max.message.bytes": ["1000", "2000000"],
    "segment.ms": ["1", "2"],
}


class Cluster(NamedTuple):
    topics: dict[str, TopicState]
    acls: frozenset[Acl]


some = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in VALUES.items()})
quorums = st.fixed_dictionaries({}, optional={"min.insync.replicas": st.sampled_from(["1", "2"])})


@st.composite
def states(draw: st.DrawFn) -> TopicState:
    here = draw(some) | draw(quorums)
    return TopicState(draw(st.integers(1, 4)), draw(st.integers(1, 3)), DEFAULTS | here, frozenset(here))


@st.composite
def contracts(draw: st.DrawFn, name: str) -> Topic:
    return replace(
        TOPICS["finance.invoice.v1"],
        name=name,
        partitions=draw(st.integers(1, 4)),
        compacted=draw(st.booleans()),
        extra=draw(some),
    )


rights = st.builds(
    Right,
    st.sampled_from([Resource.TOPIC, Resource.GROUP]),
    st.sampled_from(NAMES),
    st.sampled_from([Operation.READ, Operation.WRITE]),
    st.booleans(),
)
entries = st.builds(
    Acl,
    st.sampled_from(["User:burnline-clock", "User:burnline-former", "User:CN=capture", "User:bob"]),
    rights,
    denied=st.booleans(),
)
clusters = st.builds(Cluster, st.dictionaries(st.sampled_from(NAMES), states()), st.frozensets(entries, max_size=4))
registries = st.lists(st.sampled_from(NAMES), unique=True).flatmap(
    lambda names: st.tuples(*(contracts(name) for name in names))
)
granted = st.frozensets(entries.filter(lambda acl: not acl.denied), max_size=4)
permitted = st.frozensets(st.sampled_from(NAMES))
allowances = st.builds(Allowance, permitted, permitted, permitted, st.booleans())


def planned(cluster: Cluster, registry: tuple[Topic, ...], wanted: frozenset[Acl], replicas: int, allow: Allowance):
    why = dict.fromkeys(wanted, "needed")
    return [
        *topic_changes(registry, cluster.topics, replicas=replicas, allow=allow, domains=DOMAINS),
        *acl_changes(why, cluster.acls, PLAYING, allow=allow),
    ]


def applied(cluster: Cluster, registry: tuple[Topic, ...], replicas: int, changes: list[Change]) -> Cluster:
    """The cluster after what is not refused."""
    topics, acls = dict(cluster.topics), set(cluster.acls)
    made = {topic.name: fresh(topic, replicas) for topic in registry}
    for change in changes:
        if change.refused:
            continue
        match change.kind:
            case Kind.CREATE | Kind.RECREATE:
                topics[change.what] = made[change.what]
            case Kind.DELETE:
                del topics[change.what]
            case Kind.GRANT:
                acls.add(change.acl)
            case Kind.REVOKE:
                acls.remove(change.acl)
            case _:
                topics[change.what] = altered(topics[change.what], change)
    return Cluster(topics, frozenset(acls))


def fresh(topic: Topic, replicas: int) -> TopicState:
    own = settings_of(topic, replicas)
    return TopicState(topic.partitions, replicas, DEFAULTS | own, frozenset(own))


def altered(there: TopicState, change: Change) -> TopicState:
    key = change.item
    match change.kind:
        case Kind.GROW:
            return there._replace(partitions=int(change.after))
        case Kind.ALTER:
            return there._replace(config={**there.config, key: change.after}, set_here=there.set_here | {key})
        case Kind.RESET:
            return there._replace(config={**there.config, key: DEFAULTS[key]}, set_here=there.set_here - {key})
    raise AssertionError(f"{change.kind} is never done from here")


def number(value: str | None) -> float:
    return float("inf") if value == "-1" else float(value or 0)


def lost(before: TopicState, after: TopicState) -> list[str]:
    """What a topic has lost, said without looking at how the plan decides."""
    policies = [set((state.config["cleanup.policy"] or "").split(",")) for state in (before, after)]
    found = [f"{policy} is new" for policy in policies[1] - policies[0]]
    if "delete" in policies[1] and number(after.config["retention.ms"]) < number(before.config["retention.ms"]):
        found.append("kept for shorter")
    found += [
        f"less {setting}"
        for setting in ("min.insync.replicas", "max.message.bytes")
        if number(after.config[setting]) < number(before.config[setting])
    ]
    if after.partitions != before.partitions:
        found.append("keys have moved")
    return found


@given(clusters, registries, granted, st.integers(1, 3), allowances)
def test_what_was_applied_leaves_only_what_was_refused(cluster, registry, wanted, replicas, allow):
    changes = planned(cluster, registry, wanted, replicas, allow)
    after = applied(cluster, registry, replicas, changes)
    again = planned(after, registry, wanted, replicas, allow)
    assert all(change.refused for change in again)
    assert {(c.what, c.item) for c in again} <= {(c.what, c.item) for c in changes if c.refused}


@given(clusters, registries, granted, st.integers(1, 3))
def test_with_everything_allowed_only_the_impossible_is_left(cluster, registry, wanted, replicas):
    everything = frozenset(NAMES)
    allow = Allowance(everything, everything, everything, prune=True)
    after = applied(cluster, registry, replicas, planned(cluster, registry, wanted, replicas, allow))
    left = planned(after, registry, wanted, replicas, allow)
    assert all(change.danger is Danger.IMPOSSIBLE for change in left)
    copies = {state.replicas for name, state in cluster.topics.items() if name in {t.name for t in registry}}
    if copies <= {replicas}:
        assert left == []


@given(clusters, registries, granted, st.integers(1, 3), st.booleans())
def test_nothing_is_lost_that_nobody_allowed(cluster, registry, wanted, replicas, prune):
    allow = NOTHING._replace(prune=prune)
    after = applied(cluster, registry, replicas, planned(cluster, registry, wanted, replicas, allow))
    assert cluster.topics.keys() <= after.topics.keys()
    assert {name: lost(state, after.topics[name]) for name, state in cluster.topics.items()} == {
        name: [] for name in cluster.topics
    }
    if not prune:
        assert cluster.acls <= after.acls
    strangers = {acl for acl in cluster.acls if acl.principal == "User:bob"}
    assert strangers <= after.acls


@given(clusters, registries, granted, st.integers(1, 3), st.sampled_from(NAMES))
def test_what_is_allowed_for_one_topic_harms_no_other(cluster, registry, wanted, replicas, name):
    allow = Allowance(frozenset({name}), frozenset({name}), frozenset({name}))
    after = applied(cluster, registry, replicas, planned(cluster, registry, wanted, replicas, allow))
    for other, state in cluster.topics.items():
        if other != name:
            assert lost(state, after.topics[other]) == []
