"""What is put away comes back as it was, or the worker goes; and nothing that it says depends on it."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.errors import Transient
from streams.core.shelf import NoShelf
from streams.core.state import PartitionState
from streams.core.utilization import UtilizationProcessor
from streams.core import Measures
from streams.engine import shelf as shelf_module
from streams.engine.checkpoints import Checkpoints, Copy
from streams.engine.gathering import Gathering
from streams.engine.shelf import Drawer
from streams.engine.shelves import Shelves, shelf_of
from tests.unit.streams.core.world import SECOND, Source, World, day, key
from tests.unit.streams.engine.bounded import Bounded

START = day("2026-03-02")
DAY = 86_400 * SECOND
EVER = 10**9


def firm(source: Source) -> list[tuple[str, Any]]:
    """Two consultants, one above the other, at work on two projects."""
    people = [source.consultant(1, manager_id=2), source.consultant(2, manager_id=None), source.consultant(3)]
    work = [source.project(1, budget_minutes=3000), source.project(2, budget_minutes=90)]
    lines = [
        source.timesheet(n, {"date": START - n, "minutes": 60, "employee_id": 1 + n % 2, "project_id": 1 + n % 2})
        for n in range(8)
    ]
    noon = START * DAY + DAY // 2
    return [*people, *work, source.tick(noon), *lines]


def line(source: Source) -> tuple[str, Any]:
    return source.timesheet(99, {"date": START, "minutes": 500, "employee_id": 1, "project_id": 2})


def holiday(source: Source) -> tuple[str, Any]:
    return source.absence(1, {"first_day": START - 4, "last_day": START, "employee_id": None, "kind": "public_holiday"})


SINCE: list[Any] = [
    pytest.param(lambda _: [], id="nothing"),
    pytest.param(lambda source: [line(source)], id="a line of one of them"),
    pytest.param(lambda source: [holiday(source)], id="a holiday, which concerns all"),
    pytest.param(lambda source: [source.tick(START * DAY + DAY)], id="the hour at which a day turns"),
    pytest.param(lambda source: [source.tick(START * DAY + 2 * DAY)], id="a day has begun"),
    pytest.param(
        lambda source: [source.consultant(2, manager_id=3)], id="another manager, above somebody who did not move"
    ),
]


@pytest.mark.parametrize("most", [pytest.param(0, id="nothing fits"), pytest.param(EVER, id="all fits")])
@pytest.mark.parametrize("since", SINCE)
def test_a_copy_and_what_came_since_go_on_as_if_nothing_had_happened(
    tmp_path: Path, since: Callable[[Source], list[tuple[str, Any]]], most: int
) -> None:
    source = Source()
    before, told, then = firm(source), source.tick(START * DAY + DAY // 2 + SECOND), since(source)
    later = [
        source.tick(START * DAY + DAY // 2 + 2 * SECOND),  # of the same day: it asks those that moved, and no others
        line(source),
        source.tick(START * DAY + 2 * DAY + DAY // 8),
        source.tick(START * DAY + 3 * DAY),
    ]
    world = Bounded(tmp_path, most)
    world.feed(*before).drain().feed(told).drain()
    rows = world.save()
    world.feed(*then).drain()
    back = world.back(rows, most)
    undisturbed = World().feed(*before).drain().feed(told).drain().feed(*then).drain()
    for event in later:
        back.feed(event).drain()
        undisturbed.feed(event).drain()
        assert back.encoded == undisturbed.encoded
    assert back.alerts == undisturbed.alerts
    assert back.rows == undisturbed.rows
