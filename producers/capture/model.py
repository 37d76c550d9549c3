"""The capture of one model: snapshot, passes, hints, sweeps. It says what to read; the pipeline says what changed.

Invariants
- A snapshot's cursor is committed with each page, so it goes on where it ended; its high water was taken before its first page.
- A deletion is published only after the record was asked for by id and was not there: what is hidden from the user is not gone.
- A sweep that finds more records gone than anybody deletes publishes none of these deletions: a person decides (`burnline audit --repair`).
- Snapshots run beside the passes: a row that was read live since its page was asked for is left out of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from infra.odoo.client import Row
from producers.capture import metrics
from producers.capture.digests import Digests
from producers.capture.images import Place
from producers.capture.pages import read_ahead
from producers.capture.pipeline import Pipeline
from producers.capture.publisher import Record
from producers.capture.source import Readable, Source
from producers.capture.tables import Tables
from producers.capture.watch import Watch
from producers.core.cursor import Clock, utc_seconds
from producers.core.mapping import Context
from producers.core.mapping.base import Domain
from producers.core.policy import CapturePolicy
from producers.core.watermark import LiveReads
from schemas.records import CaptureCursor, Mode

log = structlog.get_logger()
PAGES_A_COMMIT = 4
FEW = 100
"""So many deletions at once are always believed."""
Page = tuple[int, list[int], list[Row]]
"""The mark from before it was asked for, the ids that were, and the rows that are."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a snapshot: the rows to publish, the ids asked for that are gone, the highest id, and how many were read."""

    rows: list[Row]
    gone: list[int]
    last_id: int
    count: int


