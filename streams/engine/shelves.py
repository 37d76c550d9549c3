"""How much memory the states of one worker take, and what is put away when it is more than they may.

Rules
- What goes first are the subjects that did not move for longest, as far as it is known: one that moved between two looks moved at the second.
- Between two batches, and within one, all states that are worked on make room. A state that is restored or followed in a
  thread of its own makes room by itself for what it takes in.
- A batch that fetches the same subjects again and again keeps what it has fetched until it ends, and a warning says so: a worker that
  did nothing but fetch would never come to its end. The next batch is half as large, since what it touches is in memory until its end.
- More than is needed is put away, so that it is looked for seldom: what that costs does not depend on how often batches end.

Bytes are estimates (`weight` of a subject): Python does not tell what an object takes.
"""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import structlog

from streams.core.shelf import Divided, no_shelf
from streams.engine import metrics
from streams.engine.gathering import SIZE, Gathering
from streams.engine.scratch import Opened
from streams.engine.shelf import Drawer, Places
from streams.engine.topology import Processor

log = structlog.get_logger()
ROW = 1_500
"""Bytes by which a state has grown with a row, at most, until it is weighed."""
MOST_AGAIN = 500
"""So many subjects a batch fetches that it fetched before: some seconds where they are large."""
FEWEST = 100
"""Records of a batch, however little memory there is."""
PAUSE = 30.0
"""Seconds for which a disk that is full is left alone."""


class Shelf:
    """The shelf of one state, whose subjects in memory are `subjects`. `held` is about how many bytes those take."""

    def __init__(self, shelves: Shelves, subjects: dict[str, Any], drawer: Drawer) -> None:
        """Put away in this drawer."""
        self._shelves, self._subjects, self.drawer = shelves, subjects, drawer
        self._seen: dict[str, tuple[int, int]] = {}
        self.held = 0

    def __reduce__(self) -> str | tuple[Any, ...]:
        """A state that is written down has none: what is on it is written beside."""
        return no_shelf, ()

    def short(self, rows: int) -> bool:
        """Whether there may be no room for so many rows more."""
        return len(self.drawer) > 0 or self._shelves.left() < rows * ROW

    def keys(self) -> Iterable[str]:
        """What is on it."""
        return self.drawer.keys()

    def look(self, key: str) -> Any | None:
        """A copy of a subject. Raises `Transient` for one that does not come back as it went."""
        return self.drawer.read(key)

    def take(self, key: str) -> Any | None:
        """A subject, which is in memory from now on. Raises `Transient` as above."""
        subject = self.drawer.read(key)
        if subject is not None:
            self.drawer.remove(key)
            self._shelves.fetched(self, key)
            self.held += subject.weight()
            metrics.FETCHED.inc()
        return subject

    def put(self, key: str, subject: Any) -> bool:
        """Put a subject away, if the disk takes it."""
        if not self._shelves.write(self.drawer, key, subject):
            return False
        self.held -= subject.weight()
        return True

    def grew(self, rows: int) -> None:
        """So many rows were taken in."""
        self.held += rows * ROW
        self._shelves.make_room(self)

    def weigh(self, now: int) -> list[tuple[int, Shelf, str]]:
        """Find out what is held; returns each subject in memory with when it was first seen to have moved last."""
        seen: dict[str, tuple[int, int]] = {}
        held = 0
        for key, subject in self._subjects.items():
            held += subject.weight()
            before, revision = self._seen.get(key), subject.revision
            seen[key] = before if before is not None and before[0] == revision else (revision, now)
        self._seen, self.held = seen, held
        return [(moved, self, key) for key, (_, moved) in seen.items()]

    def put_away(self, key: str) -> int:
        """Put away a subject in memory, if the disk takes it; returns how many bytes it took."""
        before = self.held
        if self.put(key, self._subjects[key]):
            del self._subjects[key]
        return before - self.held


