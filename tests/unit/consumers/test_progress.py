"""How far may be committed: never past a record that has not ended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.core.ledger import Ledger
from consumers.core.progress import Progress


@st.composite
def histories(draw):
    """Offsets with gaps, as transactions leave them, and an order in which some of them end."""
    offsets = sorted(draw(st.sets(st.integers(0, 50), min_size=1)))
    ended = draw(st.lists(st.sampled_from(offsets), unique=True))
    return offsets, ended


@given(histories())
def test_everything_before_the_committed_offset_has_ended(history):
    offsets, ended = history
    progress = Progress()
    for offset in offsets:
        progress.started(3, offset)
    for offset in ended:
        progress.ended(3, offset)

    committed = progress.committable()[3]

    assert all(offset in ended for offset in offsets if offset < committed)
    assert committed > offsets[-1] or committed not in ended
    assert progress.under_way == len(offsets) - len(ended)


def test_markers_of_transactions_after_the_last_record_are_passed():
    progress = Progress()
    progress.started(0, 4)
    progress.reached(0, 6)
    assert progress.committable() == {0: 4}

    progress.ended(0, 4)
    assert progress.committable() == {0: 6}


def test_a_partition_that_went_to_another_is_not_committed():
    progress = Progress()
    progress.started(0, 4)
    progress.forget(0)
    progress.ended(0, 4)

    assert progress.committable() == {}


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


def test_why_an_action_was_given_up_is_known_unless_a_person_ended_it_before():
    ledger = Ledger()
    for identity, status in (("a", "abandoned"), ("b", "overridden"), ("b", "abandoned"), ("c", "uncertain")):
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
