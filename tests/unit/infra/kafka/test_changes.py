"""What differs between the registry and a cluster, and which of it nobody does without being allowed to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.kafka.access import Acl, Operation, Resource, Right
from infra.kafka.changes import (
    NOTHING,
    Allowance,
    Danger,
    Kind,
    TopicState,
    acl_changes,
    settings_of,
    topic_changes,
)
from schemas.topics import STEPS_KEPT, TOPICS

EVENTS = TOPICS["delivery.timesheet.v1"]
CLOCK = TOPICS["ops.clock.v1"]
ACTIONS = TOPICS["governance.action.v1"]
STATE = TOPICS["internal.budget-burn-state.v1"]
KEPT = {"cleanup.policy": "delete", "retention.ms": "-1", "min.insync.replicas": "1"}
COMPACTED = {"cleanup.policy": "compact", "retention.ms": "604800000", "min.insync.replicas": "1"}
HERE = frozenset(KEPT)
ONE = frozenset({"people.stranger.v1", EVENTS.name, CLOCK.name, STATE.name})


def there(topic, config=None, *, partitions=6, replicas=1, set_here=frozenset()):
    return {topic.name: TopicState(partitions, replicas, config or KEPT, set_here)}


@pytest.mark.parametrize(
    ("topic", "found", "expected"),
    [
        pytest.param(EVENTS, there(EVENTS), [], id="as declared"),
        pytest.param(EVENTS, {}, [(Kind.CREATE, "", Danger.NONE, False)], id="not there: made"),
        pytest.param(
            EVENTS,
            there(EVENTS, KEPT | {"retention.ms": "604800000"}),
            [(Kind.ALTER, "retention.ms", Danger.NONE, False)],
            id="kept for longer than now: nothing is lost",
        ),
        pytest.param(
            CLOCK,
            there(CLOCK),
            [(Kind.ALTER, "retention.ms", Danger.DATA_LOSS, True)],
            id="kept for shorter than now: the broker would delete",
        ),
        pytest.param(
            STATE,
            there(STATE),
            [(Kind.ALTER, "cleanup.policy", Danger.DATA_LOSS, True)],
            id="compaction on: former records of each key would go",
        ),
        pytest.param(
            EVENTS,
            there(EVENTS, KEPT | {"cleanup.policy": "compact"}),
            [(Kind.ALTER, "cleanup.policy", Danger.DATA_LOSS, True)],
            id="compaction off: deletion by age begins, and tombstones erase nothing any more",
        ),
        pytest.param(
            EVENTS,
            there(EVENTS, KEPT | {"cleanup.policy": "compact,delete"}),
            [(Kind.ALTER, "cleanup.policy", Danger.NONE, False)],
            id="one of two policies ends: less is deleted than before",
        ),
        pytest.param(
            replace(STATE, extra={"cleanup.policy": "delete,compact"}),
            there(STATE, COMPACTED | {"cleanup.policy": "compact, delete"}),
            [],
            id="a policy is a set: its order says nothing",
        ),
        pytest.param(
            EVENTS,
            there(EVENTS, partitions=3),
            [(Kind.GROW, "partitions", Danger.REPARTITION, True)],
            id="more partitions: keys would lose their order",
        ),
        pytest.param(
            EVENTS,
            there(EVENTS, partitions=12),
            [(Kind.RECREATE, "partitions", Danger.DELETION, True)],
            id="fewer partitions: only by deleting it",
        ),
        pytest.param(
            EVENTS,
            there(EVENTS, replicas=3),
            [(Kind.MOVE, "replicas", Danger.IMPOSSIBLE, True)],
            id="other copies: a reassignment, which is not ours to start",
        ),
        pytest.param(
            replace(EVENTS, extra={"segment.ms": "1"}),
            there(EVENTS),
            [(Kind.ALTER, "segment.ms", Danger.NONE, False)],
            id="a setting that is not there at all",
        ),
        pytest.param(
            EVENTS,
            there(EVENTS, KEPT | {"segment.ms": "7"}, set_here=HERE | {"segment.ms"}),
            [(Kind.RESET, "segment.ms", Danger.UNDECLARED, True)],
            id="drift: set by hand, and nobody declares it",
        ),
        pytest.param(
            STATE,
            there(STATE, COMPACTED | {"retention.ms": "-1"}, set_here=frozenset({"retention.ms"})),
            [(Kind.RESET, "retention.ms", Danger.DATA_LOSS, True)],
            id="drift of a kind whose default may delete",
        ),
        pytest.param(
            STATE,
            there(STATE, COMPACTED),
            [],
            id="a default that nobody set and nobody declares is no drift",
        ),
        pytest.param(
            EVENTS,
            there(EVENTS, KEPT | {"min.insync.replicas": "2"}, replicas=1),
            [(Kind.ALTER, "min.insync.replicas", Danger.DATA_LOSS, True)],
            id="acknowledged with fewer copies than now: a shrink as well",
        ),
    ],
)
def test_differences_and_their_danger(topic, found, expected):
    changes = topic_changes([topic], found, replicas=1)
    assert [(change.kind, change.item, change.danger, change.refused) for change in changes] == expected
    assert all(change.what == topic.name and change.reason and topic.name in str(change) for change in changes)


@pytest.mark.parametrize(("replicas", "expected"), [(1, "1"), (2, "1"), (3, "2"), (5, "4")], ids=str)
def test_all_copies_but_one_must_have_what_is_acknowledged(replicas, expected):
    assert settings_of(EVENTS, replicas)["min.insync.replicas"] == expected


def test_a_quorum_that_no_topic_could_reach_is_refused_whatever_is_allowed():
    allow = Allowance(ONE, ONE, ONE, prune=True)
    changes = topic_changes([EVENTS], there(EVENTS, replicas=1), replicas=3, allow=allow)
    assert {(change.item, change.refused, change.danger) for change in changes} == {
        ("replicas", True, Danger.IMPOSSIBLE),
        ("min.insync.replicas", True, Danger.IMPOSSIBLE),
    }


@pytest.mark.parametrize(
    ("topic", "found", "option", "allow"),
    [
        pytest.param(
            CLOCK, there(CLOCK), "--allow-data-loss ops.clock.v1", Allowance(data_loss=ONE), id="shorter retention"
        ),
        pytest.param(
            STATE, there(STATE), f"--allow-data-loss {STATE.name}", Allowance(data_loss=ONE), id="compaction on"
        ),
        pytest.param(
            ACTIONS,
            there(ACTIONS, KEPT | {"min.compaction.lag.ms": STEPS_KEPT}),
            f"first run `burnline topics carry-over`, which gives older records the keys they have today; then --allow-data-loss {ACTIONS.name}",
            Allowance(data_loss=frozenset({ACTIONS.name})),
            id="compaction where keys have changed",
        ),
        pytest.param(
            EVENTS,
            there(EVENTS, partitions=3),
            f"--allow-repartition {EVENTS.name}",
            Allowance(repartition=ONE),
            id="more partitions",
        ),
        pytest.param(
            EVENTS,
            there(EVENTS, partitions=9),
            f"--allow-deletion {EVENTS.name}",
            Allowance(deletion=ONE),
            id="fewer partitions",
        ),
        pytest.param(
            EVENTS,
            there(EVENTS, KEPT | {"segment.ms": "7"}, set_here=frozenset({"segment.ms"})),
            "--prune",
            Allowance(prune=True),
            id="drift",
        ),
        pytest.param(
            STATE,
            there(STATE, COMPACTED, set_here=frozenset({"retention.ms"})),
            f"--prune with --allow-data-loss {STATE.name}",
            Allowance(prune=True, data_loss=ONE),
            id="drift that may delete needs both",
        ),
    ],
)
def test_the_option_that_the_reason_names_allows_it_and_no_other_does(topic, found, option, allow):
    (refused,) = topic_changes([topic], found, replicas=1)
    assert option in refused.reason
    assert refused.refused
    (allowed,) = topic_changes([topic], found, replicas=1, allow=allow)
    assert not allowed.refused
    for index, value in enumerate(allow):
        if value:
            without = Allowance(*[NOTHING[n] if n == index else ONE if n < 3 else True for n in range(4)])
            assert topic_changes([topic], found, replicas=1, allow=without)[0].refused
    elsewhere = Allowance(*(frozenset({"finance.invoice.v1"}) for _ in range(3)), prune=False)
    assert topic_changes([topic], found, replicas=1, allow=elsewhere)[0].refused


def test_a_topic_that_is_made_anew_has_no_other_difference():
    found = there(EVENTS, KEPT | {"retention.ms": "1", "segment.ms": "7"}, partitions=9, set_here=HERE | {"segment.ms"})
    (change,) = topic_changes([EVENTS], found, replicas=1, allow=Allowance(deletion=ONE))
    assert change.kind is Kind.RECREATE


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("people.stranger.v1", True, id="in a domain of ours"),
        pytest.param("people-two.stranger.v1", False, id="in a domain that only begins alike"),
        pytest.param("warehouse.parcel.v1", False, id="of somebody else"),
        pytest.param("__consumer_offsets", False, id="Kafka's own"),
    ],
)
def test_topics_nobody_declares_are_told_of_in_our_domains_and_deleted_only_by_name(name, told):
    found = there(EVENTS) | {name: TopicState(1, 1, KEPT)}
    changes = topic_changes([EVENTS], found, replicas=1, domains={"people.", "delivery."})
    assert [(change.kind, change.what, change.refused) for change in changes] == [(Kind.DELETE, name, True)] * told
    allow = Allowance(ONE, frozenset({"another"}), ONE, prune=True)
    assert all(c.refused for c in topic_changes([EVENTS], found, replicas=1, domains={"people."}, allow=allow))
    allow = Allowance(deletion=frozenset({name}))
    assert not any(c.refused for c in topic_changes([EVENTS], found, replicas=1, domains={"people."}, allow=allow))


READ = Right(Resource.TOPIC, "ops.clock.v1", Operation.READ)
WRITE = Right(Resource.TOPIC, "ops.clock.v1", Operation.WRITE)
WANTED = {Acl("User:burnline-clock", READ): "clock: subscribes to it"}
PLAYING = {"clock": ("User:burnline-clock",), "streams": ("User:CN=worker",)}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param([], [(Kind.GRANT, "User:burnline-clock", False)], id="missing: given"),
        pytest.param([Acl("User:burnline-clock", READ)], [], id="there"),
        pytest.param(
            [Acl("User:burnline-clock", READ), Acl("User:burnline-clock", WRITE)],
            [(Kind.REVOKE, "User:burnline-clock", True)],
            id="more than the role needs: shown, left",
        ),
        pytest.param(
            [Acl("User:burnline-clock", READ), Acl("User:CN=worker", READ)],
            [(Kind.REVOKE, "User:CN=worker", True)],
            id="of a principal that only settings make ours",
        ),
        pytest.param(
            [Acl("User:burnline-clock", READ), Acl("User:burnline-former", READ)],
            [(Kind.REVOKE, "User:burnline-former", True)],
            id="of a role that there is no longer",
        ),
        pytest.param(
            [Acl("User:burnline-clock", READ), Acl("User:bob", WRITE), Acl("User:*", WRITE)],
            [],
            id="of somebody else: not ours to judge",
        ),
        pytest.param(
            [Acl("User:burnline-clock", READ), Acl("User:burnline-clock", READ, denied=True)],
            [(Kind.REVOKE, "User:burnline-clock", True)],
            id="denied what it needs: shown, since it overrules",
        ),
        pytest.param(
            [Acl("User:burnline-clock", READ, host="10.0.0.1")],
            [(Kind.GRANT, "User:burnline-clock", False), (Kind.REVOKE, "User:burnline-clock", True)],
            id="from one host only: not what is declared",
        ),
    ],
)
def test_rights_are_given_at_once_and_taken_only_when_pruning(found, expected):
    changes = acl_changes(WANTED, found, PLAYING)
    assert [(change.kind, change.what, change.refused) for change in changes] == expected
    assert not any(change.refused for change in acl_changes(WANTED, found, PLAYING, allow=Allowance(prune=True)))
