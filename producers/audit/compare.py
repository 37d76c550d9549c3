"""Rows of Odoo beside the last events of their records: the very comparison with which the capture decides whether to publish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.errors import PoisonMessage
from infra.odoo.client import Row
from producers.audit.shelf import Place, Shelf
from producers.capture.images import BITS, RECORD, joined, subject_of
from producers.capture.pages import read_ahead
from producers.capture.source import Readable, Source
from producers.capture.tables import Tables
from producers.core.audit import Kind, differing
from producers.core.changes import Origin, change
from producers.core.mapping import PART, Context
from producers.core.policy import CapturePolicy
from schemas import codec
from schemas.records import Mode

REPAIR: Mode = "repair"


@dataclass(slots=True)
class Comparison:
    """One database, compared with what its shelf says."""

    source: Source
    tables: Tables
    policy: CapturePolicy
    shelf: Shelf
    places: Sequence[Place]
    hidden: int = 0
    """Records that the topic has, and that are there but not shown to this user: no difference, since nobody can tell."""
    unmapped: int = 0
    """Rows that no state can be made of: the capture parks them."""
    rows: int = 0

    def of(self, one: Readable) -> list[Place]:
        """The places of a mapping, that of its sums first."""
        return [place for place in self.places if place.mapping.model == one.mapping.model]

    def differing(self, one: Readable) -> list[int]:
        """The records of a mapping that differ, or whose events are odd."""
        return sorted({record for place in self.of(one) for record in self.shelf.differing(place)})

    def everything(self, one: Readable, first: int, last: int | None) -> None:
        """Compare all records between two ids, both included; without a last one, all that follow."""
        within = [("id", "<=", last)] if last is not None else []
        pages = self.source.pages(one, (*within, *one.mapping.where), REPAIR, after=first - 1)
        with closing(read_ahead(pages)) as ahead:
            for rows in ahead:
                self.tables.ready_for(one.mapping, rows)
                self._rows(one, [row["id"] for row in rows], rows)
        left = {record for place in self.of(one) for record in self.shelf.unseen(place, first, last or RECORD)}
        self.again(one, left)

    def again(self, one: Readable, records: Iterable[int]) -> None:
        """Compare these records, whether they are there or not."""
        for known, rows in self.looked_up(one, records):
            self._rows(one, known, rows)

    def looked_up(self, one: Readable, records: Iterable[int]) -> Iterator[tuple[list[int], list[Row]]]:
        """These records in parts: those that are there or known to be gone, and their rows. Hidden ones are counted and left out."""
        for part, rows in self.source.by_id(one, records, REPAIR):
            there = {row["id"] for row in rows}
            away = [record for record in part if record not in there]
            gone = set(self.source.gone(one, away))
            self.hidden += len(away) - len(gone)
            self.tables.ready_for(one.mapping, rows)
            yield [record for record in part if record in there or record in gone], rows

    def _rows(self, one: Readable, records: Sequence[int], rows: Sequence[Row]) -> None:
        self.rows += len(rows)
        by_id = {row["id"]: row for row in rows}
        for place in self.of(one):
            self.shelf.clear(place, records)
            images = self.shelf.images(place, records)
            for record in records:
                self._record(place, record, by_id.get(record), images[record])

    def _record(self, place: Place, record: int, row: Row | None, images: dict[int, bytes]) -> None:
        for number in numbers(place, record, row, images):
            last = codec.decode(images[number]).value if number in images else None
            try:
                event = self.event(place, number, last, row)
            except PoisonMessage:
                self.unmapped += 1
                continue
            if event is None:
                continue
            kind: Kind = "phantom" if event["current"] is None else "missing" if event["previous"] is None else "wrong"
            self.shelf.find(place, number, kind, differing(event["previous"], event["current"], event["changed"]))

    def event(self, place: Place, number: int, last: Any, row: Row | None) -> Any:
        """The event that corrects a record's last one, or None where it needs none. Raises `PoisonMessage` as the mapping does."""
        record, part = number & RECORD, number >> BITS
        database = self.source.client.database
        origin = Origin(f"odoo:{database}", database, REPAIR, datetime.now(UTC))
        context = Context(self.tables.present, self.policy)
        subject = subject_of(database, place.mapping.model, joined(record, part))
        told = {**row, PART: part} if row is not None and part else row
        return change(place.entity, last, told, context, subject=subject, origin=origin)


def numbers(place: Place, record: int, row: Row | None, images: dict[int, bytes]) -> Iterator[int]:
    """What to compare of a record: itself, or the parts that its row has and those that the topic knows."""
    if place.entity.parts is None:
        yield record
        return
    parts = {joined(record, part) for part in place.entity.parts(row)} if row is not None else set()
    yield from sorted(parts | images.keys())
