"""Whose a key is, what names somebody, and where it is found."""

from __future__ import annotations

import json

import pytest

from consumers.core.erasure import holds, is_about, names_in, needles

PERSON = "odoo:firm:hr.employee:7"


@pytest.mark.parametrize(
    ("key", "about"),
    [
        pytest.param(PERSON.encode(), True, id="their own record"),
        pytest.param(PERSON.encode() + b"\x1fodoo:firm:account.analytic.line:3", True, id="a row of their state"),
        pytest.param(PERSON.encode() + b"1", False, id="employee 71 is somebody else"),
        pytest.param(PERSON.encode() + b":x", False, id="a longer key is another entity"),
        pytest.param(b"odoo:firm:project.project:1\x1f" + PERSON.encode(), False, id="a project's row that mentions them"),
        pytest.param(b"", False, id="an empty key"),
        pytest.param(None, False, id="no key"),
    ],
)  # fmt: skip
def test_whose_a_key_is(key, about):
    assert is_about(key, PERSON) is about


@pytest.mark.parametrize(
    ("event", "names"),
    [
        pytest.param({"previous": None, "current": {"name": "Ada"}}, {"Ada"}, id="the present name"),
        pytest.param(
            {"previous": {"name": "Ada"}, "current": {"name": "Ada B"}}, {"Ada", "Ada B"}, id="and the former"
        ),
        pytest.param({"previous": {"name": "Ada"}, "current": None}, {"Ada"}, id="of somebody who was deleted"),
        pytest.param({"previous": None, "current": {"name": ""}}, set(), id="no name is none to look for"),
    ],
)
def test_what_names_somebody(event, names):
    assert names_in("burnline.people.ConsultantEvent", event) == names


def test_an_event_that_names_nobody():
    assert names_in("burnline.measure.UtilizationEvent", {"current": {"band": "bench"}}) == set()


@pytest.mark.parametrize(
    ("value", "headers", "part"),
    [
        pytest.param("J\u00fcrgen Example".encode(), None, "value", id="in Avro"),
        pytest.param(json.dumps({"contact": "J\u00fcrgen Example"}).encode(), None, "value", id="escaped, in JSON"),
        pytest.param(b"", [("said", "J\u00fcrgen Example")], "headers", id="in a header"),
        pytest.param(b"Jurgen", {"a": None}, None, id="somebody else"),
        pytest.param(None, None, None, id="a tombstone"),
    ],
)
def test_where_a_name_is_found(value, headers, part):
    assert holds(needles({"J\u00fcrgen Example"}), b"k", value, headers) == part


def test_a_name_of_two_letters_is_not_looked_for_since_it_stands_everywhere():
    assert needles({"Al"}) == []
