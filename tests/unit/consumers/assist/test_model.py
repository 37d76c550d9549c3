"""What a model is told, and what of its answer is taken: nothing about people out, nothing but words and a weight in."""

import json
from decimal import Decimal

import pytest

from consumers.core.assist.alerts import Alerts
from consumers.core.assist.model import Rubbish, answered, question
from schemas import catalogue
from tests.support.governing import raised

CLASSES = {field["name"]: field["dataClass"] for field in catalogue.load("burnline.governance.Alert")["fields"]}
GOOD = {"priority": {"text": "Look at it today.", "score": 0.7}, "summary": {"text": "Nearly spent."}}


def ideas():
    return Alerts().take(raised())


def test_confidential_fields_are_told_only_where_the_firm_shares_them():
    told = question(raised(), CLASSES, "internal")["alert"]
    more = question(raised(), CLASSES, "confidential")["alert"]

    assert not {"value", "values"} & set(told)
    assert {"value", "values"} <= set(more)
    assert {CLASSES[name] for name in told} <= {"public", "internal"}


def test_what_is_personal_is_never_told_whatever_is_shared():
    classes = CLASSES | {"owner": "personal", "level": "personal"}

    for highest in ("internal", "confidential", "personal"):
        assert not {"owner", "level"} & set(question(raised(), classes, highest)["alert"])


def test_a_field_whose_class_nobody_knows_is_not_told():
    assert "owner" not in question(raised(), {"rule": "public"}, "confidential")["alert"]


def test_nothing_is_told_of_an_alert_about_a_person():
    assert question(raised(subject_kind="consultant"), CLASSES, "confidential") is None


def test_the_key_of_the_subject_stays_here():
    event = raised()

    assert event["meta"]["subject"] not in json.dumps(question(event, CLASSES, "confidential"))


def test_an_answer_puts_the_ideas_in_its_words_and_adds_none():
    priority, summary = answered(json.dumps(GOOD).encode(), ideas())

    assert (priority.text, priority.score) == ("Look at it today.", Decimal("0.7"))
    assert (summary.text, summary.score) == ("Nearly spent.", None)
    assert [idea.identity for idea in ideas()] == [priority.identity, summary.identity]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>502</html>", id="an error page"),
        pytest.param(b"\xff\xfe\x00", id="bytes"),
        pytest.param(b"[" * 100_000, id="a tower of lists"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(json.dumps({"action": "approve", "reference": 17}).encode(), id="it wants to approve"),
        pytest.param(json.dumps(GOOD | {"approve": True}).encode(), id="it wants to approve as well"),
        pytest.param(json.dumps(GOOD | {"tool_calls": [{"name": "post_invoice"}]}).encode(), id="it calls tools"),
        pytest.param(
            json.dumps(GOOD | {"priority": {"text": "x", "score": 0.5, "release": "freeze"}}).encode(),
            id="hidden deeper",
        ),
        pytest.param(json.dumps(GOOD | {"priority": {"text": "x"}}).encode(), id="no score"),
        pytest.param(json.dumps(GOOD | {"priority": {"text": "x", "score": 7}}).encode(), id="too high a score"),
        pytest.param(json.dumps(GOOD | {"priority": {"text": "x", "score": "1"}}).encode(), id="a score in words"),
        pytest.param(b'{"priority": {"text": "x", "score": NaN}, "summary": {"text": "y"}}', id="no number"),
        pytest.param(b'{"priority": {"text": "x", "score": Infinity}, "summary": {"text": "y"}}', id="too much"),
        pytest.param(json.dumps(GOOD | {"summary": {"text": "x" * 501}}).encode(), id="a novel"),
        pytest.param(json.dumps(GOOD | {"summary": {"text": ""}}).encode(), id="no words"),
        pytest.param(json.dumps(GOOD | {"summary": {"text": "a\x1b[2Jb"}}).encode(), id="it writes on the terminal"),
        pytest.param(json.dumps(GOOD | {"summary": "x"}).encode(), id="no object"),
    ],
)
def test_anything_else_is_rubbish(answer):
    with pytest.raises(Rubbish):
        answered(answer, ideas())
