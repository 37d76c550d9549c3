"""Snapshots beside live capture: a row that a chunk brings loses to whatever was read live since the chunk was asked for.

As DBLog and Debezium have it, with the marks on our side: who reads live notes its ids after each reading, and a chunk remembers how
many readings there had been before it. So nothing has to be written into Odoo. What is dropped from a chunk was published from a newer
reading already; what changed after that reading has a stamp that the next pass finds.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager


class LiveReads:
    """Which records of a model were read live, and when, counted in readings. One thread notes and asks; any may look at `mark`."""

    def __init__(self) -> None:
        """Nothing was read."""
        self.mark = 0
        """How many readings there were: what a chunk remembers before it is asked for."""
        self._last: dict[int, int] = {}
        self._watched = False

    def note(self, ids: Iterable[int]) -> None:
        """These were read, found or not, and the reading is over."""
        self.mark += 1
        if self._watched:
            self._last.update(dict.fromkeys(ids, self.mark))

    @contextmanager
    def watched(self) -> Generator[None, None, None]:
        """Remember what is noted, for the chunks that are asked for within."""
        self._watched = True
        try:
            yield
        finally:
            self._watched = False
            self._last.clear()

    def newer(self, record_id: int, mark: int) -> bool:
        """Whether a record was read live since a chunk's mark: then the chunk's row loses."""
        return self._last.get(record_id, 0) > mark

    def forget(self, mark: int) -> None:
        """Chunks with a mark below this are over."""
        if self._last:
            self._last = {record_id: at for record_id, at in self._last.items() if at > mark}
