"""A copy of a state on the disk comes back as it went, or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.engine.checkpoints import OLDEST, Checkpoints, Copy

STATE = {"s": {"r1": 1}}


def saved(folder: Path) -> Path:
    Checkpoints(folder, "one").save("t.state", "id", 3, Copy(STATE, 42))
    [file] = folder.iterdir()
    return file


def test_it_comes_back_as_it_went(tmp_path: Path) -> None:
    file = saved(tmp_path)
    assert Checkpoints(tmp_path, "one").load("t.state", "id", 3) == Copy(STATE, 42)
    assert file.stat().st_mode & 0o077 == 0, "others may not read it, nor put another in its place"


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(("two", "t.state", "id", 3), id="other code or policy"),
        pytest.param((None, "t.state", "id", 3), id="no release"),
        pytest.param(("one", "t.state", "other", 3), id="the topic was made anew"),
        pytest.param(("one", "t.state", "id", 4), id="another partition"),
    ],
)
def test_nobody_else_takes_it(tmp_path: Path, asked: tuple[str | None, str, str, int]) -> None:
    saved(tmp_path)
    release, topic, topic_id, partition = asked
    assert Checkpoints(tmp_path, release).load(topic, topic_id, partition) is None


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_flip, id="one bit"),
        pytest.param(lambda file: file.write_bytes(file.read_bytes()[:-5]), id="cut short"),
        pytest.param(lambda file: file.write_bytes(b"junk"), id="something else"),
        pytest.param(lambda file: file.write_bytes(b""), id="empty"),
        pytest.param(lambda file: os.utime(file, (0, time.time() - OLDEST - 1)), id="too old"),
    ],
)
def test_a_spoilt_one_counts_as_none(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    spoil(saved(tmp_path))
    assert Checkpoints(tmp_path, "one").load("t.state", "id", 3) is None
    assert list(tmp_path.iterdir()) == [], "it may hold what was erased everywhere else"


def test_a_disk_that_does_not_take_it_leaves_the_last_one(tmp_path: Path) -> None:
    file = saved(tmp_path)
    file.with_suffix(".new").symlink_to("/dev/full")
    Checkpoints(tmp_path, "one").save("t.state", "id", 3, Copy({}, 43))
    assert Checkpoints(tmp_path, "one").load("t.state", "id", 3) == Copy(STATE, 42)
    assert list(tmp_path.iterdir()) == [file], "nothing half written stays behind"
