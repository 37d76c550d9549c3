"""What is read again, and when."""

from __future__ import annotations

import pytest

from producers.capture.recent import PART, Recent
from producers.capture.store import Store

OVERLAP = 150.0


@pytest.fixture
def recent() -> Recent:
    return Recent(Store(), OVERLAP)


def test_a_new_stamp_is_unread_and_an_old_one_is_not(recent: Recent) -> None:
    recent.read([(1, "a")], 0.0)
    assert recent.unread([(1, "a"), (1, "b"), (2, "a")]) == [1, 2]


def test_a_record_is_read_again_at_growing_ages(recent: Recent) -> None:
    recent.read([(1, "a")], 0.0)
    due = [t for t in range(400) if recent.due(float(t))]
    assert due == [2, 15, 150], "rewritten in the same second; soon after; when the longest transaction has ended"


def test_then_it_is_forgotten(recent: Recent) -> None:
    recent.read([(1, "a")], 0.0)
    for t in range(0, 301, 10):
        recent.due(float(t))
    assert len(recent) == 0


def test_a_newer_stamp_starts_anew(recent: Recent) -> None:
    recent.read([(1, "a")], 0.0)
    recent.read([(1, "b")], 10.0)
    assert recent.due(10.9) == [], "the first stamp's ages are over"
    assert recent.due(11.5) == [1]


def test_reading_it_again_does_not_start_anew(recent: Recent) -> None:
    for t in (0.0, 1.0, 2.0):
        recent.read([(1, "a")], t)
    assert [t for t in range(20) if recent.due(float(t))] == [2, 15]


def test_a_failed_reading_is_due_at_once(recent: Recent) -> None:
    recent.read([(1, "a")], 0.0)
    assert recent.due(2.0) == [1]
    recent.again([1, 99])
    assert recent.due(2.0) == [1]


def test_a_snapshot_is_not_read_three_times_more(recent: Recent) -> None:
    recent.read([(1, "a")], 0.0, once=True)
    assert [t for t in range(400) if recent.due(float(t))] == [150]


def test_a_mass_edit_is_read_again_in_parts(recent: Recent) -> None:
    edited = [(number, "a") for number in range(1, 3 * PART + 1)]
    for begin in range(0, len(edited), 1000):
        recent.read(edited[begin : begin + 1000], 0.0)
    parts = [recent.due(2.0) for _ in range(4)]
    assert [len(part) for part in parts] == [PART, PART, PART, 0]
    assert sorted(number for part in parts for number in part) == [number for number, _ in edited]


def test_what_is_late_to_be_read_again_is_not_forgotten_before(recent: Recent) -> None:
    recent.read([(number, "a") for number in range(1, PART + 1)], 0.0)
    recent.read([(PART + 1, "a")], 1.0)
    assert len(recent.due(1000.0)) == PART, "its first age"
    due = [recent.due(1000.0) for _ in range(10)]
    assert sum(PART + 1 in part for part in due) == 3, "each age, and only then it is forgotten"
    assert len(recent) == 0