class ModelCapture:
    """One model of one database."""

    def __init__(
        self,
        one: Readable,
        cursor: CaptureCursor,
        *,
        source: Source,
        tables: Tables,
        pipeline: Pipeline,
        clock: Clock,
        policy: CapturePolicy,
        overlap: float,
        deletion_share: float,
    ) -> None:
        """Begin where the cursor stands."""
        self.mapping = one.mapping
        self.cursor: CaptureCursor = {**cursor, "fields": sorted(one.fields)}
        self._one, self._source, self._tables, self._pipeline = one, source, tables, pipeline
        self._clock, self._policy, self._overlap = clock, policy, timedelta(seconds=overlap)
        self._watch = self._watching(one.mapping.model, cursor["high_water"])
        self._followed = [self._watching(follow.model, cursor["high_water"]) for follow in one.mapping.follows]
        self._live = LiveReads()
        self._digests = Digests(source, one, pipeline.images)
        self._deletion_share = deletion_share
        self.changed_at = 0.0
        """When a pass last found a change, by the steady clock."""

    def _watching(self, model: str, high_water: datetime | None) -> Watch:
        domain = self.mapping.watch if model == self.mapping.model else ()
        overlap = self._overlap.total_seconds()
        store = self._pipeline.images.store
        return Watch(
            self._source, self._clock, model, domain=domain, high_water=high_water, overlap=overlap, store=store
        )

    @property
    def begun(self) -> bool:
        """Whether the first snapshot has begun, so that there is something to keep up with."""
        return self.cursor["snapshot_done"] or self.cursor["snapshot_began_at"] is not None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are read."""
        return self._one.fields

    def snapshot(self) -> Iterator[None]:
        """Read everything once, from where the last snapshot ended; a step for each commit."""
        if self.cursor["snapshot_done"]:
            return
        if not self.begun:
            self._begin()
        begun, events = time.monotonic(), 0
        for chunk in self.chunks(after=self.cursor["snapshot_id"]):
            rows = self.cursor["snapshot_rows"] + chunk.count
            cursor: CaptureCursor = {**self.cursor, "snapshot_id": chunk.last_id, "snapshot_rows": rows}
            events += self.publish(chunk, lambda _events, cursor=cursor: [self._pipeline.cursor(cursor)])  # type: ignore[misc]
            self.cursor = cursor
            self._note_fresh(chunk.rows)
            yield
        self._keep({**self.cursor, "snapshot_done": True, "swept_at": datetime.now(UTC)})
        log.info("snapshot_done", model=self.mapping.model, events=events, seconds=round(time.monotonic() - begun, 2))

    def _begin(self) -> None:
        """Note where live capture begins, before the first page is read."""
        newest = self._source.newest_stamp(self._one)
        high_water = utc_seconds(newest) if newest else None
        total, now = self.count(()), datetime.now(UTC)
        self.cursor = {**self.cursor, "high_water": high_water, "snapshot_expected": total, "snapshot_began_at": now}
        self._watch = self._watching(self.mapping.model, high_water)
        self._followed = [self._watching(follow.model, high_water) for follow in self.mapping.follows]

    def count(self, domain: Domain) -> int:
        """How many records there are, of those that a snapshot would read."""
        return self._source.count(self._one, domain)

    def chunks(
        self, domain: Domain = (), ids: Collection[int] = (), *, after: int = 0, most: int | None = None
    ) -> Generator[Chunk, None, None]:
        """Rows by ascending id, read ahead by a thread, less those that were read live meanwhile. `most` rows in a chunk, where it is given."""
        size = min(self._source.page_size, most or self._source.page_size)
        pages: Iterator[tuple[list[int], list[Row]]]
        if ids:
            pages = self._source.by_id(self._one, (one for one in ids if one > after), "snapshot", size=size)
        else:
            read = self._source.pages(self._one, (*self.mapping.where, *domain), "snapshot", after=after, size=size)
            pages = (([row["id"] for row in rows], rows) for rows in read)
        enough = size if most else PAGES_A_COMMIT * size
        with self._live.watched(), closing(read_ahead(self._marked(pages))) as ahead:
            for mark, asked, rows in _together(ahead, enough):
                there = {row["id"] for row in rows}
                yield Chunk(
                    rows=[row for row in rows if not self._live.newer(row["id"], mark)],
                    gone=[one for one in asked if one not in there and not self._live.newer(one, mark)],
                    last_id=asked[-1],
                    count=len(asked),
                )
                self._live.forget(mark)

    def _marked(self, pages: Iterator[tuple[list[int], list[Row]]]) -> Iterator[Page]:
        """Each page with the mark from before it was asked for."""
        while True:
            mark = self._live.mark
            page = next(pages, None)
            if page is None:
                return
            yield mark, *page

    def publish(self, chunk: Chunk, also: Callable[[int], Sequence[Record]]) -> int:
        """Commit a snapshot's chunk, and what is also to stand there. Returns the number of events."""
        return self._publish(chunk.rows, "snapshot", gone=chunk.gone, also=also)

    def _note_fresh(self, rows: Iterable[Row]) -> None:
        """Rows that the first pass will list have been read already."""
        high_water = self.cursor["high_water"]
        if high_water is None:
            return
        since = (high_water - self._overlap).strftime("%Y-%m-%d %H:%M:%S")
        fresh = [(row["id"], str(row["write_date"])) for row in rows if str(row["write_date"]) >= since]
        self._watch.recent.read(fresh, time.monotonic(), once=True)

    def look(self, *, slow: bool) -> bool:
        """One pass over what was written lately, here and in the models that are followed. Returns whether anything was."""
        with metrics.PASS_SECONDS.labels("slow" if slow else "fast").time():
            found = self._watch.look(lambda ids: self._read_again(ids, "poll"), slow=slow)
            for index, watch in enumerate(self._followed):
                found += watch.look(self._reader_of(index), slow=slow)
        if slow and self._watch.high_water != self.cursor["high_water"]:
            self._keep({**self.cursor, "high_water": self._watch.high_water})
        if found:
            self.changed_at = time.monotonic()
        return found > 0

    def _reader_of(self, index: int) -> Callable[[Sequence[int]], Sequence[tuple[int, str]]]:
        model = self.mapping.follows[index].model

        def read(ids: Sequence[int]) -> Sequence[tuple[int, str]]:
            rows = self._source.client.read(model, ids, ["write_date"])
            self._read_again(self._source.of_followed(self._one, index, ids), "poll")
            return [(row["id"], str(row["write_date"])) for row in rows]

        return read

    def hinted(self, model: str, ids: Collection[int], mode: Mode = "hint") -> None:
        """Read the records that a hint for this model, or for one that is followed, points at."""
        if model == self.mapping.model:
            self._read_again(ids, mode)
        for index, follow in enumerate(self.mapping.follows):
            if model == follow.model:
                self._read_again(self._source.of_followed(self._one, index, sorted(ids)), mode)

    def sweep(self, *, content: bool) -> Iterator[None]:
        """Compare digests, and with `content` every record; a step at a time, since a sweep must not hold up the passes."""
        events, gone = 0, set[int]()
        for apart in self._digests.differing():
            before = self._pipeline.counts.total()
            if apart is not None:
                gone |= self._range(*apart)
            events += self._pipeline.counts.total() - before
            yield
        before = self._pipeline.counts.total()
        self._deleted(gone)
        events += self._pipeline.counts.total() - before
        if content:
            for rows in self._source.pages(self._one, self.mapping.where, "sweep"):
                events += self._publish(rows, "sweep")
                yield
        now = datetime.now(UTC)
        self._keep({**self.cursor, "swept_at": now})
        metrics.SWEPT_AT.labels(self.mapping.model).set(now.timestamp())
        if events:
            log.info("sweep_found_changes", model=self.mapping.model, events=events, content=content)

    def _range(self, after: int, upto: int) -> set[int]:
        """Read again what differs within these bounds, all of it where the ids are the same; returns those that seem to be gone."""
        images, there = self._pipeline.images, self._source.ids(self._one, after, upto)
        missing = set[int]().union(*(images.present(place, after, upto) for place in self._places)) - there
        unknown = there - images.known(self._places[0], after, upto)
        self._read_again(unknown, "sweep")
        if not missing and not unknown:
            within = (("id", "<=", upto), *self.mapping.where)
            for rows in self._source.pages(self._one, within, "sweep", after=after):
                self._publish(rows, "sweep")
        return missing

    @property
    def _places(self) -> list[Place]:
        return [(entity.topic_name, self.mapping.model) for entity in self.mapping.entities]

    def _deleted(self, gone: set[int]) -> None:
        """Publish what is gone, unless it is more than anybody deletes at once."""
        model, known = self.mapping.model, self._pipeline.images.count(self._places[0])
        held = len(gone) > max(FEW, self._deletion_share * known)
        metrics.DELETIONS_HELD.labels(model).set(len(gone) if held else 0)
        if held:
            log.error(
                "deletions_held",
                model=model,
                gone=len(gone),
                known=known,
                remedy="is this the right database, complete, and does the user of ODOO_USER still see all of it? If the records were deleted, `burnline audit --repair` says so on the topics",
            )
        else:
            self._read_again(gone, "sweep")

    def _keep(self, cursor: CaptureCursor) -> None:
        self._pipeline.keep([self._pipeline.cursor(cursor)])
        self.cursor = cursor

    def _read_again(self, ids: Iterable[int], mode: Mode) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        for part, rows in self._source.by_id(self._one, ids, mode):
            there = {row["id"] for row in rows}
            gone = [record_id for record_id in part if record_id not in there]
            self._publish(rows, mode, gone=gone)
            found += [(row["id"], str(row["write_date"])) for row in rows]
        return found

    def _publish(
        self,
        rows: Sequence[Row],
        mode: Mode,
        *,
        gone: Collection[int] = (),
        also: Callable[[int], Sequence[Record]] = lambda _events: (),
    ) -> int:
        if gone:
            gone, asked = self._source.gone(self._one, sorted(gone)), len(gone)
            if hidden := asked - len(gone):
                metrics.HIDDEN.labels(self.mapping.model).inc(hidden)
                log.warning(
                    "records_hidden",
                    model=self.mapping.model,
                    records=hidden,
                    remedy="give the user of ODOO_USER the right to read them",
                )
        if mode != "snapshot":
            self._live.note([*(row["id"] for row in rows), *gone])
        self._digests.published([*(row["id"] for row in rows), *gone])
        self._tables.ready_for(self.mapping, rows)
        context = Context(self._tables.present, self._policy)
        return self._pipeline.publish(self.mapping, rows, context, mode, gone=gone, also=also)


def _together(pages: Iterable[Page], enough: int) -> Iterator[Page]:
    """Pages put together until there are enough records for one transaction: what a commit costs does not grow with them.

    The mark of the first of them holds for all.
    """
    first, asked, rows = 0, list[int](), list[Row]()
    for mark, more, found in pages:
        first = first if asked else mark
        asked = asked + more
        rows = rows + found
        if len(asked) >= enough:
            yield first, asked, rows
            asked, rows = [], []
    if asked:
        yield first, asked, rows
