"""How much memory the states of one worker take, and what is put away when it is more than they may.

Rules
- What goes first are subjects that did not move since this was last looked at, then those that were in memory longest.
- Between two batches, and within one, all states that are worked on give their share. A state that is restored or followed in a
  thread of its own makes room by itself for what it takes in.
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
from pathlib import Path
from typing import Any

from streams.core.shelf import Divided, no_shelf
from streams.engine import metrics
from streams.engine.gathering import SIZE, Gathering
from streams.engine.scratch import Opened
from streams.engine.shelf import Drawer, Places
from streams.engine.topology import Processor

ROW = 1_500
"""Bytes by which a state has grown with a row, at most, until it is weighed."""
PAUSE = 30.0
"""Seconds for which a disk that is full is left alone."""


class Shelf:
    """The shelf of one state, whose subjects in memory are `subjects`. `held` is about how many bytes those take."""

    def __init__(self, shelves: Shelves, subjects: dict[str, Any], drawer: Drawer) -> None:
        """Put away in this drawer."""
        self._shelves, self._subjects, self.drawer = shelves, subjects, drawer
        self._seen: dict[str, int] = {}
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
            self._shelves.make_room(self)
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

    def weigh(self) -> int:
        """Find out what is held."""
        self.held = sum([subject.weight() for subject in self._subjects.values()])
        return self.held

    def relieve(self, most: int) -> None:
        """Put subjects away until no more than so many bytes are held."""
        subjects, seen = self._subjects, self._seen
        still = [key for key, subject in subjects.items() if seen.get(key) == subject.revision]
        moved = subjects.keys() - set(still)
        for key in (*still, *(key for key in list(subjects) if key in moved)):
            if self.held <= most or not self.put(key, subjects[key]):
                break
            del subjects[key]
        self._seen = {key: subject.revision for key, subject in subjects.items()}


class Shelves:
    """The shelves of one worker, whose states may take `most` bytes together; without, nothing is put away."""

    def __init__(self, folder: Path, most: int | None = None) -> None:
        """Put away in files of this folder."""
        self._folder = folder
        self.most = most
        self._goal = 0 if most is None else most - most // 16
        self._all: weakref.WeakSet[Shelf] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._worked_on: dict[Shelf, None] = {}
        self._grown = 0
        self._full_until = 0.0

    def fitted(self, processor: Processor) -> Processor:
        """A processor whose new states have a shelf."""
        return replace(processor, new=lambda: self.fit(processor.new()))

    def fit(self, state: Any, file: Opened | None = None, places: Places | None = None) -> Any:
        """Give a state its shelf, if its subjects can be put away, with what of it lies in a file already."""
        if isinstance(state, Divided):
            drawer = Drawer(self._folder)
            if file is not None and places:
                drawer.open(file, places)
            shelf = state.shelf = Shelf(self, state.subjects, drawer)
            with self._lock:
                self._all.add(shelf)
            shelf.weigh()
            self.make_room(shelf)
        return state

    def left(self) -> float:
        """How many bytes more the states may take."""
        return math.inf if self.most is None else self.most - self._held()

    def gathering(self, expected: int, beside: int) -> Gathering:
        """Where rows of a state are gathered, of which about so many will come, while so many states are; together they take a quarter of the memory."""
        most = None if self.most is None else self.most // (4 * SIZE * beside)
        return Gathering(self._folder, most, expected)

    @contextmanager
    def work(self, states: Iterable[Any]) -> Iterator[None]:
        """Within it these states are this thread's, and nobody else's."""
        self._worked_on = dict.fromkeys(shelf for state in states if (shelf := shelf_of(state)) is not None)
        try:
            yield
        finally:
            self._worked_on = {}

    def wrote(self, rows: int) -> None:
        """Make room after a batch that wrote so many rows to the states worked on."""
        self._grown += rows * ROW
        if self._held() + self._grown > (math.inf if self.most is None else self.most) and not self._full():
            self._relieve()
        with self._lock:
            metrics.HELD.set(sum(shelf.held for shelf in self._all))
            metrics.PUT_AWAY.set(sum(len(shelf.drawer) for shelf in self._all))
            metrics.PUT_AWAY_BYTES.set(sum(shelf.drawer.stored for shelf in self._all))

    def _relieve(self) -> None:
        """Put away a share of each state worked on."""
        self._grown = 0
        for shelf in self._worked_on:
            shelf.weigh()
        if (held := self._held()) > self._goal:
            for shelf in self._worked_on:
                shelf.relieve(shelf.held * self._goal // held)

    def make_room(self, shelf: Shelf) -> None:
        """Put away what can be done without, if the states hold too much."""
        if self.most is None or self._held() <= self.most or self._full():
            return
        if shelf in self._worked_on:
            self._relieve()
            return
        shelf.weigh()
        if (excess := self._held() - self._goal) > 0:
            shelf.relieve(shelf.held - excess)

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
