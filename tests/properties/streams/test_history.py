"""What holds on a day depends on the versions known, not on the order in which they came, nor on what was merged into runs."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from streams.core.history import History

versions = st.lists(st.tuples(st.integers(0, 6), st.sampled_from("AB")), min_size=1, max_size=7)


def entries(said: list[tuple[int, str]]) -> list[dict[str, object]]:
    return [{"version": number, "day": day, "says": what} for number, (day, what) in enumerate(said, start=1)]


def made(published: list[dict[str, object]]) -> History:
    history = History("day", lambda entry: entry["says"])
    for entry in published:
        history.add(entry)
    return history


def held(history: History) -> list[object]:
    """What holds on each day."""
    out = []
    for day in range(8):
        begun = [run for run in history.segments() if run.day <= day] or history.segments()[:1]
        out.append(begun[-1].entry["says"])
    return out


def said_on_each_day(published: list[dict[str, object]]) -> list[object]:
    """The rule, written plainly: a version holds from its day on, over all that came before it."""
    days = [published[0]["says"]] * 8
    earliest = min(int(str(entry["day"])) for entry in published)
    for entry in published:
        begin = int(str(entry["day"]))
        days[0 if begin == earliest else begin :] = [entry["says"]] * (8 - (0 if begin == earliest else begin))
    return days


@given(versions, st.randoms(use_true_random=False))
def test_any_order_holds_the_same(said: list[tuple[int, str]], shuffle: random.Random) -> None:
    ordered = entries(said)
    mixed = ordered * 2
    shuffle.shuffle(mixed)
    assert held(made(mixed)) == held(made(ordered)) == said_on_each_day(ordered)
    assert made(mixed).head.last == len(said)


@given(versions, st.randoms(use_true_random=False))
def test_a_version_seen_before_is_no_news(said: list[tuple[int, str]], shuffle: random.Random) -> None:
    mixed = entries(said)
    shuffle.shuffle(mixed)
    history = made(mixed)
    assert all(history.add(entry) is None for entry in mixed)


@given(versions, st.randoms(use_true_random=False), st.integers(0, 7))
def test_restored_runs_go_on(said: list[tuple[int, str]], shuffle: random.Random, stop: int) -> None:
    published = entries(said)
    rows: dict[int, dict[str, object]] = {}
    first = History("day", lambda entry: entry["says"])
    for entry in published[:stop]:
        run = first.add(entry)
        assert run is not None
        rows[run.first] = run.entry
    kept = list(rows.items())
    shuffle.shuffle(kept)
    second = History("day", lambda entry: entry["says"])
    for number, entry in kept:
        assert second.load(number, entry)
        assert not second.load(number, entry)
    for entry in published[stop:]:
        second.add(entry)
    assert held(second) == held(made(published))
