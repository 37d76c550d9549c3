"""What became of each letter: a fold over letters and decisions. And which letters a filter means."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.core.letter_queue import Decision, Filter, Queue, groups
from consumers.core.reentry import decision_event
from infra.dead_letters import copy_headers, parked
from infra.errors import PoisonMessage

AT = datetime(2026, 3, 30, 8, tzinfo=UTC)
ERROR = PoisonMessage("broken", remedy="mend it", reason="truncated")


def letter(
    offset: int = 1,
    *,
    minutes: int = 0,
    headers: Any = None,
    topic: str = "delivery.timesheet.v1",
    error: Exception = ERROR,
) -> Any:
    at = AT + timedelta(minutes=minutes)
    return parked(
        topic, 0, offset, key=b"odoo:firm:x:1", value=b"v", headers=headers, error=error, stage="streams.decode", at=at
    )


def decided(queue: Queue, status: str, minutes: int, note: str = "because") -> Any:
    (one,) = queue.letters.values()
    return decision_event(one, status, Decision(status, AT + timedelta(minutes=minutes), "ada", note))


def test_a_letter_is_parked_until_somebody_decides():
    queue = Queue([letter()])
    (one,) = queue.letters.values()
    assert one.status == "parked"
    queue.fold(decided(queue, "discarded", 5))
    assert (one.status, one.decisions[0].by, one.decisions[0].note) == ("discarded", "ada", "because")


def copy(one: Any, minutes: int) -> Any:
    """The letter of a copy that failed again: another offset, known by its headers."""
    headers = copy_headers(one["meta"]["event_id"], one["current"]["attempts"], one["current"]["first_failed_at"])
    return letter(9, minutes=minutes, headers=headers)


def test_a_copy_that_fails_again_is_the_same_letter_with_one_more_attempt():
    first = letter()
    queue = Queue([first])
    queue.fold(decided(queue, "retried", 5))
    queue.fold(copy(first, 6))
    (one,) = queue.letters.values()
    current = one.event["current"]
    assert (one.status, current["attempts"], current["offset"]) == ("parked", 2, 9)
    assert (current["first_failed_at"], current["last_failed_at"]) == (AT, AT + timedelta(minutes=6))
    assert [decision.status for decision in one.decisions] == ["retried"], "what was decided is still known"


@pytest.mark.parametrize(
    ("again", "status"),
    [
        pytest.param(letter(), "retried", id="the same failure told twice reopens nothing"),
        pytest.param(copy(letter(), 9), "parked", id="a later failure does"),
    ],
)
def test_what_reopens_a_letter(again, status):
    queue = Queue([letter()])
    queue.fold(decided(queue, "retried", 5))
    queue.fold(again)
    (one,) = queue.letters.values()
    assert one.status == status


def test_folding_everything_twice_changes_nothing():
    first = letter()
    events = [first]
    queue = Queue(events)
    events.append(decided(queue, "retried", 5))
    events.append(copy(first, 6))
    once, twice = Queue(events), Queue([*events, *events])
    assert once.letters == twice.letters


def test_a_decision_about_a_letter_that_is_gone_is_passed_over():
    queue = Queue([letter()])
    decision = decided(queue, "discarded", 5)
    assert Queue([decision]).letters == {}


def test_a_decision_holds_none_of_the_record():
    queue = Queue([letter()])
    current = decided(queue, "retried", 5)["current"]
    assert (current["value"], current["headers"], current["value_size"]) == (None, {}, 1)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        pytest.param(Filter(), True, id="what is parked, by default"),
        pytest.param(Filter(status="discarded"), False, id="another status"),
        pytest.param(Filter(status=None), True, id="any status"),
        pytest.param(Filter(topic="delivery.timesheet.v1"), True, id="its topic"),
        pytest.param(Filter(topic="finance.invoice.v1"), False, id="another topic"),
        pytest.param(Filter(owner="delivery-operations"), True, id="its owner"),
        pytest.param(Filter(stage="streams.route"), False, id="another stage"),
        pytest.param(Filter(reason="truncated"), True, id="its reason"),
        pytest.param(Filter(key="odoo:firm:x:1"), True, id="its entity"),
        pytest.param(Filter(since=AT), True, id="at that moment"),
        pytest.param(Filter(since=AT + timedelta(seconds=1)), False, id="before that moment"),
        pytest.param(Filter(identities=frozenset({"other"})), False, id="another id"),
        pytest.param(Filter(owner="delivery-operations", reason="empty"), False, id="all must fit"),
    ],
)
def test_which_letters_a_filter_means(wanted, fits):
    (one,) = Queue([letter()]).letters.values()
    assert wanted.fits(one) is fits


def test_a_filter_by_status_alone_names_none_in_particular():
    assert not Filter().narrow
    assert Filter(stage="streams.route").narrow
    assert replace(Filter(), identities=frozenset({"a"})).narrow


def test_letters_that_failed_alike_are_counted_together():
    many = [letter(n) for n in range(3)] + [letter(9, error=ZeroDivisionError("x"))]
    (most, three), (_, one) = groups(Queue(many).letters.values())
    assert (most.reason, most.owner, three, one) == ("truncated", "delivery-operations", 3, 1)
