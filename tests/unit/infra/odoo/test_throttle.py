"""The ceiling, by a clock that only moves when somebody sleeps or works."""

from contextlib import suppress

import pytest

from infra.odoo.throttle import BURST, Throttle


class Time:
    now = 50.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def run(calls: int, *, per_second: float, share: float, each: float) -> tuple[float, float]:
    """Seconds passed, and seconds worked."""
    time = Time()
    throttle = Throttle(per_second, share, clock=time, sleep=time.sleep)
    begun = time.now
    for _ in range(calls):
        with throttle.turn():
            time.sleep(each)
    return time.now - begun, calls * each


def test_no_more_requests_a_second_than_allowed() -> None:
    passed, _ = run(100, per_second=10, share=1, each=0.001)
    assert 100 / passed == pytest.approx(10, rel=0.05)


def test_no_more_of_the_time_than_allowed() -> None:
    passed, worked = run(100, per_second=1000, share=0.25, each=0.1)
    assert worked / passed == pytest.approx(0.25, rel=0.05)


def test_a_call_that_fails_counts_too() -> None:
    time = Time()
    throttle = Throttle(1000, 0.5, clock=time, sleep=time.sleep)
    with suppress(ValueError), throttle.turn():
        time.sleep(2.0)
        raise ValueError
    begun = time.now
    with throttle.turn():
        pass
    assert time.now - begun == pytest.approx(2.0)


def test_a_rest_allows_a_burst_of_one_second() -> None:
    time = Time()
    throttle = Throttle(10, 1, clock=time, sleep=time.sleep)
    time.now += 60
    begun = time.now
    for _ in range(10):
        with throttle.turn():
            pass
    assert time.now - begun <= BURST
    for _ in range(10):
        with throttle.turn():
            pass
    assert time.now - begun == pytest.approx(1.0, abs=0.2)
