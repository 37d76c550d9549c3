"""When an alert is raised and cleared: lines that are crossed, and the memory of which are.

Rules
- One alert per crossing: a line that is in force is not raised again until it was cleared. Clearing arms it as a new episode.
- A ladder clears a line only below the line minus the hysteresis. A jump over several lines raises the highest and
  passes the others silently: they are in force, were never raised, and so are never reported as cleared.
- Of exclusive bands one is in force. Leaving one for another clears the one and raises the other.
- `once` lines belong to an episode that the measure counts itself: cleared or not, they are not raised again in it.

Invariant: what is returned and remembered depends on the memory and the value alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from schemas.records import Severity
from schemas.wire import AlertLine

RAISED, PASSED, CLEARED = "raised", "passed", "cleared"
_IN_FORCE = (RAISED, PASSED)


class Line(NamedTuple):
    """A line that can be crossed, who owns what follows, and where it stands, if it is a number."""

    level: str
    severity: Severity
    owner: str
    at: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A name and its lines, lowest first. `fallback` owns lines that are remembered but no longer configured."""

    name: str
    lines: tuple[Line, ...]
    fallback: str

    def line(self, level: str) -> Line:
        """The line of a level."""
        return next((line for line in self.lines if line.level == level), Line(level, "info", self.fallback))


class Crossing(NamedTuple):
    """A line was crossed, or its alert ended."""

    status: Literal["raised", "cleared"]
    rule: str
    line: Line
    episode: int
    value: Fraction | None
    passed: tuple[str, ...] = ()


class Memory:
    """The lines of one subject: how often each was crossed, and whether it is in force."""

    __slots__ = ("_lines", "changed")

    def __init__(self) -> None:
        """Begin with nothing crossed."""
        self._lines: dict[tuple[str, str], tuple[int, str]] = {}
        self.changed = False

    def load(self, lines: Iterable[AlertLine]) -> None:
        """Take over what was remembered."""
        self._lines = {(line["rule"], line["level"]): (line["episode"], line["state"]) for line in lines}

    def dump(self) -> list[AlertLine]:
        """All lines, ordered by rule and level."""
        return [
            {"rule": rule, "level": level, "episode": episode, "state": state}
            for (rule, level), (episode, state) in sorted(self._lines.items())
        ]

    @property
    def version(self) -> int:
        """Grows with each change of a line."""
        return sum(2 * episode - (state in _IN_FORCE) for episode, state in self._lines.values())

    def get(self, rule: str, level: str) -> tuple[int, str]:
        """Episode and state of a line; 0 and cleared for one never crossed."""
        return self._lines.get((rule, level), (0, CLEARED))

    def put(self, rule: str, level: str, episode: int, state: str) -> None:
        """Remember a line."""
        self._lines[rule, level] = (episode, state)
        self.changed = True

    def in_force(self, rule: str) -> list[str]:
        """Levels of a rule that are raised or passed."""
        return [level for (name, level), (_, state) in self._lines.items() if name == rule and state in _IN_FORCE]

    def enter(self, rule: str, level: str, state: str) -> int:
        """Put a line in force as its next episode; returns the episode."""
        episode = self.get(rule, level)[0] + 1
        self.put(rule, level, episode, state)
        return episode

    def leave(self, rule: Rule, level: str, value: Fraction | None) -> list[Crossing]:
        """Clear a line; a passed one silently."""
        episode, state = self.get(rule.name, level)
        self.put(rule.name, level, episode, CLEARED)
        return [Crossing("cleared", rule.name, rule.line(level), episode, value)] if state == RAISED else []


def ladder(memory: Memory, rule: Rule, value: Fraction | None, hysteresis: Fraction) -> list[Crossing]:
    """Bring a rule whose lines are crossed upwards to a value; null stands below every line."""
    at = {line.level: line.at for line in rule.lines}
    out: list[Crossing] = []
    for level in sorted(memory.in_force(rule.name), key=lambda level: at.get(level) or Fraction(0)):
        bound = at.get(level)
        if value is None or bound is None or value < bound - hysteresis:
            out += memory.leave(rule, level, value)
    if value is None:
        return out
    reached = [line for line in rule.lines if line.at is not None and line.at <= value]
    new = [line for line in reached if memory.get(rule.name, line.level)[1] not in _IN_FORCE]
    if not new:
        return out
    top = new[-1]
    silent = new[:-1] if top is reached[-1] else new
    for line in silent:
        memory.enter(rule.name, line.level, PASSED)
    if top is reached[-1]:
        episode = memory.enter(rule.name, top.level, RAISED)
        out.append(Crossing("raised", rule.name, top, episode, value, tuple(line.level for line in silent)))
    return out


