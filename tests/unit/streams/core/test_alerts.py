"""Lines crossed and left: each case is a walk over values and what it says on the way."""

from __future__ import annotations

from fractions import Fraction

import pytest

from streams.core.alerts import Line, Memory, Rule, band, calm_range, ladder, once

LADDER = Rule("r", tuple(Line(str(p), "info", "team", Fraction(p, 100)) for p in (50, 75, 90, 100, 110)), "team")
SLACK = Fraction(2, 100)


def walk(memory: Memory, *percents: int | None) -> list[str]:
    out = []
    for percent in percents:
        value = None if percent is None else Fraction(percent, 100)
        for c in ladder(memory, LADDER, value, SLACK):
            passed = f" passing {','.join(c.passed)}" if c.passed else ""
            out.append(f"{c.status} {c.line.level} #{c.episode}{passed}")
    return out


@pytest.mark.parametrize(
    ("percents", "said"),
    [
        pytest.param([49], [], id="below every line nothing is said"),
        pytest.param([50, 60, 50], ["raised 50 #1"], id="a line is raised once, when reached"),
        pytest.param([50, 48, 50], ["raised 50 #1"], id="two points below it holds"),
        pytest.param(
            [50, 47, 50],
            ["raised 50 #1", "cleared 50 #1", "raised 50 #2"],
            id="further below it ends and is armed again",
        ),
        pytest.param([91], ["raised 90 #1 passing 50,75"], id="a jump raises the highest and names those passed"),
        pytest.param(
            [91, 40], ["raised 90 #1 passing 50,75", "cleared 90 #1"], id="what was passed silently ends silently"
        ),
        pytest.param(
            [91, 70, 76],
            ["raised 90 #1 passing 50,75", "cleared 90 #1", "raised 75 #2"],
            id="a passed line is armed again",
        ),
        pytest.param([100, 110], ["raised 100 #1 passing 50,75,90", "raised 110 #1"], id="each further line speaks"),
        pytest.param([76, None], ["raised 75 #1 passing 50", "cleared 75 #1"], id="without a value nothing stands"),
        pytest.param([-10, 50], ["raised 50 #1"], id="a negative value is below"),
    ],
)
def test_a_ladder(percents: list[int | None], said: list[str]) -> None:
    assert walk(Memory(), *percents) == said


@pytest.mark.parametrize("percent", [0, 47, 48, 49, 50, 74, 75, 89, 91, 300])
def test_inside_the_calm_range_nothing_is_said_and_outside_something_is(percent: int) -> None:
    memory = Memory()
    walk(memory, 76)
    low, high = calm_range(memory, LADDER, SLACK)
    assert low is not None
    assert high is not None
    calm = low <= Fraction(percent, 100) < high
    memory.changed = False
    walk(memory, percent)
    assert memory.changed is not calm


def test_a_ladder_goes_on_from_what_was_remembered() -> None:
    first, second = Memory(), Memory()
    walk(first, 91, 76)
    second.load(first.dump())
    assert walk(second, 95) == ["raised 90 #2"]
    assert second.version > first.version


BANDS = Rule("b", (Line("low", "info", "team"), Line("high", "info", "team")), "team")


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        pytest.param(["low", "low"], ["raised low"], id="a band is raised once"),
        pytest.param(["low", "high"], ["raised low", "cleared low", "raised high"], id="one band for another"),
        pytest.param(
            ["low", "fine", "low"], ["raised low", "cleared low", "raised low"], id="a band without a line only clears"
        ),
        pytest.param(["low", None], ["raised low", "cleared low"], id="no band"),
        pytest.param(["fine", None], [], id="what was not raised is not cleared"),
    ],
)
def test_bands(levels: list[str | None], said: list[str]) -> None:
    memory = Memory()
    assert [f"{c.status} {c.line.level}" for level in levels for c in band(memory, BANDS, level, None)] == said


def test_once_lines_are_raised_once_in_an_episode() -> None:
    memory = Memory()
    lines = list(LADDER.lines)

    def say(episode: int, reached: int) -> list[str]:
        found = once(memory, LADDER, None, episode=episode, reached=lines[:reached])
        return [f"{c.status} {c.line.level} #{c.episode}" for c in found]

    assert say(1, 1) == ["raised 50 #1"]
    assert say(1, 1) == []
    assert say(1, 3) == ["raised 90 #1"]
    assert say(1, 0) == ["cleared 50 #1", "cleared 90 #1"]
    assert say(1, 3) == []
    assert say(2, 1) == ["raised 50 #2"]


def test_a_line_no_longer_configured_ends_with_an_owner() -> None:
    memory = Memory()
    memory.enter("r", "85", "raised")
    (crossing,) = ladder(memory, LADDER, Fraction(95, 100), SLACK)[:1]
    assert (crossing.status, crossing.line.level, crossing.line.owner) == ("cleared", "85", "team")
