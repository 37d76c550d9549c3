"""What the topics say, on disk: the last event of every record, its figures, and what was odd about those before it.

One writer, one file that goes with it; memory does not grow with the records.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from producers.capture.images import RECORD
from producers.core.audit import Figures, Kind, figures_of, mends, nothing, period_of, trouble
from producers.core.mapping import Entity, ModelMapping

BATCH = 5000
MOST_SUMS = 10
_IMAGE = """CREATE TABLE image (
    place INTEGER, number INTEGER, record INTEGER, version INTEGER, raw BLOB, gone INTEGER, period TEXT,
    s0 INTEGER, s1 INTEGER, s2 INTEGER, s3 INTEGER, s4 INTEGER, s5 INTEGER, s6 INTEGER, s7 INTEGER, s8 INTEGER, s9 INTEGER,
    seen INTEGER DEFAULT 0, PRIMARY KEY (place, number))"""
_PUT = """INSERT OR REPLACE INTO image (
    place, number, record, version, raw, gone, period, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_BY_PERIOD = """SELECT period, COUNT(*), SUM(record), SUM(s0), SUM(s1), SUM(s2), SUM(s3), SUM(s4), SUM(s5), SUM(s6), SUM(s7), SUM(s8),
    SUM(s9) FROM image WHERE place = ? AND gone = 0 GROUP BY period"""
_BETWEEN = """SELECT COUNT(*), SUM(record), SUM(s0), SUM(s1), SUM(s2), SUM(s3), SUM(s4), SUM(s5), SUM(s6), SUM(s7), SUM(s8), SUM(s9)
    FROM image WHERE place = ? AND gone = 0 AND record BETWEEN ? AND ?"""
_VERSIONS = "SELECT number, version, raw FROM image WHERE place = ? AND number IN (SELECT value FROM json_each(?))"
_IMAGES = "SELECT record, number, raw FROM image WHERE place = ? AND record IN (SELECT value FROM json_each(?))"
_TABLES = (
    _IMAGE,
    "CREATE INDEX image_record ON image (place, record)",
    "CREATE TABLE trouble (place INTEGER, number INTEGER, kind TEXT, detail TEXT, PRIMARY KEY (place, number, kind))",
    "CREATE TABLE found (place INTEGER, number INTEGER, kind TEXT, detail TEXT, PRIMARY KEY (place, number))",
)


@dataclass(frozen=True, slots=True)
class Place:
    """One entity of one model, and its number on the shelf."""

    index: int
    mapping: ModelMapping
    entity: Entity

    @property
    def first(self) -> bool:
        """Whether the mapping's sums and its period are those of this entity."""
        return self.mapping.entities[0] is self.entity


class Found(NamedTuple):
    """A difference, by the place and the number of its record or part."""

    place: int
    number: int
    kind: Kind
    detail: str


class Shelf:
    """Last events by place and number. Use as a context manager."""

    def __init__(self, file: Path, places: Sequence[Place]) -> None:
        """A new file for these places."""
        self._places = {place.index: place for place in places}
        self._db = sqlite3.connect(file, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16000"):
            self._db.execute(f"PRAGMA {pragma}")
        for sentence in _TABLES:
            self._db.execute(sentence)
        self._waiting: dict[int, list[tuple[int, bytes, Any]]] = {place.index: [] for place in places}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def add(self, place: Place, number: int, raw: bytes | None, event: Any) -> None:
        """Take in the next event of a record, or its tombstone. Those of one record come in their order; `flush` follows the last."""
        waiting = self._waiting[place.index]
        waiting.append((number, raw or b"", event if raw is not None else None))
        if len(waiting) >= BATCH:
            self._write(place, waiting)
            waiting.clear()

    def flush(self) -> None:
        """Write what was taken in."""
        for index, waiting in self._waiting.items():
            self._write(self._places[index], waiting)
            waiting.clear()

    def _write(self, place: Place, events: Sequence[tuple[int, bytes, Any]]) -> None:
        known: dict[int, tuple[int, bytes]] = {
            number: (version, raw)
            for number, version, raw in self._db.execute(
                _VERSIONS, (place.index, json.dumps(list({one[0] for one in events})))
            )
        }
        newest: dict[int, tuple[bytes, Any]] = {}
        self._db.execute("BEGIN")
        for number, raw, event in events:
            if event is None:
                known.pop(number, None)
                newest.pop(number, None)
                self._db.execute("DELETE FROM image WHERE place = ? AND number = ?", (place.index, number))
                continue
            meta, before = event["meta"], known.get(number)
            odd = trouble(before, meta["version"], raw, compacted=place.entity.topic.compacted)
            if before is None or meta["version"] > before[0]:
                if before is not None:
                    self._mend(place, number, mends(meta["mode"]))
                known[number], newest[number] = (meta["version"], raw), (raw, event)
            if odd is not None:
                self._db.execute(
                    "INSERT OR REPLACE INTO trouble VALUES (?, ?, ?, ?)", (place.index, number, odd.kind, odd.detail)
                )
        self._db.executemany(_PUT, (_row(place, number, *one) for number, one in newest.items()))
        self._db.execute("COMMIT")

    def _mend(self, place: Place, number: int, kinds: Iterable[Kind]) -> None:
        self._db.executemany(
            "DELETE FROM trouble WHERE place = ? AND number = ? AND kind = ?",
            [(place.index, number, kind) for kind in kinds],
        )

    def images(self, place: Place, records: Iterable[int]) -> dict[int, dict[int, bytes]]:
        """The last events of these records, by record and number; those asked for are seen."""
        wanted = list(records)
        found: dict[int, dict[int, bytes]] = {record: {} for record in wanted}
        for record, number, raw in self._db.execute(_IMAGES, (place.index, json.dumps(wanted))):
            found[record][number] = raw
        self._db.execute(
            "UPDATE image SET seen = 1 WHERE place = ? AND record IN (SELECT value FROM json_each(?))",
            (place.index, json.dumps(wanted)),
        )
        return found

    def unseen(self, place: Place, first: int, last: int) -> list[int]:
        """The records between two ids, both included, that exist by the topic and were not asked for."""
        rows = self._db.execute(
            "SELECT DISTINCT record FROM image WHERE place = ? AND record BETWEEN ? AND ? AND seen = 0 AND gone = 0 ORDER BY record",
            (place.index, first, last),
        )
        return [record for (record,) in rows]

    def highest(self, place: Place) -> int:
        """The highest id that its topic knows; 0 without any."""
        return int(self._db.execute("SELECT MAX(record) FROM image WHERE place = ?", (place.index,)).fetchone()[0] or 0)

    def by_period(self, place: Place) -> dict[str, Figures]:
        """Figures by month."""
        rows = self._db.execute(_BY_PERIOD, (place.index,))
        size = len(place.mapping.sums)
        return {period: Figures(count, ids, tuple(sums[:size])) for period, count, ids, *sums in rows}

    def between(self, place: Place, first: int, last: int) -> Figures:
        """Figures of the records between two ids, both included."""
        count, ids, *sums = self._db.execute(_BETWEEN, (place.index, first, last)).fetchone()
        size = len(place.mapping.sums)
        return Figures(count, ids, tuple(sums[:size])) if count else nothing(place.mapping.sums)

    def find(self, place: Place, number: int, kind: Kind, detail: str) -> None:
        """Note a difference; of several of one record the last stands."""
        self._db.execute("INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?)", (place.index, number, kind, detail))

    def clear(self, place: Place, records: Iterable[int]) -> None:
        """Forget the differences of these records: they are looked at again."""
        self._db.execute(
            "DELETE FROM found WHERE place = ? AND number & ? IN (SELECT value FROM json_each(?))",
            (place.index, RECORD, json.dumps(list(records))),
        )

    def differences(self) -> Iterator[Found]:
        """All that was found, one for each record: what differs from Odoo, else what is odd about its events."""
        rows = self._db.execute(
            "SELECT place, number, kind, detail FROM found UNION ALL SELECT place, number, kind, detail FROM trouble AS t"
            " WHERE NOT EXISTS (SELECT 1 FROM found AS f WHERE f.place = t.place AND f.number = t.number)"
            " GROUP BY place, number ORDER BY 1, 2"
        )
        return (Found(*row) for row in rows)

    def differing(self, place: Place) -> list[int]:
        """The records of a place that have a difference or odd events."""
        rows = self._db.execute(
            "SELECT number & ? FROM found WHERE place = ? UNION SELECT number & ? FROM trouble WHERE place = ?",
            (RECORD, place.index, RECORD, place.index),
        )
        return [record for (record,) in rows]

    def odd(self, place: Place, number: int) -> bool:
        """Whether something was odd about the events of a record, and nothing mended it."""
        return (
            self._db.execute("SELECT 1 FROM trouble WHERE place = ? AND number = ?", (place.index, number)).fetchone()
            is not None
        )


def _row(place: Place, number: int, raw: bytes, event: Any) -> tuple[Any, ...]:
    state, mapping = event["current"], place.mapping
    period, sums = "", [0] * MOST_SUMS
    if place.first and state is not None:
        table = figures_of(mapping.sums, state)
        sums[: len(table)] = table
        period = period_of(state[mapping.period.of]) if mapping.period is not None else ""
    return (place.index, number, number & RECORD, event["meta"]["version"], raw, state is None, period, *sums)