def calm_range(memory: Memory, rule: Rule, hysteresis: Fraction) -> tuple[Fraction | None, Fraction | None]:
    """From which value (included) up to which (not included) a ladder stays as it is; null where nothing bounds it."""
    below: Fraction | None = None
    above: Fraction | None = None
    for line in rule.lines:
        if line.at is None:
            continue
        if memory.get(rule.name, line.level)[1] in _IN_FORCE:
            below = max(line.at - hysteresis, below) if below is not None else line.at - hysteresis
        else:
            above = min(line.at, above) if above is not None else line.at
    return below, above


def band(memory: Memory, rule: Rule, level: str | None, value: Fraction | None) -> list[Crossing]:
    """Bring exclusive bands to one of them, or to none. A band without a line is remembered and not raised."""
    now = memory.in_force(rule.name)
    if now == ([] if level is None else [level]):
        return []
    out = [crossing for old in now for crossing in memory.leave(rule, old, value)]
    if level is not None:
        line = next((line for line in rule.lines if line.level == level), None)
        episode = memory.enter(rule.name, level, PASSED if line is None else RAISED)
        if line is not None:
            out.append(Crossing("raised", rule.name, line, episode, value))
    return out


def flag(memory: Memory, rule: Rule, value: Fraction | None, *, begins: bool, ends: bool) -> list[Crossing]:
    """Raise a rule of one line when `begins`, clear it when `ends`; between the two it stays as it is."""
    line = rule.lines[0]
    if memory.get(rule.name, line.level)[1] in _IN_FORCE:
        return memory.leave(rule, line.level, value) if ends else []
    if not begins or ends:
        return []
    return [Crossing("raised", rule.name, line, memory.enter(rule.name, line.level, RAISED), value)]


def once(memory: Memory, rule: Rule, value: Fraction | None, *, episode: int, reached: list[Line]) -> list[Crossing]:
    """Raise the highest line reached, each line once in an episode; those below it are passed. `reached` is lowest first.

    A line no longer reached, or left from another episode, ends.
    """
    out = _left(memory, rule, value, episode, reached)
    new = [line for line in reached if memory.get(rule.name, line.level)[0] < episode]
    silent = [line for line in new if line is not reached[-1]]
    for line in silent:
        memory.put(rule.name, line.level, episode, PASSED)
    if len(silent) < len(new):
        top = reached[-1]
        memory.put(rule.name, top.level, episode, RAISED)
        out.append(Crossing("raised", rule.name, top, episode, value, tuple(line.level for line in silent)))
    return out


def each_once(memory: Memory, rule: Rule, *, episode: int, reached: list[tuple[Line, Fraction]]) -> list[Crossing]:
    """As `once`, of lines that are no steps of one another: each that is reached is raised, with its own value."""
    out = _left(memory, rule, None, episode, [line for line, _ in reached])
    for line, value in reached:
        if memory.get(rule.name, line.level)[0] < episode:
            memory.put(rule.name, line.level, episode, RAISED)
            out.append(Crossing("raised", rule.name, line, episode, value))
    return out


def _left(memory: Memory, rule: Rule, value: Fraction | None, episode: int, reached: list[Line]) -> list[Crossing]:
    """End the lines that are no longer reached, or are left from another episode."""
    levels = {line.level for line in reached}
    return [
        crossing
        for level in memory.in_force(rule.name)
        if level not in levels or memory.get(rule.name, level)[0] != episode
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
    return out + [
        Crossing("raised", rule.name, line, memory.enter(rule.name, line.level, RAISED), value)
        for line in reached
        if memory.get(rule.name, line.level)[1] not in _IN_FORCE
    ]


def clear(memory: Memory, rule: Rule, value: Fraction | None = None) -> list[Crossing]:
    """End everything a rule has in force."""
    return [crossing for level in memory.in_force(rule.name) for crossing in memory.leave(rule, level, value)]
