"""What a person may decide, when it takes effect, and what is pending: the rules as tables."""

from dataclasses import replace

import pytest

from consumers.core.action_events import action_event
from consumers.core.board import Board
from consumers.core.overrides import Overridable, Refused, counts, override
from consumers.core.plan import plan
from consumers.core.policy import Policy, Step
from tests.support.governing import HOUR, PROJECT, START, Told, cleared, raised, rule

ACTION = Overridable("a1", "webhook", "burn", "alert", "webhook", "owner", 2, "firm", 1, "c1")
ONE, TWO = Policy((rule(),)), Policy((rule(dual_control=True),))


def asked(by="ann", wanted="skipped"):
    event = override(ACTION, wanted, TWO, reason="no use", by=by, at=START)
    return replace(ACTION, asked=event["current"])


@pytest.mark.parametrize(
    ("subject", "wanted", "policy", "by", "status"),
    [
        pytest.param(ACTION, "skipped", ONE, "ann", "overridden", id="one person is enough"),
        pytest.param(ACTION, "done_by_hand", ONE, "ann", "overridden", id="done without Burnline"),
        pytest.param(replace(ACTION, kind="duty"), "acknowledged", ONE, "ann", "overridden", id="a duty is in hand"),
        pytest.param(replace(ACTION, kind="freeze"), "released", ONE, "ann", "overridden", id="a freeze ends"),
        pytest.param(ACTION, "skipped", Policy(), "ann", "overridden", id="a rule that is gone asks for nobody"),
        pytest.param(ACTION, "skipped", TWO, "ann", "override_requested", id="two are wanted: the first asks"),
        pytest.param(asked("ann"), "skipped", TWO, "bob", "overridden", id="the second confirms"),
        pytest.param(
            asked("ann"), "done_by_hand", TWO, "bob", "override_requested", id="who says something else asks anew"
        ),
    ],
)
def test_what_takes_effect(subject, wanted, policy, by, status):
    event = override(subject, wanted, policy, reason="because", by=by, at=START)

    assert event["current"]["status"] == status
    assert counts(event["current"], policy) is (status == "overridden")


@pytest.mark.parametrize(
    ("subject", "wanted", "policy", "reason", "says"),
    [
        pytest.param(ACTION, "released", ONE, "because", "released does not go with a webhook", id="no freeze"),
        pytest.param(replace(ACTION, kind="freeze"), "skipped", ONE, "because", "does not go", id="no action"),
        pytest.param(
            replace(ACTION, kind="duty"), "done_by_hand", ONE, "because", "does not go", id="a duty is no action"
        ),
        pytest.param(ACTION, "skipped", ONE, "  x ", "the reason has 1 characters", id="no reason"),
        pytest.param(ACTION, "skipped", ONE, "x" * 1001, "the reason has 1001", id="a novel"),
        pytest.param(asked("ann"), "skipped", TWO, "because", "ann asked for it already", id="nobody is two persons"),
    ],
)
def test_what_is_refused_says_why_and_what_to_do(subject, wanted, policy, reason, says):
    found = override(subject, wanted, policy, reason=reason, by="ann", at=START)

    assert isinstance(found, Refused)
    assert says in found.why
    assert found.remedy


def test_both_persons_and_both_reasons_are_kept():
    event = override(asked("ann"), "skipped", TWO, reason="I agree", by="bob", at=START)["current"]

    assert (event["decided_by"], event["confirmed_by"]) == ("ann", "bob")
    assert event["reason"] == "no use; confirmed: I agree"


@pytest.mark.parametrize(
    ("changed", "policy", "effective"),
    [
        pytest.param({}, ONE, True, id="one person, where one is enough"),
        pytest.param({}, TWO, False, id="one person, where the policy wants two"),
        pytest.param({"confirmed_by": "ann"}, TWO, False, id="the same person twice"),
        pytest.param({"confirmed_by": "bob"}, TWO, True, id="two persons"),
        pytest.param({"second_needed": True}, Policy(), False, id="two were wanted when it was said"),
        pytest.param({"status": "override_requested"}, ONE, False, id="asked for"),
        pytest.param({"status": "succeeded"}, ONE, False, id="no override"),
    ],
)
def test_whoever_reads_an_override_looks_at_the_names(changed, policy, effective):
    event = override(ACTION, "skipped", ONE, reason="because", by="ann", at=START)

    assert counts({**event["current"], **changed}, policy) is effective


