"""Who reports to whom, day by day: the managers of a manager, as far up as it goes.

Every partition that measures consultants knows of each who managed it from which day on, since a consultant's managers may be measured
anywhere. That is ids and days alone.

Rules
- Whoever is managed by somebody is managed by that one's manager too, on the days on which both hold; nobody by themselves.
- Managers in a circle: each of them has the others, once, and nobody twice.
- Who is deleted reports to whom was said last: a line does not end with the record of one in it.

Invariant: what holds depends on the versions known, not on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any

from streams.core import days
from streams.core.contract import Row
from streams.core.history import History, Run
from streams.core.state import Rows

Span = tuple[int, int]
"""First and last day."""


def keep(lines: Rows, kind: str, entry: Any, first: int | None = None) -> Row | None:
    """Take in who manages somebody; with `first`, a remembered run of it. Nothing where it is no news."""
    return lines.keep_history(kind, entry, first, "from_day", itemgetter("manager_id"))


def spans(terms: list[Run], field: str, as_of: int) -> dict[int, list[Span]]:
    """The first and last days in each unit that a field names, up to `as_of`; the first terms hold from ever."""
    out: dict[int, list[Span]] = {}
    for unit, first, last in _runs(terms, field, as_of):
        out.setdefault(unit, []).append((first, last))
    return out


def _runs(terms: list[Run], field: str, as_of: int) -> Iterator[tuple[int, int, int]]:
    for index, term in enumerate(terms):
        first = days.FIRST_DAY if index == 0 else term.day
        last = terms[index + 1].day - 1 if index + 1 < len(terms) else as_of
        unit = term.entry[field]
        if unit is not None and first <= as_of:
            yield unit, first, min(last, as_of)


def above(lines: Mapping[str, History], model: str, person: int, terms: list[Run], as_of: int) -> dict[int, list[Span]]:
    """The days on which each manager, near or far, was over a person, up to `as_of`. `model` begins the keys of persons."""
    out: dict[int, list[Span]] = {}
    waiting: list[tuple[int, int, int, tuple[int, ...]]] = []
    waiting += [(*run, (person,)) for run in _runs(terms, "manager_id", as_of)]
    while waiting:
        manager, first, last, below = waiting.pop()
        if manager in below:
            continue
        out.setdefault(manager, []).append((first, last))
        history = lines.get(f"{model}{manager}")
        if history is None:
            continue
        for higher, begin, end in _runs(history.segments(), "manager_id", as_of):
            if max(first, begin) <= min(last, end):
                waiting.append((higher, max(first, begin), min(last, end), (*below, manager)))
    return {manager: sorted(found) for manager, found in sorted(out.items())}


def ever_above(lines: Mapping[str, History], model: str, person: int, runs: Iterable[Run]) -> set[int]:
    """Everybody who was ever said to be over a person, on whatever days."""
    out: set[int] = set()
    waiting = {run.entry["manager_id"] for run in runs}
    while waiting:
        manager = waiting.pop()
        if manager is None or manager == person or manager in out:
            continue
        out.add(manager)
        history = lines.get(f"{model}{manager}")
        waiting |= set() if history is None else {run.entry["manager_id"] for run in history.runs()}
    return out
