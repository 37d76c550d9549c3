"""Lines crossed and left: each case is a walk over values and what it says on the way."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from streams.core.alerts import (
    Crossing,
    Line,
    Memory,
    Rule,
    band,
    calm_range,
    clear,
    each_once,
    flag,
    ladder,
    once,
    standing,
)

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
    memory.enter(LADDER, Line("85", "info", "former"), None)
    (crossing,) = ladder(memory, LADDER, Fraction(95, 100), SLACK)[:1]
    assert (crossing.status, crossing.line.level, crossing.line.owner) == ("cleared", "85", "team")


def changed(line: Line, **terms: object) -> Line:
    return line._replace(**terms)  # type: ignore[arg-type]  a test may change any of them


FIRST = LADDER.lines[0]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param(FIRST, [], id="the same terms are no news"),
        pytest.param(changed(FIRST, severity="warning"), ["changed 50 #1.2"], id="another severity"),
        pytest.param(changed(FIRST, owner="others"), ["changed 50 #1.2"], id="another owner"),
        pytest.param(changed(FIRST, at=Fraction(45, 100)), ["changed 50 #1.2"], id="another threshold, reached too"),
        pytest.param(
            changed(FIRST, at=Fraction(65, 100)), ["cleared 50 #1.2"], id="a threshold no longer reached ends it"
        ),
        pytest.param(changed(FIRST, about="else"), ["changed 50 #1.2"], id="it is about something else"),
    ],
)
def test_what_was_told_is_told_anew_when_its_terms_change(line: Line, says: list[str]) -> None:
    memory, rule = Memory(), Rule("r", (line, *LADDER.lines[1:]), "team")
    walk(memory, 50, 60)
    found = ladder(memory, rule, Fraction(60, 100), SLACK)
    assert [f"{c.status} {c.line.level} #{c.episode}.{c.revision}" for c in found] == says
    assert ladder(memory, rule, Fraction(60, 100), SLACK) == []


def test_a_line_passed_silently_changes_silently() -> None:
    memory, rule = Memory(), Rule("r", tuple(changed(line, owner="others") for line in LADDER.lines), "team")
    walk(memory, 91)
    assert [c.line.level for c in ladder(memory, rule, Fraction(91, 100), SLACK)] == ["90"]


def test_each_word_of_an_alert_has_a_number_and_the_memory_a_higher_version() -> None:
    memory, seen, versions = Memory(), [], [0]
    rules = [Rule("r", (changed(FIRST, owner=owner),), "team") for owner in ("one", "two", "three")]
    for value, rule in [(50, 0), (50, 1), (50, 2), (0, 2), (50, 2), (0, 0)]:
        for c in ladder(memory, rules[rule], Fraction(value, 100), SLACK):
            seen.append((c.status, c.episode, c.revision))
            versions.append(memory.version)
    assert seen == [
        ("raised", 1, 1),
        ("changed", 1, 2),
        ("changed", 1, 3),
        ("cleared", 1, 4),
        ("raised", 2, 1),
        ("cleared", 2, 2),
    ]
    assert versions == sorted(set(versions))
    restored = Memory()
    restored.load(memory.dump())
    assert restored.version == memory.version


def test_what_was_raised_before_terms_were_remembered_is_taken_over_silently() -> None:
    memory = Memory()
    memory.load(
        [{"rule": "r", "level": "50", "episode": 1, "state": "raised", "revision": 0, "told": "", "changes": 0}]
    )
    assert walk(memory, 55) == []
    assert [c.status for c in ladder(memory, Rule("r", (changed(FIRST, owner="x"),), "t"), Fraction(1), SLACK)] == [
        "changed"
    ]


@pytest.mark.parametrize(
    "bring",
    [
        pytest.param(lambda memory, rule: band(memory, rule, "50", None), id="a band"),
        pytest.param(lambda memory, rule: flag(memory, rule, None, begins=True, ends=False), id="a flag"),
        pytest.param(lambda memory, rule: once(memory, rule, None, episode=1, reached=list(rule.lines)), id="once"),
        pytest.param(
            lambda memory, rule: each_once(memory, rule, episode=1, reached=[(rule.lines[0], Fraction(1))]),
            id="each once",
        ),
        pytest.param(lambda memory, rule: standing(memory, rule, None, list(rule.lines)), id="what stands"),
    ],
)
def test_every_kind_of_rule_tells_a_change_once(bring: Callable[[Memory, Rule], list[Crossing]]) -> None:
    memory = Memory()
    before, after = (Rule("r", (changed(FIRST, owner=owner),), "team") for owner in ("one", "two"))
    said = [[(c.status, c.line.owner) for c in bring(memory, rule)] for rule in (before, before, after, after)]
    assert said == [[("raised", "one")], [], [("changed", "two")], []]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda memory: clear(memory, LADDER), id="all of it ends"),
        pytest.param(lambda memory: ladder(memory, LADDER, None, SLACK), id="there is no value any more"),
        pytest.param(lambda memory: once(memory, LADDER, None, episode=9, reached=[]), id="another episode"),
        pytest.param(lambda memory: each_once(memory, LADDER, episode=9, reached=[]), id="each for itself"),
        pytest.param(lambda memory: band(memory, LADDER, None, None), id="no band"),
    ],
)
def test_a_restart_changes_no_order(end: Callable[[Memory], list[Crossing]]) -> None:
    """Levels were crossed in the order of their size, and are remembered by name: 100 before 75. An alert's version is its place."""
    memory, restarted = Memory(), Memory()
    retired = Line("9", "info", "team", Fraction(9, 100))
    for line in (*LADDER.lines[1:5], retired):
        memory.enter(LADDER, line, None)
    restarted.load(memory.dump())
    ended = [crossing.line.level for crossing in end(memory)]
    assert ended == [crossing.line.level for crossing in end(restarted)] == ["9", "75", "90", "100", "110"]
