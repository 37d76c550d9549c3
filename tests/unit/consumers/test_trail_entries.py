"""What the audit trail says of each kind of event, and that the keeper may read what it enters."""

from __future__ import annotations

from typing import Any

import pytest

from burnline.docs.samples import sample
from consumers.core.trail_chain import Head, linked
from consumers.core.trail_entries import ALWAYS, SOURCES, STATUS, content, is_erasure, takes, verb_of
from schemas.records import TrailEntry
from schemas.topics import AUDITED, TOPICS, topic


def test_the_keeper_may_read_what_it_enters_and_nothing_else():
    assert set(SOURCES) == AUDITED
    assert {name for name, one in TOPICS.items() if "trail" in one.readers} == {*AUDITED, "governance.trail.v1"}


@pytest.mark.parametrize("name", STATUS)
def test_every_verb_that_is_taken_is_one_that_the_topic_has(name):
    assert STATUS[name] <= set(TOPICS[name].verbs)


@pytest.mark.parametrize("name", [*STATUS, *ALWAYS])
def test_an_entry_has_the_fields_of_its_schema_and_can_be_chained(name):
    entry = linked(Head(), content(topic(name), sample(topic(name)), 0, 0))
    assert set(entry) == set(TrailEntry.__annotations__)


def of(name: str, verb: str, **current: Any) -> dict[str, Any]:
    event = sample(topic(name))
    event["meta"]["event_type"] = topic(name).event_type(verb)
    event["current"] |= current
    return content(topic(name), event, 3, 7)


@pytest.mark.parametrize(
    ("entry", "kind", "actor", "reason"),
    [
        pytest.param(of("governance.action.v1", "overridden", decided_by="ada", reason="by phone"), "override", "ada", "by phone", id="an override: who and why"),
        pytest.param(of("governance.action.v1", "overridden", decided_by="ada", confirmed_by="bea", reason="x"), "override", "bea", "x", id="the second person has the last word"),
        pytest.param(of("governance.action.v1", "failed", decided_by=None, confirmed_by=None, reason=None, detail="HTTP 503"), "integration", None, "HTTP 503", id="a call that failed"),
        pytest.param(of("ops.dead-letter.v1", "parked", decided_by=None, note=None, error="broken"), "exception", None, "broken", id="an exception has its error"),
        pytest.param(of("ops.dead-letter.v1", "retried", decided_by="ada", note="mended"), "retry", "ada", "mended", id="a retry has its reason"),
        pytest.param(of("ops.dead-letter.v1", "discarded", decided_by="ada", note="a test"), "intervention", "ada", "a test", id="so has what was discarded"),
        pytest.param(of("governance.approval.v1", "approved", decided_by_id=7, reason=None), "approval", "7", None, id="an approver is a number of Odoo"),
        pytest.param(of("finance.invoice.v1", "paid"), "status", None, None, id="a change of status"),
    ],
)  # fmt: skip
def test_who_and_why(entry, kind, actor, reason):
    assert (entry["kind"], entry["actor"], entry["reason"]) == (kind, actor, reason)
    assert (entry["source_partition"], entry["source_offset"]) == (3, 7)


@pytest.mark.parametrize(
    ("name", "verb", "taken"),
    [
        pytest.param("finance.invoice.v1", "changed", False, id="a change that decides nothing"),
        pytest.param("finance.invoice.v1", "blocked", True, id="one that does"),
        pytest.param("delivery.timesheet.v1", "logged", False, id="work in progress"),
        pytest.param("delivery.timesheet.v1", "approved", True, id="time that counts"),
        pytest.param("governance.alert.v1", "cleared", True, id="every alert"),
        pytest.param("people.consultant.v1", "changed", False, id="of people only their erasure"),
    ],
)
def test_what_is_taken(name, verb, taken):
    assert takes(topic(name), verb) is taken
    assert verb_of(topic(name).event_type(verb)) == verb


def test_erasures_are_told_by_one_topic():
    assert [name for name in SOURCES if is_erasure(topic(name))] == ["people.consultant.v1"]
