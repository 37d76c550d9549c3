"""Who may do what: derived from the registry, and no more than each role needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.errors import Fatal
from infra.kafka.access import Acl, Operation, Resource, Right, domain, rights, roles, wanted
from infra.settings import AccessSettings, ActionSettings, CaptureSettings, Settings, StreamsSettings
from schemas.successions import Succession
from schemas.topics import CLEARED, DATA_TEAMS, TOPICS, DataClass
from streams.core import PROCESSOR_SOURCES

ALL = list(TOPICS.values())
GIVEN = rights(ALL, Settings())


def may(role, operation, topic):
    return Right(Resource.TOPIC, topic, operation) in GIVEN[role]


READ, WRITE = Operation.READ, Operation.WRITE


@pytest.mark.parametrize(
    ("role", "operation", "topic", "allowed"),
    [
        pytest.param("capture", WRITE, "delivery.timesheet.v1", True, id="capture publishes timesheets"),
        pytest.param("capture", READ, "delivery.timesheet.v1", True, id="and reads back what it published"),
        pytest.param("capture", READ, "ops.webhook.v1", True, id="capture reads hints"),
        pytest.param("capture", WRITE, "ops.webhook.v1", False, id="but sends none"),
        pytest.param(
            "capture", READ, "ops.dead-letter.v1", False, id="dead letters hold others' data: written, not read"
        ),
        pytest.param("capture", READ, "measure.utilization.v1", False, id="capture needs no measure"),
        pytest.param("webhooks", WRITE, "finance.dispute.v1", True, id="a helpdesk opens disputes"),
        pytest.param("webhooks", READ, "finance.dispute.v1", False, id="a server that faces others reads nothing"),
        pytest.param("webhooks", WRITE, "delivery.timesheet.v1", False, id="nobody logs time by webhook"),
        pytest.param("streams", READ, "finance.expense.v1", True, id="a cost of a project"),
        pytest.param("streams", WRITE, "finance.expense.v1", False, id="streams invent no facts"),
        pytest.param("streams", READ, "finance.payment.v1", False, id="a topic that no measure reads"),
        pytest.param("streams", READ, "internal.utilization-state.v1", True, id="its own state"),
        pytest.param("clock", WRITE, "ops.clock.v1", True, id="the clock ticks"),
        pytest.param("clock", READ, "ops.clock.v1", True, id="and knows its last tick"),
        pytest.param("actions", READ, "governance.alert.v1", True, id="alerts are what is acted upon"),
        pytest.param("actions", WRITE, "governance.alert.v1", False, id="who acts raises no alerts"),
        pytest.param("actions", READ, "delivery.timesheet.v1", False, id="acting needs no time sheets"),
        pytest.param("governor", WRITE, "governance.freeze.v1", True, id="who escalates may freeze"),
        pytest.param("governor", WRITE, "governance.action.v1", False, id="and acts through the runner alone"),
        pytest.param("operator", WRITE, "governance.action.v1", True, id="who steps in says so there"),
        pytest.param("operator", WRITE, "governance.freeze.v1", False, id="and never writes a freeze away"),
        pytest.param("assist", WRITE, "governance.proposal.v1", True, id="who assists proposes"),
        pytest.param("assist", WRITE, "governance.action.v1", False, id="and decides nothing"),
        pytest.param("assist", WRITE, "governance.approval.v1", False, id="approves nothing"),
        pytest.param(DATA_TEAMS, READ, "finance.invoice.v1", True, id="data teams read invoices"),
        pytest.param(DATA_TEAMS, READ, "delivery.timesheet.v1", False, id="but not about people"),
        pytest.param(DATA_TEAMS, READ, "measure.utilization.v1", False, id="nor what is measured of people"),
        pytest.param(CLEARED, READ, "measure.utilization.v1", True, id="unless they are cleared for it"),
        pytest.param(CLEARED, READ, "internal.utilization-state.v1", False, id="state belongs to its owner alone"),
        pytest.param("operator", READ, "ops.dead-letter.v1", True, id="who watches reads dead letters"),
        pytest.param("operator", READ, "finance.invoice.v1", False, id="and no business"),
        pytest.param(
            "steward", READ, "people.consultant.v1", True, id="who erases somebody reads that nothing is left"
        ),
        pytest.param("steward", WRITE, "internal.utilization-state.v1", True, id="and writes tombstones"),
        pytest.param("admin", READ, "people.consultant.v1", False, id="who administers topics reads none"),
    ],
)
def test_who_may_read_and_write_what(role, operation, topic, allowed):
    assert may(role, operation, topic) is allowed


def test_who_assists_can_write_its_proposals_and_nothing_else():
    granted = {
        (right.resource, right.name)
        for right in GIVEN["assist"]
        if right.operation not in {READ, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS}
    }
    assert granted == {(Resource.TOPIC, "governance.proposal.v1")}


def test_internal_topics_are_their_owner_s_alone_but_those_by_which_the_capture_is_watched_and_steered():
    for topic in ALL:
        if not topic.public:
            (owner,) = topic.publishers
            users = {role for role in GIVEN for operation in (READ, WRITE) if may(role, operation, topic.name)}
            watched = {"capture", "operator"} if topic.name.startswith("internal.capture-") else set()
            assert users == {owner, "steward"} | watched, "who erases people finds them wherever they are"


def test_topics_about_people_are_read_by_programs_that_need_them_and_by_the_cleared_only():
    for topic in ALL:
        if topic.data_class is DataClass.PERSONAL:
            assert {role for role in GIVEN if may(role, READ, topic.name)} <= {
                "capture",
                "streams",
                "governor",
                "steward",
                "trail",
                CLEARED,
            }


def test_the_streams_subscribe_to_what_they_route_and_to_nothing_else():
    subscribed = {topic.name for topic in ALL if "streams" in topic.subscribers and topic.public}
    assert subscribed == set(PROCESSOR_SOURCES)


def test_no_role_has_everything_or_a_right_that_another_one_implies():
    for role, given in GIVEN.items():
        for right in given:
            assert right.operation is not Operation.ALL, role
            assert right.name not in {"", "*"}, role
            if right.operation is Operation.DESCRIBE:
                implied = {replace(right, operation=one) for one in (READ, WRITE, Operation.ALTER, Operation.DELETE)}
                assert not implied & given.keys(), role


@pytest.mark.parametrize(
    ("role", "right"),
    [
        pytest.param("streams", Right(Resource.GROUP, "the-streams", READ), id="its group, as set"),
        pytest.param(
            "streams",
            Right(Resource.TRANSACTIONS, "the-streams.", WRITE, prefixed=True),
            id="each worker's transactions",
        ),
        pytest.param("actions", Right(Resource.GROUP, "the-actions", READ), id="the runner's group, as set"),
        pytest.param("actions", Right(Resource.GROUP, "the-actions.duties", READ), id="and its group for duties"),
        pytest.param("governor", Right(Resource.TRANSACTIONS, "burnline.governor", WRITE), id="one governor"),
        pytest.param("clock", Right(Resource.TRANSACTIONS, "burnline.clock", WRITE), id="one clock"),
        pytest.param(
            "capture", Right(Resource.TRANSACTIONS, "burnline.capture.", WRITE, prefixed=True), id="one per database"
        ),
        pytest.param("operator", Right(Resource.GROUP, "the-streams", Operation.DESCRIBE), id="lag of the workers"),
    ],
)
def test_groups_and_transactions_have_the_names_that_the_programs_use(role, right):
    settings = Settings(streams=StreamsSettings(group="the-streams"), actions=ActionSettings(group="the-actions"))
    assert right in rights(ALL, settings)[role]


@pytest.mark.parametrize(
    ("principals", "expected"),
    [
        pytest.param({}, {"User:burnline-clock"}, id="by default, after the role"),
        pytest.param({"clock": "User:CN=clock,O=firm"}, {"User:CN=clock,O=firm"}, id="a certificate's name"),
        pytest.param({"clock": ["User:a", "User:b"]}, {"User:a", "User:b"}, id="several"),
        pytest.param({"clock": []}, set(), id="nobody"),
    ],
)
def test_who_plays_a_role_is_a_setting(principals, expected):
    given = wanted(ALL, Settings(access=AccessSettings(principals=principals)))
    ticks = Right(Resource.TOPIC, "ops.clock.v1", WRITE)
    assert {acl.principal for acl in given if acl.right == ticks} == expected


def test_one_principal_may_play_several_roles_and_has_the_rights_of_all():
    one = AccessSettings(principals=dict.fromkeys(("capture", "clock"), "User:burnline"))
    given = wanted(ALL, Settings(access=one))
    mine = {acl.right: why for acl, why in given.items() if acl.principal == "User:burnline"}
    assert mine.keys() == GIVEN["capture"].keys() | GIVEN["clock"].keys()
    assert given[Acl("User:burnline", Right(Resource.TOPIC, "ops.clock.v1", WRITE))] == "clock: publishes it"


@pytest.mark.parametrize(
    "principal",
    [
        pytest.param("User:*", id="everybody"),
        pytest.param("burnline", id="no kind of principal"),
        pytest.param("User:", id="no name"),
    ],
)
def test_a_principal_that_is_none_or_everybody_is_refused(principal):
    with pytest.raises(ValueError, match="principals"):
        AccessSettings(principals={"clock": principal})


def test_a_role_there_is_none_of_is_named():
    with pytest.raises(Fatal, match="the role capturer, which there is none of") as caught:
        wanted(ALL, Settings(access=AccessSettings(principals={"capturer": "User:x"})))
    assert "capture" in caught.value.remedy
    with pytest.raises(Fatal, match=r"ops\.clock\.v1 names the role cuckoo"):
        rights([replace(TOPICS["ops.clock.v1"], publishers=("cuckoo",))], Settings())


def test_who_carries_history_over_reads_the_old_topic_and_writes_the_new_one():
    old, new = TOPICS["delivery.timesheet.v1"], replace(TOPICS["delivery.timesheet.v1"], name="delivery.timesheet.v2")
    given = rights([*ALL, new], Settings(), [Succession(old, new, dict, dict)])["migration"]
    assert {str(right) for right in given} == {
        "read topic delivery.timesheet.v1",
        "write topic delivery.timesheet.v2",
        "write topic ops.dead-letter.v1",
        "read group burnline.carry-over.*",
        "describe group burnline.scratch.*",
        "write transactional-id burnline.carry-over.*",
    }
    assert {
        right.name for right in GIVEN["migration"] if right.operation is READ and right.resource is Resource.TOPIC
    } == {"governance.action.v1"}, "its overrides once had their actions' keys"


def test_every_role_of_the_registry_is_described():
    assert {role for topic in ALL for role in (*topic.publishers, *topic.subscribers)} <= roles(Settings(), ()).keys()


@pytest.mark.parametrize(
    ("name", "expected"), [("finance.invoice.v1", "finance."), ("a.b.people.skill.v1", "a.b.people.")]
)
def test_a_domain_is_what_the_neighbours_names_begin_with(name, expected):
    assert domain(name) == expected


def test_capture_may_read_the_log_of_the_database_where_it_is_to_follow_it():
    told = Settings(capture=CaptureSettings(log_topic="odoo-log"))
    right = Right(Resource.TOPIC, "odoo-log", READ)
    assert right in rights(TOPICS.values(), told)["capture"]
    assert not [role for role, given in rights(TOPICS.values(), Settings()).items() if right in given]
