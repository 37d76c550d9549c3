"""In which order schemas are registered, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.registry.publish import Line, in_order, numbered_otherwise
from schemas.released import Release


def line(subject: str, wire_id: int, number: int | None = None, *, level: str | None = "FULL_TRANSITIVE") -> Line:
    release = Release(f"R{wire_id}", 1, wire_id, "", "", Path())
    return Line(subject, release, "FULL_TRANSITIVE", level, number, None if number is None else 1)


@pytest.mark.parametrize(
    ("lines", "taken", "order"),
    [
        pytest.param([("b", 2), ("a", 1)], set(), [("a", 1), ("b", 2)], id="by number, so that counters agree"),
        pytest.param(
            [("a", 1), ("b", 1), ("c", 2)],
            set(),
            [("a", 1), ("c", 2), ("b", 1)],
            id="a schema under a second subject waits: some registries spend a number on it",
        ),
        pytest.param(
            [("a", 1), ("b", 2), ("c", 3)],
            {1},
            [("b", 2), ("c", 3), ("a", 1)],
            id="what cannot have its number must not be given another's",
        ),
    ],
)
def test_the_order(lines, taken, order):
    assert [(one.subject, one.release.wire_id) for one in in_order([line(*each) for each in lines], taken)] == order


@pytest.mark.parametrize(
    ("one", "in_line"),
    [
        pytest.param(line("a", 1, 1), True, id="there, and held to what it should be"),
        pytest.param(line("a", 1, 9), True, id="another number is no fault"),
        pytest.param(line("a", 1), False, id="not there"),
        pytest.param(line("a", 1, 1, level=None), False, id="held to nothing"),
        pytest.param(line("a", 1, 1, level="BACKWARD"), False, id="held to less"),
    ],
)
def test_when_there_is_nothing_to_do(one, in_line):
    assert one.in_line is in_line


def test_other_numbers_are_told():
    lines = [line("a", 1, 1), line("b", 2, 7), line("c", 3)]
    assert [one.subject for one in numbered_otherwise(lines)] == ["b"]
