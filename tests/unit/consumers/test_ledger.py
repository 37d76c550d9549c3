"""The ledger: an action ends once in each round, whatever comes late, twice or in another order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.core.action_events import action_event, asked_again
from consumers.core.ledger import FOR_GOOD, Ledger, Standing
from consumers.core.plan import plan
from consumers.core.policy import Policy
from schemas.records import Action, ActionEvent
from tests.support.governing import START, raised, rule

[PLANNED] = plan(raised(), Policy((rule(),)))
ID = PLANNED.action_id


def event(status, attempt, first=1) -> ActionEvent:
    return action_event(PLANNED, status, attempt, START, first=first, detail=f"{status} {attempt}")


def said(status, attempt, first=1) -> Action:
    return event(status, attempt, first)["current"]


FIRST = [said("requested", 0), said("attempted", 1), said("failed", 1), said("attempted", 2), said("abandoned", 2)]
AGAIN = asked_again(event("abandoned", 2), source="s", reason="mended", by="ann", at=START, cause=ID)["current"]
SECOND = [AGAIN, said("attempted", 3, 3), said("failed", 3, 3)]
THIRD = [said("attempted", 4, 3), said("succeeded", 4, 3)]
OVERRIDDEN: Action = {**said("requested", 0), "status": "overridden"}


def folded(actions) -> Ledger:
    ledger = Ledger()
    for action in actions:
        ledger.fold(action)
    return ledger


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        pytest.param(FIRST[:1], Ledger(under_way={ID: Standing(1, 0, 0, None)}), id="requested"),
        pytest.param(FIRST[:2], Ledger(under_way={ID: Standing(1, 1, 1, None)}), id="an attempt whose outcome nobody knows"),
        pytest.param(FIRST, Ledger(ended={ID: 1}, given_up={ID: "abandoned 2"}), id="given up"),
        pytest.param([*FIRST, AGAIN], Ledger(under_way={ID: Standing(3, 3, 0, None)}), id="asked for anew"),
        pytest.param([*FIRST, *SECOND], Ledger(under_way={ID: Standing(3, 3, 2, None)}), id="tried anew"),
        pytest.param([*FIRST, *SECOND, *THIRD], Ledger(ended={ID: 3}), id="done in the second round"),
        pytest.param([*FIRST, *SECOND, OVERRIDDEN, *THIRD], Ledger(ended={ID: FOR_GOOD}), id="what a person decided stays"),
        pytest.param([FIRST[-1], SECOND[-1]], Ledger(under_way={ID: Standing(3, 3, 2, None)}), id="what a compacted topic keeps"),
    ],
)  # fmt: skip
def test_how_an_action_stands(actions, expected):
    assert folded(actions) == expected


@given(st.permutations([*FIRST, *SECOND]), st.permutations([*FIRST, *SECOND, *THIRD, OVERRIDDEN]))
def test_the_order_of_the_events_does_not_matter_nor_do_doubles(open_, ended):
    assert folded([*open_, *open_]) == folded([*FIRST, *SECOND])
    assert folded([*ended, *ended]) == folded([*FIRST, *SECOND, *THIRD, OVERRIDDEN])


@pytest.mark.parametrize(
    ("actions", "made"),
    [
        pytest.param(FIRST[:1], 0, id="none was begun"),
        pytest.param(FIRST[:3], 1, id="one was"),
        pytest.param([*FIRST, AGAIN], 2, id="asking anew is no attempt"),
        pytest.param([*FIRST, *SECOND], 3, id="the numbers go on"),
    ],
)
def test_the_attempts_that_were_made(actions, made):
    assert folded(actions).under_way[ID].made == made


@pytest.mark.parametrize(
    ("actions", "first", "under_way"),
    [
        pytest.param(FIRST, 3, True, id="what was given up begins again"),
        pytest.param([*FIRST, *SECOND], 3, True, id="known already"),
        pytest.param([*FIRST, *SECOND, *THIRD], 3, False, id="done already: its alert came twice"),
        pytest.param([*FIRST, OVERRIDDEN], 3, False, id="a person has decided"),
    ],
)
def test_an_alert_that_comes_again_for_one_action(actions, first, under_way):
    ledger = folded(actions)
    before = ledger.under_way.get(ID)
    ledger.again(ID, first)
    assert (ID in ledger.under_way) is under_way
    assert before is None or ledger.under_way[ID] == before


def action(identity, status, attempt):
    return {
        "action_id": identity,
        "alert_id": "a",
        "policy": "p",
        "target": "t",
        "kind": "log",
        "status": status,
        "attempt": attempt,
        "detail": None,
        "reference": None,
        "owner": "o",
        "due_at": None,
        "first_attempt": 1,
    }


STATUSES = st.sampled_from(
    ["requested", "attempted", "succeeded", "failed", "abandoned", "uncertain", "suppressed", "overridden", "unknown"]
)
ACTIONS = st.lists(st.builds(action, st.sampled_from("ab"), STATUSES, st.integers(0, 9)))


@given(ACTIONS, ACTIONS)
def test_an_event_folded_twice_changes_nothing(before, after):
    once, twice = Ledger(), Ledger()
    for event in [*before, *after]:
        once.fold(event)
    for event in [*before, *before, *after]:
        twice.fold(event)

    assert once == twice


@given(ACTIONS)
def test_what_ended_stays_ended(events):
    ledger = Ledger()
    ledger.fold(action("a", "succeeded", 1))
    for event in events:
        ledger.fold(event)

    assert "a" in ledger.ended
    assert "a" not in ledger.under_way


def test_attempts_are_counted_over_restarts():
    ledger = Ledger()
    for status, attempt in (("requested", 0), ("attempted", 1), ("failed", 1), ("attempted", 2)):
        ledger.fold(action("a", status, attempt))

    assert ledger.under_way["a"].attempt == 2


def test_why_an_action_was_given_up_is_known_unless_a_person_decided():
    ledger = Ledger()
    for identity, status in (
        ("a", "abandoned"),
        ("b", "overridden"),
        ("b", "abandoned"),
        ("c", "uncertain"),
        ("d", "abandoned"),
        ("d", "overridden"),
    ):
        ledger.fold(action(identity, status, 1) | {"detail": "HTTP 410"})

    assert ledger.given_up == {"a": "HTTP 410", "c": "HTTP 410"}


@pytest.mark.parametrize(
    ("steps", "is_open"),
    [
        pytest.param([("requested", 0)], False, id="nothing was tried"),
        pytest.param([("requested", 0), ("attempted", 1)], True, id="tried, and nobody recorded how it went"),
        pytest.param([("attempted", 1), ("failed", 1)], False, id="it is known to have failed"),
        pytest.param([("failed", 1), ("attempted", 2)], True, id="a later attempt is open again"),
        pytest.param([("failed", 1), ("attempted", 1)], False, id="records of one attempt in the wrong order"),
        pytest.param([("attempted", 1), ("override_requested", 0)], True, id="what a person asks for is no step of it"),
    ],
)
def test_an_attempt_without_an_outcome_is_known(steps, is_open):
    ledger = Ledger()
    for status, attempt in steps:
        ledger.fold(action("a", status, attempt))

    assert ledger.under_way["a"].open is is_open
