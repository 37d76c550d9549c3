"""What a capture need not keep beyond its own life, on disk: memory does not grow with the number of records.

SQLite's own temporary file (in the folder of `TMPDIR`), which ends with this process however that ends. May be shared by threads.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

CACHE_KIB = 32_768
TOGETHER = 500
"""Records asked for in one statement."""


class Store:
    """A scratch database."""

    def __init__(self) -> None:
        """Empty."""
        self._lock = threading.Lock()
        self._tables = 0
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = off", "synchronous = off", f"cache_size = -{CACHE_KIB}"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("BEGIN")  # for ever: nobody else looks, and nothing is to outlast the process

    def table(self, kind: str, columns: str, *, by: str) -> str:
        """A new table with an index by a column; returns its name."""
        self._tables += 1
        name = f"{kind}_{self._tables}"
        with self._lock:
            self._db.execute(f"CREATE TABLE {name} ({columns})")
            self._db.execute(f"CREATE INDEX {name}_{by} ON {name} ({by})")
        return name

    def rows(self, statement: str, *values: object) -> list[Any]:
        """What one statement finds, or nothing where it changes something."""
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def rows_of(self, statement: str, values: Sequence[object]) -> Iterator[Any]:
        """What a statement that ends in `IN` finds for these values, asked some hundred at a time."""
        for begin in range(0, len(values), TOGETHER):
            part = values[begin : begin + TOGETHER]
            yield from self.rows(f"{statement} ({','.join('?' * len(part))})", *part)

    def many(self, statement: str, values: Iterable[Sequence[object]]) -> None:
        """One statement for each of these."""
        with self._lock:
            self._db.executemany(statement, values)

    def close(self) -> None:
        """Give the space back."""
        self._db.close()
