"""What was last published of every record, rebuilt from the topics themselves.

Images are kept as the bytes of the event and decoded only to be compared: a tenth of the memory of decoded ones. Only
events of this source count: others may write under the same keys (a dispute opened by a webhook has its invoice's key).
An event that nobody can read was published to nobody: the image is then the one before, and the event is parked.

A record of which several entities are made has an image for each of its parts, under one number: record and part joined.
"""

from __future__ import annotations

from collections.abc import Iterable
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
AT_A_TIME = 4
BITS = 32
RECORD = (1 << BITS) - 1


def joined(record_id: int, part: int) -> int:
    """The number of a part's image; of a whole record (part 0) its id. Odoo's ids have 31 bits, and none is 0."""
    return part << BITS | record_id


def numbered(key: str) -> tuple[str, int] | None:
    """Model and number that a key names after its database, `<model>:<id>` or `<model>:<id>:<part>`; None for another key."""
    model, *numbers = key.split(":")
    if not 1 <= len(numbers) <= 2 or not all(number.isdecimal() for number in numbers):
        return None
    return model, joined(int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0)


class Images:
    """Last published events by place (topic, model) and number: a record's id, or record and part joined."""

    def __init__(self, places: Iterable[Place]) -> None:
        """Empty."""
        self.unreadable: list[Unreadable] = []
        self._raw: dict[Place, dict[int, bytes]] = {place: {} for place in places}
        self._gone: dict[Place, set[int]] = {place: set() for place in self._raw}
        self._parts: dict[Place, dict[int, set[int]]] = {place: {} for place in self._raw}

    def event(self, place: Place, number: int) -> Any:
        """The last event of a record or part, decoded; None for one never published."""
        raw = self._raw[place].get(number)
        return None if raw is None else codec.decode(raw).value

    def put(self, place: Place, number: int, raw: bytes, *, gone: bool) -> None:
        """Remember an event that is committed; `gone` if it is a deletion."""
        self._raw[place][number] = raw
        (self._gone[place].add if gone else self._gone[place].discard)(number)
        if number > RECORD:
            self._parts[place].setdefault(number & RECORD, set()).add(number >> BITS)

    def forget(self, place: Place, number: int) -> None:
        """Remember nothing of a record or part."""
        self._raw[place].pop(number, None)
        self._gone[place].discard(number)
        if number > RECORD:
            self._parts[place].get(number & RECORD, set()).discard(number >> BITS)

    def parts(self, place: Place, record_id: int) -> set[int]:
        """The parts of a record of which anything was published."""
        return self._parts[place].get(record_id, set())

    def present(self, place: Place) -> set[int]:
        """The records that exist, as a whole or in a part, as far as the topic says."""
        return {number & RECORD for number in self._raw[place].keys() - self._gone[place]}

    def known(self, place: Place, record_id: int) -> bool:
        """Whether anything was published of a record."""
        return record_id in self._raw[place]

    def __len__(self) -> int:
        """How many images there are."""
        return sum(len(of) for of in self._raw.values())


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
    of = {model: raw for (topic_name, model), raw in images._raw.items() if topic_name == name}  # noqa: SLF001  the builder of what it fills
    for record in read_to_end(settings, name):
        key, value = record.key(), record.value()
        if key is None or not (subject := key.decode("utf-8", "replace")).startswith(prefix):
            continue
        named = numbered(subject.removeprefix(prefix))
        if named is None or named[0] not in of:
            continue
        model, number = named
        if value is None:
            of[model].pop(number, None)
        elif ("ce_source", ours) in (record.headers() or ()):
            of[model][number] = value


def subject_of(database: str, model: str, number: int) -> str:
    """The key of a record, or of a part of one: `odoo:<database>:<model>:<id>`, and `:<part>`."""
    key = odoo_key(database, model, number & RECORD)
    return f"{key}:{number >> BITS}" if number > RECORD else key


def _find_gone(images: Images, place: Place) -> list[int]:
    """Note the records of a place that were deleted, and its parts; returns those whose last event cannot be read."""
    broken = []
    for number, raw in list(images._raw[place].items()):  # noqa: SLF001  the builder of what it fills
        try:
            gone = contents.read(place[0], raw)["current"] is None
        except PoisonMessage as error:
            if error.reason == "unknown_schema":
                raise Fatal(
                    f"the last event of {place[1]} {number & RECORD} on {place[0]} cannot be read: {error}",
                    remedy="update this program to the schemas the topic was written with",
                ) from error
            broken.append(number)
            continue
        if gone or number > RECORD:
            images.put(place, number, raw, gone=gone)
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
            images.put(place, number, raw, gone=gone)
        else:
            images.forget(place, number)
