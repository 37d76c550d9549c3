"""What was last published of every record, rebuilt from the topics themselves.

Images are kept as the bytes of the event, in a store on disk that ends with this process, and decoded only to be compared: a million of them
take no more memory than a thousand, and the topics are what is kept. Only events of this source count: others may write under the same keys (a dispute opened by a webhook has its
invoice's key). An event that nobody can read was published to nobody: the image is then the one before, and the event is parked.

A record of which several entities are made has an image for each of its parts, under one number: record and part joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from confluent_kafka import Message

from infra.errors import Fatal, PoisonMessage
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings
from producers.capture.store import Store
from producers.core.mapping import ModelMapping
from schemas import contents
from schemas.events import odoo_key

log = structlog.get_logger()
Place = tuple[str, str]
Unreadable = tuple[Message, PoisonMessage]
Image = tuple[int, bytes, bool]
"""Number, event, and whether it is a deletion."""
AT_A_TIME = 4
BATCH = 2000
BITS = 32
RECORD = (1 << BITS) - 1
LAST = (1 << 31) - 1
"""No id of Odoo is larger."""
END = (1 << 63) - 1
"""No number of SQLite is."""


def joined(record_id: int, part: int) -> int:
    """The number of a part's image; of a whole record (part 0) its id. Odoo's ids have 31 bits, and none is 0."""
    return part << BITS | record_id


def _turned(number: int) -> int:
    """Record and part in the other order, as the store has them, whose ranges are of records. Turned twice it is as it was."""
    return (number & RECORD) << BITS | number >> BITS


def numbered(key: str) -> tuple[str, int] | None:
    """Model and number that a key names after its database, `<model>:<id>` or `<model>:<id>:<part>`; None for another key."""
    model, *numbers = key.split(":")
    if not 1 <= len(numbers) <= 2 or not all(number.isdecimal() for number in numbers):
        return None
    return model, joined(int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0)


class Images:
    """Last published events by place (topic, model) and number: record and part joined. May be shared by threads."""

    def __init__(self, places: Iterable[Place]) -> None:
        """Empty."""
        self.unreadable: list[Unreadable] = []
        self.store = Store()
        """Where they are; there is room for more that ends with them."""
        self._rows = self.store.rows
        # the index holds the key, too: which records exist is told without touching the events
        columns = "turned INTEGER PRIMARY KEY, gone INTEGER NOT NULL, raw BLOB NOT NULL"
        self._table = {place: self.store.table("image", columns, by="gone") for place in dict.fromkeys(places)}

    @property
    def places(self) -> tuple[Place, ...]:
        """Where events are published."""
        return tuple(self._table)

    def latest(self, place: Place, numbers: Sequence[int]) -> dict[int, bytes]:
        """The last events of these records or parts, as bytes; those never published are not in it."""
        statement = f"SELECT turned, raw FROM {self._table[place]} WHERE turned IN"  # noqa: S608  tables of our own
        found = self.store.rows_of(statement, [_turned(number) for number in numbers])
        return {_turned(turned): raw for turned, raw in found}

    def put(self, place: Place, images: Iterable[Image]) -> None:
        """Remember events that are committed."""
        statement = (
            f"INSERT INTO {self._table[place]} (turned, raw, gone) VALUES (?, ?, ?) "  # noqa: S608  as above
            "ON CONFLICT (turned) DO UPDATE SET raw = excluded.raw, gone = excluded.gone"
        )
        self.store.many(statement, ((_turned(number), raw, gone) for number, raw, gone in images))

    def forget(self, place: Place, numbers: Iterable[int]) -> None:
        """Remember nothing of these records or parts."""
        statement = f"DELETE FROM {self._table[place]} WHERE turned = ?"  # noqa: S608  as above
        self.store.many(statement, ((_turned(one),) for one in numbers))

    def parts(self, place: Place, record_id: int) -> set[int]:
        """The parts of a record of which anything was published."""
        statement = f"SELECT turned FROM {self._table[place]} WHERE turned > ? AND turned < ?"  # noqa: S608  as above
        bounds = record_id << BITS, (record_id + 1) << BITS
        return {turned & RECORD for (turned,) in self._rows(statement, *bounds)}

    def present(self, place: Place, after: int = 0, upto: int = LAST) -> set[int]:
        """The records that exist, as a whole or in a part, as far as the topic says: those with ids above `after` and up to `upto`."""
        return self._between(place, after, upto, gone=False)

    def known(self, place: Place, after: int = 0, upto: int = LAST) -> set[int]:
        """The records of which anything was published, within these bounds."""
        return self._between(place, after, upto, gone=False) | self._between(place, after, upto, gone=True)

    def existing(self, place: Place, after: int, upto: int) -> list[tuple[int, bytes]]:
        """The records that exist within these bounds, and their last events."""
        statement = f"SELECT turned, raw FROM {self._table[place]} WHERE turned >= ? AND turned < ? AND gone = 0"  # noqa: S608  as above
        found = self._rows(statement, (after + 1) << BITS, (upto + 1) << BITS)
        return [(turned >> BITS, raw) for turned, raw in found]

    def highest(self, place: Place) -> int:
        """The highest id of which anything was published; 0 without any."""
        ((turned,),) = self._rows(f"SELECT MAX(turned) FROM {self._table[place]}")  # noqa: S608  as above
        return (turned or 0) >> BITS

    def count(self, place: Place) -> int:
        """How many records or parts exist."""
        table = self._table[place]
        ((count,),) = self._rows(f"SELECT COUNT(*) FROM {table} INDEXED BY {table}_gone WHERE gone = 0")  # noqa: S608  as above
        return int(count)

    def _between(self, place: Place, after: int, upto: int, *, gone: bool) -> set[int]:
        table = self._table[place]
        statement = f"SELECT turned FROM {table} INDEXED BY {table}_gone WHERE gone = ? AND turned >= ? AND turned < ?"  # noqa: S608  as above
        end = min((min(upto, LAST) + 1) << BITS, END)
        return {turned >> BITS for (turned,) in self._rows(statement, gone, (after + 1) << BITS, end)}

    def stored(self, place: Place) -> Iterator[tuple[int, bytes]]:
        """Every number and last event, by record, a batch in memory at a time."""
        statement = f"SELECT turned, raw FROM {self._table[place]} WHERE turned > ? ORDER BY turned LIMIT {BATCH}"  # noqa: S608  as above
        after = -1
        while batch := self._rows(statement, after):
            yield from ((_turned(turned), raw) for turned, raw in batch)
            after = batch[-1][0]

    def mark_gone(self, place: Place, numbers: Iterable[int]) -> None:
        """These are deletions."""
        statement = f"UPDATE {self._table[place]} SET gone = 1 WHERE turned = ?"  # noqa: S608  as above
        self.store.many(statement, ((_turned(one),) for one in numbers))

    def __len__(self) -> int:
        """How many images there are."""
        counts = (self._rows(f"SELECT count(*) FROM {t} INDEXED BY {t}_gone") for t in self._table.values())  # noqa: S608  as above
        return sum(count for ((count,),) in counts)

    def close(self) -> None:
        """Give the space back."""
        self.store.close()


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
            keys = {subject_of(database, place[1], number).encode(): number for number in broken}
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
        named = numbered(subject.removeprefix(prefix))
        if named is None or named[0] not in of:
            continue
        if value is None or ("ce_source", ours) in (record.headers() or ()):
            of[named[0]][named[1]] = value
            waiting += 1
        if waiting >= BATCH:
            _store(images, name, of)
            waiting = 0
    _store(images, name, of)


def _store(images: Images, name: str, of: dict[str, dict[int, bytes | None]]) -> None:
    """Move what was read into the store; None is a tombstone."""
    for model, latest in of.items():
        images.put((name, model), [(number, raw, False) for number, raw in latest.items() if raw is not None])
        images.forget((name, model), [number for number, raw in latest.items() if raw is None])
        latest.clear()


def subject_of(database: str, model: str, number: int) -> str:
    """The key of a record, or of a part of one: `odoo:<database>:<model>:<id>`, and `:<part>`."""
    key = odoo_key(database, model, number & RECORD)
    return f"{key}:{number >> BITS}" if number > RECORD else key


def _find_gone(images: Images, place: Place) -> list[int]:
    """Note the records of a place that were deleted; returns those whose last event cannot be read."""
    broken: list[int] = []
    gone: list[int] = []
    for number, raw in images.stored(place):
        try:
            deleted = contents.read(place[0], raw)["current"] is None
        except PoisonMessage as error:
            if error.reason == "unknown_schema":
                raise Fatal(
                    f"the last event of {place[1]} {number & RECORD} on {place[0]} cannot be read: {error}",
                    remedy="update this program to the schemas the topic was written with",
                ) from error
            broken.append(number)
            continue
        if deleted:
            gone.append(number)
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
    images.put(place, [(number, *readable[number]) for number in broken.values() if number in readable])
    images.forget(place, [number for number in broken.values() if number not in readable])
