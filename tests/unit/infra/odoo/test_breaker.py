"""The breaker's states, by the clock."""

import pytest

from infra.odoo.breaker import FIRST, LIMIT, LONGEST, Breaker, Paused
from infra.odoo.failures import Limited, Sick

SICK = Sick("Odoo answered HTTP 502", remedy="look at its log")


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breaker(time: Time) -> Breaker:
    return Breaker(clock=time, chance=lambda: 0.0)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.admit()
        breaker.failed(SICK)


def test_it_opens_after_failures_in_a_row_and_says_since_when_and_why(breaker: Breaker) -> None:
    fail(breaker, LIMIT - 1)
    breaker.admit()
    trouble = breaker.trouble
    assert trouble is not None
    assert not trouble.open
    breaker.failed(SICK)
    with pytest.raises(Paused, match="HTTP 502") as paused:
        breaker.admit()
    assert paused.value.wait == pytest.approx(FIRST)
    assert breaker.trouble is not None
    assert (breaker.trouble.since, breaker.trouble.failures, breaker.trouble.open) == (trouble.since, LIMIT, True)


def test_an_answer_in_between_begins_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, LIMIT - 1)
    breaker.passed()
    fail(breaker, LIMIT - 1)
    breaker.admit()


def test_one_call_probes_and_the_others_wait(breaker: Breaker, time: Time) -> None:
    fail(breaker, LIMIT)
    time.now += FIRST + 0.01
    breaker.admit()
    with pytest.raises(Paused):
        breaker.admit()
    breaker.passed()
    breaker.admit()
    breaker.admit()
    assert breaker.trouble is None


def test_a_probe_that_fails_doubles_the_pause_up_to_a_limit(breaker: Breaker, time: Time) -> None:
    fail(breaker, LIMIT)
    waits = []
    for _ in range(10):
        with pytest.raises(Paused) as paused:
            breaker.admit()
        waits.append(paused.value.wait)
        time.now += paused.value.wait + 0.01
        breaker.admit()
        breaker.failed(SICK)
    assert waits[:3] == pytest.approx([FIRST, 2 * FIRST, 4 * FIRST])
    assert max(waits) == pytest.approx(LONGEST)


def test_a_rate_limit_opens_it_at_once_for_as_long_as_it_says(breaker: Breaker, time: Time) -> None:
    breaker.admit()
    breaker.failed(Limited("429", remedy="", wait=30.0))
    with pytest.raises(Paused) as paused:
        breaker.admit()
    assert paused.value.wait == pytest.approx(30.0)
    time.now += 30.01
    breaker.admit()
