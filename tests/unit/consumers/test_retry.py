"""What follows a failed attempt."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.core.retry import Abandon, Doubt, Failure, Patience, Wait, after_failure, refused, seconds_to_wait
from infra.settings import ActionSettings

NOW = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)
PATIENCE = Patience(schedule=(1.0, 2.0, 4.0, 8.0), longest_wait=60.0)
MIDDLE = 0.5


@pytest.mark.parametrize(
    ("attempt", "failure", "verdict"),
    [
        pytest.param(1, Failure("x"), Wait(1.0), id="the first wait of the schedule"),
        pytest.param(3, Failure("x"), Wait(4.0), id="the third"),
        pytest.param(5, Failure("x"), Abandon("x; 5 attempts are used up"), id="the last attempt"),
        pytest.param(6, Failure("x"), Abandon("x; 6 attempts are used up"), id="the limit was lowered meanwhile"),
        pytest.param(1, Failure("gone", final=True), Abandon("gone"), id="for good"),
        pytest.param(1, Failure("no more", gone=True), Abandon("no more"), id="whoever wants nothing more"),
        pytest.param(1, Failure("x", uncertain=True), Wait(1.0), id="perhaps done: a target that tells is asked again"),
        pytest.param(1, Failure("x", retry_after=30.0), Wait(30.0), id="the target's word is honoured"),
        pytest.param(4, Failure("x", retry_after=2.0), Wait(8.0), id="it names the least wait, not the most"),
        pytest.param(1, Failure("x", retry_after=60.0), Wait(60.0), id="as long as is allowed"),
        pytest.param(
            1,
            Failure("x", retry_after=61.0),
            Abandon("x; it asks to wait 61 s, longer than the 60 s allowed"),
            id="longer than is allowed",
        ),
        pytest.param(1, Failure("x", retry_after=0.0), Wait(1.0), id="come back at once: not at once"),
    ],
)
def test_after_a_failure(attempt, failure, verdict):
    assert after_failure(attempt, failure, PATIENCE, MIDDLE, idempotent=True) == verdict


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        pytest.param(Failure("x", uncertain=True), Doubt("x"), id="perhaps done: a person must look"),
        pytest.param(Failure("x"), Wait(1.0), id="certainly not done: again"),
        pytest.param(Failure("x", uncertain=True, final=True), Abandon("x"), id="refused for good"),
    ],
)
def test_a_target_that_would_do_it_twice_is_asked_again_only_where_it_was_not_done(failure, verdict):
    assert after_failure(1, failure, PATIENCE, MIDDLE, idempotent=False) == verdict


@given(attempt=st.integers(1, 4), retry_after=st.none() | st.floats(0, 60), chance=st.floats(0, 1, exclude_max=True))
def test_a_wait_is_near_the_schedule_and_never_shorter_than_asked(attempt, retry_after, chance):
    verdict = after_failure(attempt, Failure("x", retry_after=retry_after), PATIENCE, chance, idempotent=True)

    assert isinstance(verdict, Wait)
    scheduled = PATIENCE.schedule[attempt - 1]
    assert max(retry_after or 0.0, 0.8 * scheduled) <= verdict.seconds <= max(retry_after or 0.0, 1.2 * scheduled)


def test_the_schedule_is_that_of_standard_webhooks():
    patience = Patience(ActionSettings().schedule, ActionSettings().longest_wait)

    assert patience.attempts == 10
    assert patience.span == 75 * 3600 + 35 * 60 + 5


@pytest.mark.parametrize(
    ("status", "header", "failure"),
    [
        pytest.param(503, None, Failure("HTTP 503"), id="may pass"),
        pytest.param(404, None, Failure("HTTP 404"), id="a receiver being deployed"),
        pytest.param(302, None, Failure("HTTP 302"), id="redirects are not followed with a signed body"),
        pytest.param(410, "10", Failure("HTTP 410", gone=True, retry_after=10.0), id="gone is for good"),
        pytest.param(502, None, Failure("HTTP 502", uncertain=True), id="a proxy got no answer: nobody knows"),
        pytest.param(429, "30", Failure("HTTP 429", retry_after=30.0), id="too many, come back"),
    ],
)
def test_answers(status, header, failure):
    assert refused(status, header, NOW) == failure


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param(None, None, id="missing"),
        pytest.param("120", 120.0, id="seconds"),
        pytest.param(" 5 ", 5.0, id="with blanks"),
        pytest.param("Mon, 30 Mar 2026 08:01:00 GMT", 60.0, id="a date"),
        pytest.param("Mon, 30 Mar 2026 07:00:00 GMT", 0.0, id="a date that has passed"),
        pytest.param("soon", None, id="neither"),
        pytest.param("-5", None, id="negative"),
        pytest.param("1.5", None, id="no whole number"),
    ],
)
def test_retry_after(header, seconds):
    assert seconds_to_wait(header, NOW) == seconds


@given(st.text(max_size=50))
def test_nothing_a_receiver_can_write_breaks_it(header):
    seconds = seconds_to_wait(header, NOW)

    assert seconds is None or seconds >= 0
