"""The rate limit: never more than so many in any second, beyond the first burst."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.core.rate import admitted


def times(per_second, arrivals):
    """When each call is made."""
    reserved, made = 0.0, []
    for now in arrivals:
        reserved, wait = admitted(reserved, now, per_second)
        made.append(now + wait)
    return made


def test_a_burst_passes_and_what_follows_is_spaced():
    assert [round(t, 6) for t in times(4.0, [0.0] * 8)] == [0.0, 0.0, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0]


def test_less_than_one_a_second_has_no_burst():
    assert times(0.5, [0.0, 0.0, 0.0]) == [0.0, 2.0, 4.0]


@given(st.floats(0.1, 50), st.lists(st.floats(0, 0.5), max_size=60))
def test_no_second_has_more_than_a_burst_and_a_second_of_calls(per_second, gaps):
    arrivals = [sum(gaps[:n]) for n in range(len(gaps))]
    made = times(per_second, arrivals)

    assert made == sorted(made)
    for start in made:
        assert sum(start <= t < start + 1.0 for t in made) <= 2 * per_second + 2
