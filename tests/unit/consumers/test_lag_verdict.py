"""Lag verdicts: the table is the correctness proof, every case with its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.core.lag_verdict import Sample, Verdict, judge


def window(*pairs, members=1, begin=0):
    return [Sample(committed, begin, end, members) for committed, end in pairs]


@pytest.mark.parametrize(
    ("samples", "verdict"),
    [
        pytest.param(window((10, 10), (10, 10)), Verdict.OK, id="1: nothing to read"),
        pytest.param(
            window((10, 10), (10, 15), (10, 30)), Verdict.OK, id="1: caught up a moment ago, records have just come"
        ),
        pytest.param(window((10, 10), (10, 10), members=0), Verdict.OK, id="1: nobody there, and nothing to read"),
        pytest.param(window((5, 10), (5, 10), members=0), Verdict.STOPPED, id="2: records wait for nobody"),
        pytest.param(window((5, 10), (8, 10), members=0), Verdict.STOPPED, id="2: it moved, then its last member left"),
        pytest.param(
            window((5, 10), (5, 10), (5, 10)), Verdict.STALLED, id="3: members are there, nothing moves, nothing comes"
        ),
        pytest.param(
            window((5, 10), (5, 20), (5, 30)), Verdict.STALLED, id="3: members are there, nothing moves, records come"
        ),
        pytest.param(window((None, 10), (None, 10)), Verdict.STALLED, id="3: nothing was ever committed"),
        pytest.param(
            window((5, 10), (6, 20), (7, 30)), Verdict.FALLING_BEHIND, id="4: it moves, but slower than records come"
        ),
        pytest.param(window((5, 10), (6, 11), (7, 13)), Verdict.FALLING_BEHIND, id="4: level, then growing"),
        pytest.param(window((5, 10), (6, 11), (7, 12)), Verdict.OK, id="5: it keeps up, at a distance"),
        pytest.param(
            window((5, 1000), (500, 1000), (900, 1000)), Verdict.OK, id="5: a large lag that shrinks is a catch-up"
        ),
        pytest.param(window((5, 10), (9, 11), (9, 20)), Verdict.OK, id="5: it shrank in between: a burst, not a trend"),
        pytest.param(window((5, 10)), Verdict.OK, id="5: one look shows no movement"),
        pytest.param(
            window((5, 100), (5, 100), begin=100), Verdict.OK, id="retention overtook it: nothing is left to read"
        ),
    ],
)
def test_verdicts(samples, verdict):
    assert judge(samples) is verdict


def test_nothing_cannot_be_judged():
    with pytest.raises(ValueError, match="needs a sample"):
        judge([])


OFFSETS = st.integers(0, 1000)
SAMPLES = st.lists(st.builds(Sample, st.none() | OFFSETS, OFFSETS, OFFSETS, st.integers(0, 3)), min_size=1)


@given(SAMPLES)
def test_who_has_read_everything_is_well(samples):
    assert judge([*samples, Sample(1000, 0, 1000, 0)]) is Verdict.OK


@given(SAMPLES, st.integers(0, 10**6))
def test_only_differences_of_offsets_count(samples, by):
    shifted = [
        Sample(None if s.committed is None else s.committed + by, s.begin + by, s.end + by, s.members) for s in samples
    ]

    assert judge(shifted) is judge(samples)
