"""What is put away comes back as it was, or the worker goes; and nothing that it says depends on it."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.errors import Transient
from streams.core.state import PartitionState, SubjectState
from streams.engine import shelf as shelf_module
from streams.engine import shelves as shelves_module
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


def full(folder: Path) -> Drawer:
    drawer = Drawer(folder)
    for number in range(10):
        assert drawer.write(f"s{number}", ["text"] * number)
    return drawer


def test_a_subject_that_does_not_come_back_as_it_went_ends_the_worker(tmp_path: Path) -> None:
    drawer = full(tmp_path)
    place = drawer._places["s9"]
    os.pwrite(place.file._number, b"torn", place.offset + 3)
    with pytest.raises(Transient, match="s9"):
        drawer.read("s9")
    with pytest.raises(OSError, match="s9"):
        drawer.copied(lambda _: None, 0)
    os.truncate(place.file._number, place.offset)
    with pytest.raises(Transient, match="s9"):
        drawer.read("s9")
    assert drawer.read("s8") == ["text"] * 8


def test_nothing_that_was_put_away_has_a_name_or_outlives_its_owner(tmp_path: Path) -> None:
    drawer = full(tmp_path)
    assert list(tmp_path.iterdir()) == [], "nothing to throw away at the next start, nothing for others to open"
    number = drawer._places["s1"].file._number
    assert os.fstat(number).st_mode & 0o077 == 0
    assert os.fstat(number).st_nlink == 0
    del drawer
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_holes_are_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "HOLES", 0)
    drawer = full(tmp_path)
    before = drawer._places["s1"].file
    for number in range(3, 10):
        drawer.remove(f"s{number}")
    after = drawer._places["s1"].file
    assert after is not before
    assert os.fstat(after._number).st_size < drawer.stored + os.fstat(before._number).st_size / 2
    assert [drawer.read(key) for key in drawer.keys()] == [["text"] * number for number in range(3)]  # noqa: SIM118  no mapping


@pytest.mark.parametrize("fault", ["open", "append"])
def test_a_disk_that_takes_no_more_costs_memory_and_nothing_else(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Bounded(tmp_path, 0)
    source = Source()
    history = firm(source)
    world.feed(*history).drain()

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    broken = {"open": "streams.engine.shelf.Scratch", "append": "streams.engine.scratch.Scratch.append"}[fault]
    monkeypatch.setattr(broken, full_disk)
    later = [line(source), source.tick(START * DAY + 2 * DAY)]
    world.feed(*later).drain()
    undisturbed = World().feed(*history).drain().feed(*later).drain()
    assert (world.encoded, world.rows, world.alerts) == (undisturbed.encoded, undisturbed.rows, undisturbed.alerts)
    held = world.partitions["utilization"]
    assert sorted(held.keys()) == [key("hr.employee", number) for number in (1, 2, 3)]


def rows_of(subjects: int, each: int) -> dict[bytes, bytes | None]:
    return {f"s{n % subjects}\x1fr{n}".encode(): str(n).encode() for n in range(subjects * each)}


@pytest.mark.parametrize("most", [pytest.param(None, id="in memory"), pytest.param(7, id="on the disk")])
def test_what_is_gathered_comes_by_subject_with_what_was_said_last(tmp_path: Path, most: int | None) -> None:
    gathering = Gathering(tmp_path, most, 60)
    old = rows_of(6, 10)
    for key_, value in old.items():
        gathering.add(key_, value)
    gathering.add(b"\x1f#tick", b"now")
    assert not gathering.deleted
    for key_, value in [(b"s1\x1fr1", b"new"), (b"s2\x1fr2", None)]:
        gathering.add(key_, value)
    assert gathering.deleted
    first, *parts = list(gathering.parts())
    assert first == {b"\x1f#tick": b"now"}
    seen = [{key_.split(b"\x1f")[0] for key_ in part} for part in parts]
    assert sum(map(len, seen)) == len(set().union(*seen)) == 6
    assert {key_: value for part in parts for key_, value in part.items()} == old | {
        b"s1\x1fr1": b"new",
        b"s2\x1fr2": None,
    }
    assert (len(parts) > 1) == (most is not None)
    assert list(tmp_path.iterdir()) == []


def test_rows_that_the_disk_does_not_take_stay_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gathering, rows = Gathering(tmp_path, 7, 60), rows_of(6, 10)
    for number, (key_, value) in enumerate(rows.items()):
        if number == 20:
            monkeypatch.setattr(
                "streams.engine.scratch.os.pwrite", lambda *_: (_ for _ in ()).throw(OSError(28, "full"))
            )
        gathering.add(key_, value)
    assert {key_: value for part in gathering.parts() for key_, value in part.items()} == rows


def test_what_did_not_move_goes_first_and_a_copy_takes_it_as_it_lies(tmp_path: Path) -> None:
    source, shelves = Source(), Shelves(tmp_path, 40_000)
    world = Bounded(tmp_path, 40_000)
    world.shelves = shelves
    checkpoints = Checkpoints(tmp_path, "this", shelves)
    state = shelves.fit(world.partitions["utilization"])
    world.feed(*(source.consultant(number) for number in range(1, 40)))
    assert shelf_of(state) is not None
    assert 0 < len(state.subjects) < 12
    assert key("hr.employee", 39) in state.subjects, "what came last is here"
    assert len(state.keys()) == 39
    checkpoints.save("t", "id", 0, Copy(state, 7))
    reads: list[str] = []
    state.shelf.drawer.read = reads.append
    again = Checkpoints(tmp_path, "this", Shelves(tmp_path, 40_000)).load("t", "id", 0)
    assert again is not None
    assert (sorted(again.state.keys()), again.state.subjects.keys()) == (sorted(state.keys()), state.subjects.keys())
    again.state.shelf.take(key("hr.employee", 1))
    checkpoints.drop("t", 0)
    assert again.state.shelf.look(key("hr.employee", 2)).head["record"] == key("hr.employee", 2), "its file is there"
    assert reads == []


def test_a_state_without_subjects_is_none_of_ours(tmp_path: Path) -> None:
    assert Shelves(tmp_path, 0).fit({"a": 1}) == {"a": 1}
    assert shelf_of(PartitionState()) is None


def test_a_batch_that_fetches_the_same_all_the_time_keeps_it_and_the_next_is_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves_module, "MOST_AGAIN", 4)
    shelves = Shelves(tmp_path, 0)
    state = shelves.fit(PartitionState())
    for name in ("a", "b", "c"):
        state.shelf.grew(1)
        assert state.shelf.put(name, SubjectState(name))
    state.shelf.weigh(0)
    with shelves.work([state]):
        for name in "abcabcabc":
            state.subjects[name] = state.subjects.get(name) or state.shelf.take(name)
        assert sorted(state.subjects) == ["a", "b", "c"], "it ends, with all that it needs"
        shelves.wrote(0)
        assert not state.subjects
    sizes = [20_000]
    sizes += [shelves.fitting(sizes[-1], 20_000), shelves.fitting(150, 20_000)]
    assert sizes == [20_000, 10_000, 100]
    with shelves.work([state]):
        shelves.wrote(0)
    assert [shelves.fitting(size, 20_000) for size in (10_000, 15_000)] == [20_000, 20_000]