CHAIN = {"service_level": HOUR, "escalation": (Step(freeze="invoicing", after=HOUR),)}


def test_the_board_shows_what_is_pending_and_nothing_else():
    policy = Policy((rule(**CHAIN),))
    board, told = Board(policy), Told(*policy.rules)
    event = raised()
    told.governor.alert(event)
    for hour in range(3):
        told.at(hour)
    [planned] = plan(event, policy)
    board.alert(event)
    assert [(item.what, item.state) for item in board.items()] == [("burn/log", "not begun")]

    board.action(action_event(planned, "attempted", 3, START))
    for decision in told.published:
        (board.freeze if "freeze_id" in decision["current"] else board.duty)(decision)
    assert [(item.who, item.what, item.kind) for item in board.items()] == [
        ("nobody", "answer for burn", "duty"),
        ("owner", "burn/log", "log"),
        ("owner", "invoicing is frozen", "freeze"),
    ]
    board.action(action_event(planned, "succeeded", 3, START))
    assert [item.kind for item in board.items()] == ["duty", "freeze"]
    told.governor.alert(cleared(event))
    told.at(5)
    for decision in told.published[-2:]:
        (board.freeze if "freeze_id" in decision["current"] else board.duty)(decision)
    assert board.items() == []


def test_what_was_given_up_waits_for_a_hand_and_what_was_done_by_hand_is_done():
    policy = Policy((rule(),))
    board = Board(policy)
    event = raised()
    [planned] = plan(event, policy)
    board.alert(event)
    board.action(action_event(planned, "abandoned", 8, START, detail="HTTP 500"))
    [item] = board.items()
    assert item.state == "abandoned, attempt 8; HTTP 500"

    subject = board.overridable(planned.action_id)
    board.action(override(subject, "done_by_hand", policy, reason="called", by="ann", at=START))
    assert board.items() == []
    assert board.overridable(planned.action_id) is None


def test_what_one_person_asked_for_waits_for_a_second_on_the_list():
    policy = Policy((rule(dual_control=True),))
    board = Board(policy)
    event = raised()
    [planned] = plan(event, policy)
    board.alert(event)
    word = override(board.overridable(planned.action_id), "skipped", policy, reason="no use", by="ann", at=START)
    board.action(word)

    assert [item.what for item in board.items()] == ["burn/log", "confirm skipped of burn/log"]
    confirmed = override(board.overridable(planned.action_id), "skipped", policy, reason="yes", by="bob", at=START)
    board.action(confirmed)
    assert board.items() == []


def test_an_acknowledged_duty_is_off_the_list():
    policy = Policy((rule(**CHAIN),))
    board, told = Board(policy), Told(*policy.rules)
    told.governor.alert(raised())
    told.at(0)
    [duty] = told.published
    board.duty(duty)
    identity = duty["current"]["duty_id"]
    board.action(override(board.overridable(identity), "acknowledged", policy, reason="mine", by="ann", at=START))
    board.duty(duty)

    assert board.items() == []


def test_an_alert_that_cleared_asks_for_nothing_that_was_not_begun():
    board = Board(Policy((rule(),)))
    event = raised()
    board.alert(event)
    board.alert(cleared(event))
    board.alert(event)  # again, and late

    assert board.items() == []
    assert board.overridable("nothing") is None


def test_the_subject_of_an_item_is_the_alert_s():
    policy = Policy((rule(),))
    board = Board(policy)
    board.alert(raised())

    [item] = board.items()
    assert (item.about, item.alert) == (PROJECT, "budget_burn.hours 90")
