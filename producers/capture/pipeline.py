"""From rows to committed events: compare with the image, encode, publish with the cursor, then remember.

Invariant: images, counts and cursors change only after the transaction that holds their records is committed.
"""

from __future__ import annotations

import gc
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

import structlog

from infra.dead_letters import DEAD_LETTERS, parked
from infra.errors import PoisonMessage
from infra.odoo.client import Row
from producers.capture import metrics
from producers.capture.images import BITS, RECORD, Image, Images, Place, Unreadable, joined, subject_of
from producers.capture.publisher import Publisher, Record, record_of
from producers.capture.standing import CURSORS, SNAPSHOTS, STATUS, internal_key
from producers.core.changes import Origin, change
from producers.core.mapping import PART, Context, Entity, ModelMapping
from producers.core.values import written
from schemas import codec
from schemas.events import odoo_key
from schemas.records import CaptureCursor, CaptureSnapshot, CaptureStatus, Mode
from schemas.successions import older_editions

log = structlog.get_logger()
Progress = Callable[[Mapping[str, int]], object]
STAGE = "capture.map"


class _Image(NamedTuple):
    place: Place
    number: int
    raw: bytes
    verb: str
    gone: bool


class _Look(NamedTuple):
    """An entity of a record, or one of its parts, that may have changed: where its image is, and its row as it is now."""

    entity: Entity
    place: Place
    number: int
    row: Row | None


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
        images: list[_Image] = []
        letters: dict[tuple[str, str, int], bytes] = {}
        looks = [look for row in rows for look in self._looks(mapping, row["id"], row)]
        looks += [look for record_id in gone for look in self._looks(mapping, record_id, None)]
        known = self._known(looks)

        def records() -> Iterator[Record]:
            for look in looks:
                last = known[look.place].get(look.number)
                try:
                    found = self._changed(look, last, context=context, origin=origin)
                except PoisonMessage as error:
                    yield from self._letter(look, error=error, origin=origin, letters=letters)
                    continue
                if found is not None:
                    yield from found[0]
                    images.append(found[1])
            yield from also(len(images))

        with _undisturbed():
            self._publisher.commit(records())
        self._parked.update(letters)
        self._remember(images)
        return len(images)

    def _looks(self, mapping: ModelMapping, record_id: int, row: Row | None) -> Iterator[_Look]:
        """Where to look for a record: once for each entity or, where it has parts, for each of those that were and those that are."""
        for entity in mapping.entities:
            place = entity.topic_name, mapping.model
            if entity.parts is None:
                yield _Look(entity, place, record_id, row)
                continue
            there = set(entity.parts(row)) if row is not None else set()
            for part in sorted(there | self.images.parts(place, record_id)):
                yield _Look(entity, place, joined(record_id, part), row)

    def _known(self, looks: Iterable[_Look]) -> Mapping[Place, Mapping[int, bytes]]:
        """What was last published of all that is looked at."""
        numbers: defaultdict[Place, list[int]] = defaultdict(list)
        for look in looks:
            numbers[look.place].append(look.number)
        return {place: self.images.latest(place, asked) for place, asked in numbers.items()}

    def _changed(
        self, look: _Look, last: bytes | None, *, context: Context, origin: Origin
    ) -> tuple[list[Record], _Image] | None:
        subject, row = subject_of(self._database, look.place[1], look.number), look.row
        if row is not None and (part := look.number >> BITS):
            row = {**row, PART: part}
        published = codec.decode(last).value if last is not None else None
        event: Any = change(look.entity, published, row, context, subject=subject, origin=origin)
        if event is None:
            return None
        topic = look.entity.topic
        meta, value = event["meta"], codec.encode(topic.record, event)
        records = [record_of(topic, meta, value)]
        records += [
            record_of(old, told["meta"], codec.encode(old.record, told)) for old, told in older_editions(topic, event)
        ]
        for record in records:
            self._publisher.refuse_large(record)
        verb = meta["event_type"].rsplit(".", 2)[1]
        return records, _Image(look.place, look.number, value, verb, event["current"] is None)

    def _letter(
        self,
        look: _Look,
        *,
        error: PoisonMessage,
        origin: Origin,
        letters: dict[tuple[str, str, int], bytes],
    ) -> list[Record]:
        topic_name, model = look.place
        row, record_id = look.row, look.number & RECORD
        key, content = (topic_name, model, record_id), json.dumps(row, sort_keys=True, default=str).encode()
        digest = sha256(content).digest()  # a row may be large
        if self._parked.get(key) == digest:
            return []
        letters[key] = digest
        subject = odoo_key(self._database, model, record_id).encode()
        log.warning("row_parked", model=model, record_id=record_id, cause=str(error), remedy=error.remedy)
        letter = parked(
            topic_name,
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
        told: Counter[tuple[str, str]] = Counter()
        together: defaultdict[Place, list[Image]] = defaultdict(list)
        for image in images:
            together[image.place].append((image.number, image.raw, image.gone))
            told[image.place[0], image.verb] += 1
        for (topic_name, verb), count in told.items():
            metrics.EVENTS.labels(topic_name, verb).inc(count)
            self.counts[topic_name] += count
        for place, put in together.items():
            self.images.put(place, put)
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


@contextmanager
def _undisturbed() -> Generator[None, None, None]:
    """Without a look for garbage in cycles: a page makes a hundred thousand objects and none of these, and the looks are a tenth of its cost."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _letter_record(letter: Any) -> Record:
    metrics.PARKED.labels(letter["current"]["topic"]).inc()
    return record_of(DEAD_LETTERS, letter["meta"], codec.encode(DEAD_LETTERS.record, letter))
