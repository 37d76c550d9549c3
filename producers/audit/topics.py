"""From the topics onto the shelf: every event of one database's capture, in order, from the beginning or from where the last reading ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from infra.errors import Fatal, PoisonMessage
from infra.kafka.reader import STALL, end_offsets, partitions_of, read_ranges
from infra.kafka.unread import Unread, unread
from infra.settings import KafkaSettings
from producers.audit.shelf import Place, Shelf
from producers.capture.images import numbered
from producers.core.mapping import ModelMapping
from schemas import contents


@dataclass(slots=True)
class TopicReading:
    """How far the topics were read, and what of them nobody can read. Reading again takes in what came since."""

    settings: KafkaSettings
    database: str
    places: Sequence[Place]
    unreadable: list[Unread] = field(default_factory=list)
    _read: dict[str, dict[int, int]] = field(default_factory=dict)

    def onto(self, shelf: Shelf) -> int:
        """Put everything up to now on the shelf; returns how many records were looked at."""
        looked_at = sum(self._topic(shelf, name) for name in sorted({one.entity.topic_name for one in self.places}))
        shelf.flush()
        return looked_at

    def _topic(self, shelf: Shelf, name: str) -> int:
        ours = {place.mapping.model: place for place in self.places if place.entity.topic_name == name}
        partitions = partitions_of(self.settings, name)
        if not partitions:
            raise Fatal(f"there is no topic {name}", remedy="run `burnline topics apply`")
        done = self._read.setdefault(name, {})
        ends = end_offsets(self.settings, name, partitions)
        ranges = {p: (max(begin, done.get(p, 0)), end) for p, (begin, end) in ends.items()}
        looked_at = 0
        for record in read_ranges(self.settings, name, ranges, STALL):
            looked_at += 1
            key = record.key()
            named = numbered(self._own(key)) if key is not None else None
            place = ours.get(named[0]) if named is not None else None
            if place is None or named is None:
                continue
            value = record.value()
            if value is None:
                shelf.add(place, named[1], None, None)
                continue
            try:
                event = contents.read(name, value)
            except PoisonMessage as error:
                self.unreadable.append(unread(record, error))
                continue
            if event["meta"]["source"] == f"odoo:{self.database}":
                shelf.add(place, named[1], value, event)
        done.update({p: end for p, (_, end) in ends.items()})
        return looked_at

    def _own(self, key: bytes) -> str:
        """What a key says after our database; nothing for a key of another one."""
        prefix = f"odoo:{self.database}:"
        text = key.decode("utf-8", "replace")
        return text.removeprefix(prefix) if text.startswith(prefix) else ""


def places_of(mappings: Iterable[ModelMapping]) -> list[Place]:
    """Every place of these mappings, numbered."""
    pairs = [(mapping, entity) for mapping in mappings for entity in mapping.entities]
    return [Place(index, mapping, entity) for index, (mapping, entity) in enumerate(pairs)]
