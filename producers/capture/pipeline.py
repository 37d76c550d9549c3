"""From rows to committed events: compare with the image, encode, publish with the cursor, then remember.

Invariant: images, counts and cursors change only after the transaction that holds their records is committed.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import structlog

from infra.dead_letters import DEAD_LETTERS, parked
from infra.errors import PoisonMessage
from infra.odoo.client import Row
from producers.capture import metrics
from producers.capture.images import Image, Images, Place, Unreadable, joined
from producers.capture.publisher import Publisher, Record
from producers.capture.standing import CURSORS, SNAPSHOTS, STATUS, internal_key
from producers.core.changes import Origin, change
from producers.core.mapping import PART, Context, Entity, ModelMapping
from producers.core.values import written
from schemas import codec
from schemas.events import cloudevents_headers, odoo_key
from schemas.records import CaptureCursor, CaptureSnapshot, CaptureStatus, Mode
from schemas.successions import older_editions

log = structlog.get_logger()
Progress = Callable[[Mapping[str, int]], object]
STAGE = "capture.map"


@dataclass(frozen=True, slots=True)
class _Image:
    place: tuple[str, str]
    number: int
    raw: bytes
    verb: str
    gone: bool


class Pipeline:
    """The way from Odoo's rows to Kafka, for one database."""

    def __init__(
        self, publisher: Publisher, images: Images, *, database: str, source: str, progress: Progress | None
    ) -> None:
        """Publish as `source`; `progress` is told the counts per topic after each commit."""
        self.images = images
        self.counts: Counter[str] = Counter()
        self._publisher, self._database, self._source, self._progress = publisher, database, source, progress
        self._parked: dict[tuple[str, str, int], bytes] = {}

    def publish(
        self,
        mapping: ModelMapping,
        rows: Sequence[Row],
        context: Context,
        mode: Mode,
        *,
        gone: Iterable[int] = (),
        also: Callable[[int], Sequence[Record]] = lambda _events: (),
    ) -> int:
        """Commit what changed in these rows, the deletion of those `gone`, and what is `also` to stand there. Returns the number of events.

        A row that breaks its schema, or makes a record larger than its topic takes, is parked, once for each stamp, and the rest goes on.
        """
        origin = Origin(self._source, self._database, mode, datetime.now(UTC))
        records: list[Record] = []
        images: list[_Image] = []
        letters: dict[tuple[str, str, int], bytes] = {}
        looked_at: list[tuple[int, Row | None]] = [(row["id"], row) for row in rows]
        looked_at += [(record_id, None) for record_id in gone]
        for record_id, row in looked_at:
            for entity, part in self._looked_at(mapping, record_id, row):
                try:
                    found = self._changed(mapping.model, entity, record_id, part, row, context=context, origin=origin)
                except PoisonMessage as error:
                    records += self._letter(
                        mapping.model, entity, record_id, row, error=error, origin=origin, letters=letters
                    )
                    continue
                if found is not None:
                    records += found[0]
                    images.append(found[1])
        records += also(len(images))
        self._publisher.commit(records)
        self._parked.update(letters)
        self._remember(images)
        return len(images)

    def _looked_at(self, mapping: ModelMapping, record_id: int, row: Row | None) -> Iterator[tuple[Entity, int]]:
        """The entities of a row, each with 0 or, where it has parts, with those that were and those that are."""
        for entity in mapping.entities:
            if entity.parts is None:
                yield entity, 0
                continue
            there = set(entity.parts(row)) if row is not None else set()
            for part in sorted(there | self.images.parts((entity.topic_name, mapping.model), record_id)):
                yield entity, part

    def _changed(
        self,
        model: str,
        entity: Entity,
        record_id: int,
        part: int,
        row: Row | None,
        *,
        context: Context,
        origin: Origin,
    ) -> tuple[list[Record], _Image] | None:
        place, number = (entity.topic_name, model), joined(record_id, part)
        subject = odoo_key(self._database, model, record_id)
        if part:
            subject, row = f"{subject}:{part}", {**row, PART: part} if row is not None else None
        last = self.images.event(place, number)
        event: Any = change(entity, last, row, context, subject=subject, origin=origin)
        if event is None:
            return None
        topic = entity.topic
        value = codec.encode(topic.record, event)
        record = Record(topic.name, subject.encode(), value, cloudevents_headers(topic, event["meta"]))
        older = [
            Record(
                old.name,
                told["meta"]["subject"].encode(),
                codec.encode(old.record, told),
                cloudevents_headers(old, told["meta"]),
            )
            for old, told in older_editions(topic, event)
        ]
        for each in (record, *older):
            self._publisher.refuse_large(each)
        verb = event["meta"]["event_type"].rsplit(".", 2)[1]
        return [record, *older], _Image(place, number, value, verb, event["current"] is None)

    def _letter(
        self,
        model: str,
        entity: Entity,
        record_id: int,
        row: Row | None,
        *,
        error: PoisonMessage,
        origin: Origin,
        letters: dict[tuple[str, str, int], bytes],
    ) -> list[Record]:
        key, content = (entity.topic_name, model, record_id), json.dumps(row, sort_keys=True, default=str).encode()
        digest = sha256(content).digest()  # a row may be large
        if self._parked.get(key) == digest:
            return []
        letters[key] = digest
        subject = odoo_key(self._database, model, record_id).encode()
        log.warning("row_parked", model=model, record_id=record_id, cause=str(error), remedy=error.remedy)
        letter = parked(
            entity.topic_name,
            -1,
            -1,
            key=subject,
            value=content,
            headers=None,
            error=error,
            stage=STAGE,
            at=written(row) if row is not None else origin.seen_at,
            tenant=self._database,
        )
        return [_letter_record(letter)]

    def _remember(self, images: Iterable[_Image]) -> None:
        told: Counter[str] = Counter()
        together: defaultdict[Place, list[Image]] = defaultdict(list)
        for image in images:
            together[image.place].append((image.number, image.raw, image.gone))
            metrics.EVENTS.labels(image.place[0], image.verb).inc()
            told[image.place[0]] += 1
        for place, put in together.items():
            self.images.put(place, put)
        self.counts += told
        if told and self._progress is not None:
            self._progress(dict(self.counts))

    def park(self, unreadable: Iterable[Unreadable], stage: str) -> None:
        """Park records that could not be read."""
        records = [
            _letter_record(
                parked(
                    record.topic() or "",
                    record.partition() or 0,
                    record.offset() or 0,
                    key=record.key(),
                    value=record.value(),
                    headers=record.headers(),
                    error=error,
                    stage=stage,
                    at=datetime.now(UTC),
                    tenant=self._database,
                )
            )
            for record, error in unreadable
        ]
        self._publisher.commit(records)

    def keep(self, records: Iterable[Record]) -> None:
        """Commit records of our own by themselves."""
        self._publisher.commit(list(records))

    def cursor(self, cursor: CaptureCursor) -> Record:
        """The record of a model's cursor."""
        return Record(
            CURSORS.name, internal_key(self._database, cursor["model"]), codec.encode(CURSORS.record, cursor), []
        )

    def snapshot(self, snapshot: CaptureSnapshot) -> Record:
        """The record of a snapshot that was asked for."""
        key = internal_key(self._database, snapshot["snapshot_id"])
        return Record(SNAPSHOTS.name, key, codec.encode(SNAPSHOTS.record, snapshot), [])

    def no_snapshot(self, snapshot_id: str) -> Record:
        """The tombstone of a snapshot that nobody asks for any more."""
        return Record(SNAPSHOTS.name, internal_key(self._database, snapshot_id), None, [])

    def status(self, status: CaptureStatus) -> Record:
        """The record of what capture is doing."""
        return Record(STATUS.name, internal_key(self._database), codec.encode(STATUS.record, status), [])


def _letter_record(letter: Any) -> Record:
    metrics.PARKED.labels(letter["current"]["topic"]).inc()
    return Record(
        DEAD_LETTERS.name,
        letter["meta"]["subject"].encode(),
        codec.encode(DEAD_LETTERS.record, letter),
        cloudevents_headers(DEAD_LETTERS, letter["meta"]),
    )
