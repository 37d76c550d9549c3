"""What was last published of every record, rebuilt from the topics themselves.

Images are kept as the bytes of the event, on disk, and decoded only to be compared: a million of them take no more memory than a
thousand. The store is SQLite's own temporary file (in the folder of `TMPDIR`), which ends with this process however that ends: the topics
are what is kept. Only events of this source count: others may write under the same keys (a dispute opened by a webhook has its
invoice's key). An event that nobody can read was published to nobody: the image is then the one before, and the event is parked.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from confluent_kafka import Message

from infra.errors import Fatal, PoisonMessage
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings
from producers.core.mapping import ModelMapping
from schemas import codec, contents
from schemas.events import odoo_key

log = structlog.get_logger()
Place = tuple[str, str]
Unreadable = tuple[Message, PoisonMessage]
Image = tuple[int, bytes, bool]
AT_A_TIME = 4
BATCH = 2000
CACHE_KIB = 32_768
PLACE_BITS = 40
"""A record's id takes the lower bits of its key, its place the upper ones."""
LAST = (1 << PLACE_BITS) - 1
_PUT = "INSERT INTO image (key, gone, raw) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET gone = excluded.gone, raw = excluded.raw"


class Images:
    """Last published events by place (topic, model) and record id. May be shared by threads."""

    def __init__(self, places: Iterable[Place]) -> None:
        """Empty."""
        self.unreadable: list[Unreadable] = []
        self._base = {place: number << PLACE_BITS for number, place in enumerate(dict.fromkeys(places))}
        self._lock = threading.Lock()
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        # one transaction for ever: nobody else looks, and nothing is to outlast the process
        for statement in (
            "PRAGMA journal_mode = off",
            "PRAGMA synchronous = off",
            f"PRAGMA cache_size = -{CACHE_KIB}",
            "CREATE TABLE image (key INTEGER PRIMARY KEY, gone INTEGER NOT NULL, raw BLOB NOT NULL)",
            "CREATE INDEX by_gone ON image (gone)",  # with the key in it: which records exist is told without the events
            "BEGIN",
        ):
            self._db.execute(statement)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where events are published."""
        return tuple(self._base)

    def event(self, place: Place, record_id: int) -> Any:
        """The last event of a record, decoded; None for one never published."""
        with self._lock:
            found = self._db.execute("SELECT raw FROM image WHERE key = ?", (self._base[place] + record_id,)).fetchone()
        return None if found is None else codec.decode(found[0]).value

    def put(self, place: Place, images: Iterable[Image]) -> None:
        """Remember events that are committed, as record id, bytes, and whether they are deletions."""
        base = self._base[place]
        with self._lock:
            self._db.executemany(_PUT, ((base + record_id, gone, raw) for record_id, raw, gone in images))

    def forget(self, place: Place, record_id: int) -> None:
        """Remember nothing of a record."""
        with self._lock:
            self._db.execute("DELETE FROM image WHERE key = ?", (self._base[place] + record_id,))

    def present(self, place: Place, after: int = 0, upto: int = LAST) -> set[int]:
        """The records that exist, as far as the topic says, with ids above `after` and up to `upto`."""
        return self._between(place, after, upto, gone=False)

    def known(self, place: Place, after: int = 0, upto: int = LAST) -> set[int]:
        """The records of which anything was published, within these bounds."""
        return self._between(place, after, upto, gone=False) | self._between(place, after, upto, gone=True)

    def _between(self, place: Place, after: int, upto: int, *, gone: bool) -> set[int]:
        base = self._base[place]
        wanted = "SELECT key FROM image INDEXED BY by_gone WHERE gone = ? AND key > ? AND key <= ?"
        with self._lock:
            return {key - base for (key,) in self._db.execute(wanted, (gone, base + after, base + min(upto, LAST)))}

    def stored(self, place: Place) -> Iterator[tuple[int, bytes]]:
        """Every record's id and last event, by ascending id, a batch in memory at a time."""
        base = after = self._base[place]
        wanted = "SELECT key, raw FROM image WHERE key > ? AND key <= ? ORDER BY key LIMIT ?"
        while True:
            with self._lock:
                batch = self._db.execute(wanted, (after, base + LAST, BATCH)).fetchall()
            yield from ((key - base, raw) for key, raw in batch)
            if len(batch) < BATCH:
                return
            after = batch[-1][0]

    def mark_gone(self, place: Place, ids: Iterable[int]) -> None:
        """These are deletions."""
        base = self._base[place]
        with self._lock:
            self._db.executemany("UPDATE image SET gone = 1 WHERE key = ?", ((base + one,) for one in ids))

    def __len__(self) -> int:
        """How many images there are."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM image INDEXED BY by_gone").fetchone()[0])

    def close(self) -> None:
        """Give the space back."""
        self._db.close()


def places(mappings: Iterable[ModelMapping]) -> list[Place]:
    """Every place that mappings publish to."""
    return [(entity.topic_name, mapping.model) for mapping in mappings for entity in mapping.entities]


def load(settings: KafkaSettings, wanted: list[Place], *, database: str, source: str) -> Images:
    """Images from the topics as they stand now, and what is `unreadable` of ours. Raises `Fatal` for an event of a later release."""
    images = Images(wanted)
    names = sorted({topic_name for topic_name, _ in wanted})
    with ThreadPoolExecutor(AT_A_TIME, "capture-images") as pool:
        for _ in pool.map(lambda name: _read(settings, images, name, f"odoo:{database}:", source.encode()), names):
            pass
    for place in wanted:
        if broken := _find_gone(images, place):
            keys = {odoo_key(database, place[1], number).encode(): number for number in broken}
            _step_back(settings, images, place, keys, source.encode())
    log.info("images_loaded", images=len(images), unreadable=len(images.unreadable))
    return images


def _read(settings: KafkaSettings, images: Images, name: str, prefix: str, ours: bytes) -> None:
    """Fill the places of one topic, which no other thread touches."""
    of: dict[str, dict[int, bytes | None]] = {place[1]: {} for place in images.places if place[0] == name}
    waiting = 0
    for record in read_to_end(settings, name):
        key, value = record.key(), record.value()
        if key is None or not (subject := key.decode("utf-8", "replace")).startswith(prefix):
            continue
        model, _, number = subject.removeprefix(prefix).rpartition(":")
        if model not in of or not number.isdecimal():
            continue
        if value is None or ("ce_source", ours) in (record.headers() or ()):
            of[model][int(number)] = value
            waiting += 1
        if waiting >= BATCH:
            _store(images, name, of)
            waiting = 0
    _store(images, name, of)


def _store(images: Images, name: str, of: dict[str, dict[int, bytes | None]]) -> None:
    """Move what was read into the store; None is a tombstone."""
    for model, latest in of.items():
        images.put((name, model), ((number, raw, False) for number, raw in latest.items() if raw is not None))
        for number, raw in latest.items():
            if raw is None:
                images.forget((name, model), number)
        latest.clear()


def _find_gone(images: Images, place: Place) -> list[int]:
    """Note the records of a place that were deleted; returns those whose last event cannot be read."""
    broken: list[int] = []
    gone: list[int] = []
    for record_id, raw in images.stored(place):
        try:
            deleted = contents.read(place[0], raw)["current"] is None
        except PoisonMessage as error:
            if error.reason == "unknown_schema":
                raise Fatal(
                    f"the last event of {place[1]} {record_id} on {place[0]} cannot be read: {error}",
                    remedy="update this program to the schemas the topic was written with",
                ) from error
            broken.append(record_id)
            continue
        if deleted:
            gone.append(record_id)
    images.mark_gone(place, gone)
    return broken


def _step_back(settings: KafkaSettings, images: Images, place: Place, broken: dict[bytes, int], ours: bytes) -> None:
    """Give these records the last of their events that can be read, if there is one, and keep the others to be parked."""
    readable: dict[int, tuple[bytes, bool]] = {}
    for record in read_to_end(settings, place[0]):
        number, value = broken.get(record.key() or b""), record.value()
        if number is None:
            continue
        if value is None:
            readable.pop(number, None)
        elif ("ce_source", ours) in (record.headers() or ()):
            try:
                readable[number] = value, contents.read(place[0], value)["current"] is None
            except PoisonMessage as error:
                images.unreadable.append((record, error))
    for number in broken.values():
        if number in readable:
            raw, gone = readable[number]
            images.put(place, [(number, raw, gone)])
        else:
            images.forget(place, number)
