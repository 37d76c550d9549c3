"""When an alert is raised, changed and cleared: lines that are crossed, and the memory of which are.

Rules
- One alert per crossing: a line that is in force is not raised again until it was cleared. Clearing arms it as a new episode.
- A raised alert is told anew, as changed, when what was told of it no longer holds: its severity, its owner, its threshold, or what
  it is about. A value that moves is no change: the next line is there for it.
- A ladder clears a line only below the line minus the hysteresis. A jump over several lines raises the highest and
  passes the others silently: they are in force, were never raised, and so are never reported as cleared.
- Of exclusive bands one is in force. Leaving one for another clears the one and raises the other.
- `once` lines belong to an episode that the measure counts itself: cleared or not, they are not raised again in it.

Invariant: what is returned and remembered, and in which order, depends on what is remembered and the value alone: not on the order in which it was remembered, which a
restart does not keep.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from mypy_extensions import mypyc_attr

from schemas.records import Severity
from schemas.wire import AlertLine

RAISED: Final = "raised"
PASSED: Final = "passed"
CLEARED: Final = "cleared"
_IN_FORCE = (RAISED, PASSED)


class Line(NamedTuple):
    """A line that can be crossed, who owns what follows, where it stands, if it is a number, and `about` what it speaks, if that can change."""

    level: str
    severity: Severity
    owner: str
    at: Fraction | None = None
    about: str = ""

    @property
    def terms(self) -> str:
        """What is told of the line, so that a change of it can be seen."""
        return f"{self.severity} {self.owner} {self.at} {self.about}"


class Rule(NamedTuple):
    """A name and its lines, lowest first. `fallback` owns lines that are remembered but no longer configured."""

    name: str
    lines: tuple[Line, ...]
    fallback: str

    def line(self, level: str) -> Line:
        """The line of a level."""
        return next((line for line in self.lines if line.level == level), Line(level, "info", self.fallback))


class Crossing(NamedTuple):
    """A line was crossed, its alert ended, or it is told anew. `revision` counts what was said of the alert, from 1."""

    status: Literal["raised", "changed", "cleared"]
    rule: str
    line: Line
    episode: int
    value: Fraction | None
    passed: tuple[str, ...] = ()
    revision: int = 1


class Standing(NamedTuple):
    """How a line stands: how often it was crossed, and whether it is in force.

    Of its last alert: how often it spoke, and the terms last told, empty where nobody knows. Of all: how often one changed.
    """

    episode: int = 0
    state: str = CLEARED
    revision: int = 0
    told: str = ""
    changes: int = 0


_NEVER = Standing()


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class Memory:
    """The lines of one subject."""

    __slots__ = ("_lines", "changed")

    def __init__(self) -> None:
        """Begin with nothing crossed."""
        self._lines: dict[tuple[str, str], Standing] = {}
        self.changed = False

    def load(self, lines: Iterable[AlertLine]) -> None:
        """Take over what was remembered."""
        self._lines = {
            (line["rule"], line["level"]): Standing(*(line[name] for name in Standing._fields))  # type: ignore[literal-required]
            for line in lines
        }

    def dump(self) -> list[AlertLine]:
        """All lines, ordered by rule and level."""
        return [
            {"rule": rule, "level": level, **standing._asdict()}  # type: ignore[typeddict-item]
            for (rule, level), standing in sorted(self._lines.items())
        ]

    @property
    def version(self) -> int:
        """Grows with each change of a line."""
        return sum(2 * one.episode - (one.state in _IN_FORCE) + one.changes for one in self._lines.values())

    def get(self, rule: str, level: str) -> Standing:
        """How a line stands."""
        return self._lines.get((rule, level), _NEVER)

    def in_force(self, rule: str) -> list[str]:
        """Levels of a rule that are raised or passed, in no order."""
        return [level for (name, level), one in self._lines.items() if name == rule and one.state in _IN_FORCE]

    def pass_by(self, rule: Rule, line: Line, episode: int | None = None) -> None:
        """Put a line in force silently, as its next episode or the one named."""
        self._begin(rule, line, episode, Standing(state=PASSED))

    def enter(
        self,
        rule: Rule,
        line: Line,
        value: Fraction | None,
        *,
        passed: tuple[str, ...] = (),
        episode: int | None = None,
    ) -> Crossing:
        """Raise a line, as its next episode or the one named."""
        now = self._begin(rule, line, episode, Standing(state=RAISED, revision=1, told=line.terms))
        return Crossing(RAISED, rule.name, line, now.episode, value, passed)

    def leave(self, rule: Rule, level: str, value: Fraction | None) -> list[Crossing]:
        """Clear a line; a passed one silently."""
        before = self.get(rule.name, level)
        self._put(rule.name, level, before._replace(state=CLEARED, revision=before.revision + 1, told=""))
        if before.state != RAISED:
            return []
        return [Crossing(CLEARED, rule.name, rule.line(level), before.episode, value, revision=before.revision + 1)]

    def renew(self, rule: Rule, lines: Iterable[Line], value: Fraction | None) -> list[Crossing]:
        """Tell anew what is raised under other terms than those last told."""
        out = []
        for line in lines:
            before = self.get(rule.name, line.level)
            if before.state != RAISED or before.told == line.terms:
                continue
            if not before.told:  # raised before terms were remembered: taken over as they are
                self._lines[rule.name, line.level] = before._replace(told=line.terms)
                continue
            now = before._replace(revision=before.revision + 1, told=line.terms, changes=before.changes + 1)
            self._put(rule.name, line.level, now)
            out.append(Crossing("changed", rule.name, line, now.episode, value, revision=now.revision))
        return out

    def _put(self, rule: str, level: str, standing: Standing) -> None:
        self._lines[rule, level] = standing
        self.changed = True

    def _begin(self, rule: Rule, line: Line, episode: int | None, standing: Standing) -> Standing:
        before = self.get(rule.name, line.level)
        now = standing._replace(episode=before.episode + 1 if episode is None else episode, changes=before.changes)
        self._put(rule.name, line.level, now)
        return now


def ladder(memory: Memory, rule: Rule, value: Fraction | None, hysteresis: Fraction) -> list[Crossing]:
    """Bring a rule whose lines are crossed upwards to a value; null stands below every line."""
    at = {line.level: line.at for line in rule.lines}
    out: list[Crossing] = []
    for level in _ordered(memory, rule):
        bound = at.get(level)
        if value is None or bound is None or value < bound - hysteresis:
            out += memory.leave(rule, level, value)
    if value is None:
        return out
    out += memory.renew(rule, rule.lines, value)
    reached = [line for line in rule.lines if line.at is not None and line.at <= value]
    new = [line for line in reached if memory.get(rule.name, line.level).state not in _IN_FORCE]
    if not new:
        return out
    top = new[-1]
    silent = new[:-1] if top is reached[-1] else new
    for line in silent:
        memory.pass_by(rule, line)
    if top is reached[-1]:
        out.append(memory.enter(rule, top, value, passed=tuple(line.level for line in silent)))
    return out


def calm_range(memory: Memory, rule: Rule, hysteresis: Fraction) -> tuple[Fraction | None, Fraction | None]:
    """From which value (included) up to which (not included) a ladder stays as it is; null where nothing bounds it."""
    below: Fraction | None = None
    above: Fraction | None = None
    for line in rule.lines:
        if line.at is None:
            continue
        if memory.get(rule.name, line.level).state in _IN_FORCE:
            below = max(line.at - hysteresis, below) if below is not None else line.at - hysteresis
        else:
            above = min(line.at, above) if above is not None else line.at
    return below, above


def band(memory: Memory, rule: Rule, level: str | None, value: Fraction | None) -> list[Crossing]:
    """Bring exclusive bands to one of them, or to none. A band without a line is remembered and not raised."""
    now = memory.in_force(rule.name)
    if now == ([] if level is None else [level]):
        return memory.renew(rule, rule.lines, value)
    out = [crossing for old in _ordered(memory, rule) for crossing in memory.leave(rule, old, value)]
    if level is not None:
        line = next((line for line in rule.lines if line.level == level), None)
        if line is None:
            memory.pass_by(rule, rule.line(level))
        else:
            out.append(memory.enter(rule, line, value))
    return out


def flag(memory: Memory, rule: Rule, value: Fraction | None, *, begins: bool, ends: bool) -> list[Crossing]:
    """Raise a rule of one line when `begins`, clear it when `ends`; between the two it stays as it is."""
    line = rule.lines[0]
    if memory.get(rule.name, line.level).state in _IN_FORCE:
        return memory.leave(rule, line.level, value) if ends else memory.renew(rule, rule.lines, value)
    return [memory.enter(rule, line, value)] if begins and not ends else []


def once(memory: Memory, rule: Rule, value: Fraction | None, *, episode: int, reached: list[Line]) -> list[Crossing]:
    """Raise the highest line reached, each line once in an episode; those below it are passed. `reached` is lowest first.

    A line no longer reached, or left from another episode, ends.
    """
    out = _left(memory, rule, value, episode, reached) + memory.renew(rule, reached, value)
    new = [line for line in reached if memory.get(rule.name, line.level).episode < episode]
    silent = [line for line in new if line is not reached[-1]]
    for line in silent:
        memory.pass_by(rule, line, episode)
    if len(silent) < len(new):
        passed = tuple(line.level for line in silent)
        out.append(memory.enter(rule, reached[-1], value, passed=passed, episode=episode))
    return out


def each_once(memory: Memory, rule: Rule, *, episode: int, reached: list[tuple[Line, Fraction]]) -> list[Crossing]:
    """As `once`, of lines that are no steps of one another: each that is reached is raised, with its own value."""
    out = _left(memory, rule, None, episode, [line for line, _ in reached])
    for line, value in reached:
        out += memory.renew(rule, [line], value)
        if memory.get(rule.name, line.level).episode < episode:
            out.append(memory.enter(rule, line, value, episode=episode))
    return out


def _left(memory: Memory, rule: Rule, value: Fraction | None, episode: int, reached: list[Line]) -> list[Crossing]:
    """End the lines that are no longer reached, or are left from another episode."""
    levels = {line.level for line in reached}
    return [
        crossing
        for level in _ordered(memory, rule)
        if level not in levels or memory.get(rule.name, level).episode != episode
        for crossing in memory.leave(rule, level, value)
    ]


def standing(memory: Memory, rule: Rule, value: Fraction | None, reached: list[Line]) -> list[Crossing]:
    """Put exactly the lines reached in force, each as an alert of its own: one that is left ends, one that is entered is raised."""
    levels = {line.level for line in reached}
    out = [
        crossing
        for level in sorted(memory.in_force(rule.name))
        if level not in levels
        for crossing in memory.leave(rule, level, value)
    ]
    out += memory.renew(rule, reached, value)
    return out + [
        memory.enter(rule, line, value) for line in reached if memory.get(rule.name, line.level).state not in _IN_FORCE
    ]


def clear(memory: Memory, rule: Rule, value: Fraction | None = None) -> list[Crossing]:
    """End everything a rule has in force."""
    return [crossing for level in _ordered(memory, rule) for crossing in memory.leave(rule, level, value)]


def _ordered(memory: Memory, rule: Rule) -> list[str]:
    """The levels in force: those that are no longer configured by name, then the others as the rule has them, lowest first."""
    levels = memory.in_force(rule.name)
    if len(levels) < 2:
        return levels
    places = {line.level: place for place, line in enumerate(rule.lines)}
    return sorted(levels, key=lambda level: (places.get(level, -1), level))
