"""From one change to its last effect: each event under what led to it, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from burnline.docs.samples import sample
from consumers.core.trace import Node, belongs, causes_of, names_of, tree, what_of
from schemas.topics import topic

AT = datetime(2026, 3, 30, 8, tzinfo=UTC)


def node(name: str, *causes: str, correlation: str = "change", minute: int = 0) -> Node:
    return Node(name, f"x.{name}.v1", "s", AT + timedelta(minutes=minute), correlation, causes, "t", 0, minute, "")


CHANGE = node("change")
MEASURE = node("measure", "change", minute=1)
ALERT = node("alert", "measure", minute=2)
ACTION = node("action", "alert", minute=3)
LETTER = node("letter", "alert", minute=4)
CHAIN = [CHANGE, MEASURE, ALERT, ACTION, LETTER]


def drawn(nodes: Any) -> list[tuple[int, str]]:
    return [(depth, one.event_id) for depth, one in tree(nodes)]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        pytest.param(CHAIN, [(0, "change"), (1, "measure"), (2, "alert"), (3, "action"), (3, "letter")], id="the whole chain"),
        pytest.param(CHAIN[::-1], [(0, "change"), (1, "measure"), (2, "alert"), (3, "action"), (3, "letter")], id="in whatever order it is read"),
        pytest.param([CHANGE, ACTION], [(0, "change"), (1, "action")], id="a cause that is gone: under the first of the correlation"),
        pytest.param([node("a", "b", correlation="a"), node("b", "a", correlation="b")], [(0, "a"), (0, "b")], id="a circle ends"),
        pytest.param([node("a", "a", correlation="a")], [(0, "a")], id="an event that names itself"),
        pytest.param([CHANGE, CHANGE], [(0, "change")], id="an event that stands twice"),
    ],
)  # fmt: skip
def test_where_each_event_stands(nodes, expected):
    assert drawn(nodes) == expected


@pytest.mark.parametrize(
    ("ids", "correlations", "part"),
    [
        pytest.param({"alert"}, set(), True, id="it is the event"),
        pytest.param({"measure"}, set(), True, id="the event led to it"),
        pytest.param(set(), {"change"}, True, id="it is of the correlation"),
        pytest.param({"other"}, {"other"}, False, id="of another chain"),
    ],
)
def test_what_belongs_to_a_chain(ids, correlations, part):
    assert belongs(ALERT, ids, correlations) is part


def test_the_causes_of_an_alert_are_also_those_that_moved_the_measure():
    event = {"meta": {"causation_id": "c"}, "current": {"caused_by": ["a", "b", "c"]}}
    assert causes_of(event) == ("c", "b", "a")


def test_what_is_said_of_an_event():
    event = {
        "meta": {},
        "current": {"rule": "budget_burn.hours", "level": "90", "status": "raised", "detail": None, "values": {}},
    }
    assert what_of(event) == "rule budget_burn.hours, level 90, status raised"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        pytest.param("governance.action.v1", ["action_id", "alert_id"], id="an action, and the alert it follows"),
        pytest.param("governance.alert.v1", ["alert_id"], id="an alert"),
        pytest.param("governance.duty.v1", ["duty_id"], id="a duty"),
        pytest.param("governance.freeze.v1", ["alert_id", "duty_id", "freeze_id"], id="a freeze, with its duty and alert"),
        pytest.param("governance.proposal.v1", ["alert_id", "proposal_id"], id="a proposal"),
        pytest.param("finance.invoice.v1", [], id="a change in Odoo is known by its event alone"),
    ],
)  # fmt: skip
def test_what_a_person_calls_an_event_by(name, fields):
    event = sample(topic(name))
    event["current"] |= {field: f"the {field}" for field in fields}
    assert sorted(names_of(event)) == [f"the {field}" for field in fields]


def test_the_letter_of_a_decision_and_of_an_action_is_called_by_both():
    event = {"meta": {}, "current": {"letter_id": "letter", "action_id": "action"}}
    assert sorted(names_of(event)) == ["action", "letter"]


def test_an_event_goes_by_its_id_and_by_what_it_is_about():
    one = Node("e", "x", "s", AT, "c", (), "t", 0, 0, "", ("action", "alert"))
    assert [one.is_called(identity) for identity in ("e", "action", "alert", "c")] == [True, True, True, False]
