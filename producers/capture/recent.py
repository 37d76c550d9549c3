"""What was read lately, and when it must be read again.

Odoo's stamps are whole seconds, and from when a transaction began. So each (id, stamp) that was read is remembered and read again at growing
ages: what was rewritten within the same second is found after a moment, what such a rewrite committed late at the latest when the overlap is
over. What is remembered is on disk, and what is due comes in parts: a mass edit of any size takes no more memory than one page.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

from producers.capture.store import Store

FIRST_AGES = (1.5, 15.0)
PART = 10_000
"""So many records, and what was read together with the last of them, are due at once; the others at the next look."""


class Recent:
    """What was read lately of one model. What is read together is remembered together, with one entry for each age in memory."""

    def __init__(self, store: Store, overlap: float) -> None:
        """Remember for twice as long as a transaction may take: once to read again, once for passes that still list it."""
        self._store = store
        self._table = store.table("recent", "id INTEGER PRIMARY KEY, stamp TEXT, reading INTEGER", by="reading")
        self._ages = (*FIRST_AGES, overlap)
        self._kept = 2 * overlap
        self._queue: list[tuple[float, int, bool]] = []
        self._readings = 0
        self._failed: list[int] = []

    def __len__(self) -> int:
        """How many records are remembered."""
        ((count,),) = self._store.rows(f"SELECT COUNT(*) FROM {self._table}")  # noqa: S608  a table of our own
        return int(count)

    def unread(self, listed: Collection[tuple[int, str]]) -> list[int]:
        """Those listed that were not read with this stamp."""
        return [record_id for record_id, _ in self._new(listed)]

    def _new(self, rows: Collection[tuple[int, str]]) -> list[tuple[int, str]]:
        found = self._store.rows_of(
            f"SELECT id, stamp FROM {self._table} WHERE id IN",  # noqa: S608  as above
            [record_id for record_id, _ in rows],
        )
        known = dict(found)
        return [(record_id, stamp) for record_id, stamp in rows if known.get(record_id) != stamp]

    def due(self, steady: float) -> list[int]:
        """Those to be read again by now, each once, or a part of them; those remembered for long enough are forgotten."""
        found = dict.fromkeys(self._failed)
        self._failed = []
        while self._queue and self._queue[0][0] <= steady and len(found) < PART:
            _, reading, forget = heapq.heappop(self._queue)
            if forget:
                self._store.rows(f"DELETE FROM {self._table} WHERE reading = ?", reading)  # noqa: S608  as above
            else:
                rows = self._store.rows(f"SELECT id FROM {self._table} WHERE reading = ?", reading)  # noqa: S608  as above
                found.update((record_id, None) for (record_id,) in rows)
        return list(found)

    def read(self, rows: Collection[tuple[int, str]], steady: float, *, once: bool = False) -> None:
        """These were read in full; with `once` they are read again only when the overlap is over."""
        new = self._new(rows)
        if not new:
            return
        self._readings += 1
        self._store.many(
            f"INSERT OR REPLACE INTO {self._table} VALUES (?, ?, {self._readings})",  # noqa: S608  as above
            new,
        )
        for age in self._ages[-1:] if once else self._ages:
            heapq.heappush(self._queue, (steady + age, self._readings, False))
        heapq.heappush(self._queue, (steady + self._kept, self._readings, True))

    def again(self, ids: Sequence[int]) -> None:
        """A reading failed: those of these that are remembered are due at once."""
        found = self._store.rows_of(f"SELECT id FROM {self._table} WHERE id IN", ids)  # noqa: S608  as above
        self._failed = [record_id for (record_id,) in found]
