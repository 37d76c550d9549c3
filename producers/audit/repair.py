"""Corrections: for each difference the event that brings the topic to what Odoo says, marked as a repair, as the capture of the database.

Rules
- Only the capture of a database numbers its records' versions. So a repair fences whoever is that capture before it looks at the records
  once more: nothing is published between the look and the correction.
- A record whose events were odd, but whose last state is right, is told again, so that whoever took the wrong one of two is put right.
- All corrections are committed together, or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from infra.errors import PoisonMessage
from infra.settings import Settings
from producers.audit.compare import Comparison, numbers
from producers.audit.shelf import Place
from producers.audit.topics import TopicReading
from producers.capture.publisher import Publisher, Record, record_of
from producers.capture.source import Readable
from producers.core.changes import told_again
from schemas import codec
from schemas.successions import older_editions

log = structlog.get_logger()


def run(settings: Settings, comparison: Comparison, readable: Sequence[Readable], reading: TopicReading) -> int:
    """Publish the corrections of everything on the shelf that differs; returns how many events they are."""
    publisher = Publisher(settings.kafka, comparison.source.client.database)
    reading.onto(comparison.shelf)
    records: list[Record] = []
    corrected = 0
    for one in readable:
        for event, place in _corrections(comparison, one):
            corrected += 1
            for record in _records(place, event):
                publisher.refuse_large(record)
                records.append(record)
    publisher.commit(records)
    log.info("audit_repaired", events=corrected, database=comparison.source.client.database)
    return corrected


def _corrections(comparison: Comparison, one: Readable) -> Iterator[tuple[Any, Place]]:
    for known, rows in comparison.looked_up(one, comparison.differing(one)):
        by_id = {row["id"]: row for row in rows}
        for place in comparison.of(one):
            images = comparison.shelf.images(place, known)
            for record in known:
                row = by_id.get(record)
                for number in numbers(place, record, row, images[record]):
                    event = _correction(comparison, place, number, images[record].get(number), row)
                    if event is not None:
                        yield event, place


def _correction(comparison: Comparison, place: Place, number: int, raw: bytes | None, row: Any) -> Any:
    last = codec.decode(raw).value if raw is not None else None
    try:
        event = comparison.event(place, number, last, row)
    except PoisonMessage as error:
        log.warning("not_repaired", model=place.mapping.model, number=number, cause=str(error), remedy=error.remedy)
        return None
    if event is None and last is not None and comparison.shelf.odd(place, number):
        return told_again(place.entity, last, at=datetime.now(UTC))
    return event


def _records(place: Place, event: Any) -> Iterator[Record]:
    for topic, told in ((place.entity.topic, event), *older_editions(place.entity.topic, event)):
        yield record_of(topic, told["meta"], codec.encode(topic.record, told))
