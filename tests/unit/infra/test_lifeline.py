"""The child leaves when its parent is gone, and not before."""

from __future__ import annotations

import os
import threading

from infra.lifeline import PARENT_GONE, watch_parent


def test_the_child_leaves_when_the_pipe_ends_and_not_before():
    reading, writing = os.pipe()
    left: list[int] = []
    thread = watch_parent(reading, left.append)
    os.write(writing, b"anything a parent may say")
    assert left == []
    os.close(writing)
    thread.join(10)
    assert left == [PARENT_GONE]
    os.close(reading)


def test_it_does_not_hold_up_an_orderly_end():
    reading, writing = os.pipe()
    left = threading.Event()
    thread = watch_parent(reading, lambda _status: left.set())
    assert thread.daemon
    os.close(writing)
    thread.join(10)
    assert left.is_set()
    os.close(reading)