class Shelves:
    """The shelves of one worker, whose states may take `most` bytes together; without, nothing is put away."""

    def __init__(self, folder: Path, most: int | None = None) -> None:
        """Put away in files of this folder."""
        self.folder = folder
        self.most = most
        self._goal = 0 if most is None else most - most // 16
        self._all: weakref.WeakSet[Shelf] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._worked_on: dict[Shelf, None] = {}
        self._brought: set[str] = set()
        self._again = 0
        self._grown = self._looks = 0
        self._full_until = 0.0

    def fitted(self, processor: Processor) -> Processor:
        """A processor whose new states have a shelf."""
        return replace(processor, new=lambda: self.fit(processor.new()))

    def fit(self, state: Any, file: Opened | None = None, places: Places | None = None) -> Any:
        """Give a state its shelf, if its subjects can be put away, with what of it lies in a file already."""
        if isinstance(state, Divided):
            drawer = Drawer(self.folder)
            if file is not None and places:
                drawer.open(file, places)
            shelf = state.shelf = Shelf(self, state.subjects, drawer)
            with self._lock:
                self._all.add(shelf)
            shelf.weigh(self._looks)
            self.make_room(shelf)
        return state

    def left(self) -> float:
        """How many bytes more the states may take."""
        return math.inf if self.most is None else self.most - self._held()

    def gathering(self, expected: int, beside: int) -> Gathering:
        """Where rows of a state are gathered, of which about so many will come, while so many states are; together they take a quarter of the memory."""
        most = None if self.most is None else self.most // (4 * SIZE * beside)
        return Gathering(self.folder, most, expected)

    @contextmanager
    def work(self, states: Iterable[Any]) -> Iterator[None]:
        """Within it these states are this thread's, and nobody else's."""
        self._worked_on = dict.fromkeys(shelf for state in states if (shelf := shelf_of(state)) is not None)
        self._brought, self._again = set(), 0
        try:
            yield
        finally:
            self._worked_on = {}

    def wrote(self, rows: int) -> None:
        """Make room after a batch that wrote so many rows to the states worked on."""
        self._grown += rows * ROW
        if self._grown > self.left() and not self._full():
            self._grown = 0
            self._relieve(self._worked_on)
        with self._lock:
            metrics.HELD.set(sum(shelf.held for shelf in self._all))
            metrics.PUT_AWAY.set(sum(len(shelf.drawer) for shelf in self._all))
            metrics.PUT_AWAY_BYTES.set(sum(shelf.drawer.stored for shelf in self._all))

    def fetched(self, shelf: Shelf, key: str) -> None:
        """Make room for a subject of this shelf, unless the batch needs the same ones all the time."""
        if shelf in self._worked_on:
            self._again += key in self._brought
            self._brought.add(key)
            if self._again == MOST_AGAIN:
                log.warning("memory_short", remedy="raise streams.memory_mb, or lower streams.batch_records")
        if shelf not in self._worked_on or self._again < MOST_AGAIN:
            self.make_room(shelf)

    def fitting(self, size: int, most: int) -> int:
        """How many records the next batch may have, after one that might have so many."""
        return max(FEWEST, size // 2) if self._again >= MOST_AGAIN else min(most, size * 2)

    def make_room(self, shelf: Shelf) -> None:
        """Put away what can be done without, if the states hold too much."""
        if self.left() < 0 and not self._full():
            self._relieve(self._worked_on if shelf in self._worked_on else (shelf,))

    def _relieve(self, shelves: Iterable[Shelf]) -> None:
        """Put away what of these states did not move for longest."""
        self._looks += 1
        held = [found for shelf in shelves for found in shelf.weigh(self._looks)]
        held.sort(key=itemgetter(0))
        excess = self._held() - self._goal
        for _, shelf, key in held:
            if excess <= 0:
                break
            excess -= shelf.put_away(key)

    def write(self, drawer: Drawer, key: str, subject: Any) -> bool:
        """Put a subject away, unless the disk is known to be full."""
        if self._full():
            return False
        if drawer.write(key, subject):
            return True
        self._full_until = time.monotonic() + PAUSE
        return False

    def _held(self) -> int:
        with self._lock:
            return sum(shelf.held for shelf in self._all)

    def _full(self) -> bool:
        return time.monotonic() < self._full_until


def shelf_of(state: Any) -> Shelf | None:
    """A state's shelf, if it has one of these."""
    shelf = getattr(state, "shelf", None)
    return shelf if isinstance(shelf, Shelf) else None
