"""The circuit breaker: when a target is left alone, and how it comes back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.core.circuit import FIRST, LIMIT, LONGEST, Circuit, begun, ended, wait_before
from consumers.core.retry import Failure

DOWN = Failure("no answer")


def opened(times=1):
    """A circuit that opened so often in a row, at the time 0."""
    circuit = Circuit()
    for _ in range(LIMIT):
        circuit = ended(begun(circuit), DOWN, 0.0)
    for _ in range(times - 1):
        circuit = ended(begun(circuit), DOWN, 0.0)
    return circuit


def test_failures_in_a_row_open_it_and_fewer_do_not():
    circuit = Circuit()
    for _ in range(LIMIT - 1):
        circuit = ended(begun(circuit), DOWN, 0.0)
    assert circuit.closed

    assert not ended(begun(circuit), DOWN, 0.0).closed
    assert ended(ended(begun(circuit), None, 0.0), DOWN, 0.0).closed


@pytest.mark.parametrize(
    ("circuit", "now", "wait"),
    [
        pytest.param(Circuit(), 0.0, 0.0, id="closed: everybody may call"),
        pytest.param(opened(), 0.0, FIRST, id="open: nobody may"),
        pytest.param(opened(), FIRST, 0.0, id="half open: one may"),
        pytest.param(begun(opened()), FIRST, FIRST, id="half open, and one does: the others wait"),
        pytest.param(opened(2), 0.0, 2 * FIRST, id="the second opening is twice as long"),
        pytest.param(opened(50), 0.0, LONGEST, id="none is longer than the longest"),
    ],
)
def test_who_may_call_when(circuit, now, wait):
    assert wait_before(circuit, now) == wait


def test_a_probe_that_succeeds_closes_it_and_forgets():
    assert ended(begun(opened(3)), None, 5.0) == Circuit()


def test_what_it_refuses_for_its_own_sake_says_that_it_is_up():
    assert ended(begun(opened(3)), Failure("no such record", final=True), 5.0) == Circuit()


def test_a_target_that_names_a_time_is_left_alone_until_then():
    assert wait_before(ended(Circuit(), Failure("HTTP 429", retry_after=30.0), 0.0), 10.0) == 20.0


def test_calls_that_were_under_way_when_it_opened_do_not_lengthen_it():
    late = ended(opened(), DOWN, 0.5)

    assert (late.openings, wait_before(late, FIRST)) == (1, 0.0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, DOWN, Failure("x", final=True), Failure("x", retry_after=3.0)]), st.floats(0, 9)
        )
    )
)
def test_it_always_lets_somebody_through_again(history):
    circuit, now = Circuit(), 0.0
    for outcome, later in history:
        now += later
        if wait_before(circuit, now) == 0.0:
            circuit = begun(circuit)
        circuit = replace(ended(circuit, outcome, now), probing=False)

    assert wait_before(circuit, now + LONGEST) == 0.0
