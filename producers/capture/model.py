"""The capture of one model: snapshot, passes, hints, sweeps. It says what to read; the pipeline says what changed.

Invariants
- A snapshot's cursor is committed with each page, so it goes on where it ended; its high water was taken before its first page.
- A deletion is published only after the record was asked for by id and was not there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

import structlog

from infra.odoo.client import Row
from producers.capture import metrics
from producers.capture.pages import read_ahead
from producers.capture.pipeline import Pipeline
from producers.capture.source import Readable, Source
from producers.capture.tables import Tables
from producers.capture.watch import Watch
from producers.core.cursor import Clock, utc_seconds
from producers.core.mapping import Context
from producers.core.policy import CapturePolicy
from schemas.records import CaptureCursor, Mode

log = structlog.get_logger()
PAGES_A_COMMIT = 4


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
    ) -> None:
        """Begin where the cursor stands."""
        self.mapping = one.mapping
        self.cursor = cursor
        self._one, self._source, self._tables, self._pipeline = one, source, tables, pipeline
        self._clock, self._policy, self._overlap = clock, policy, timedelta(seconds=overlap)
        self._watch = self._watching(one.mapping.model, cursor["high_water"])
        self._followed = [self._watching(follow.model, cursor["high_water"]) for follow in one.mapping.follows]

    def _watching(self, model: str, high_water: datetime | None) -> Watch:
        domain = self.mapping.watch if model == self.mapping.model else ()
        overlap = self._overlap.total_seconds()
        return Watch(self._source, self._clock, model, domain=domain, high_water=high_water, overlap=overlap)

    def snapshot(self, stopped: Callable[[], bool]) -> bool:
        """Read everything once, from where the last snapshot ended. Returns whether it is complete."""
        if self.cursor["snapshot_done"]:
            return True
        if self.cursor["snapshot_id"] == 0:
            newest = self._source.newest_stamp(self._one)
            high_water = utc_seconds(newest) if newest else None
            self.cursor = {**self.cursor, "high_water": high_water}
            self._watch = self._watching(self.mapping.model, high_water)
            self._followed = [self._watching(follow.model, high_water) for follow in self.mapping.follows]
        begun, events = time.monotonic(), 0
        pages = self._source.pages(self._one, self.mapping.where, "snapshot", after=self.cursor["snapshot_id"])
        with closing(read_ahead(pages)) as ahead:
            for rows in _together(ahead, PAGES_A_COMMIT * self._source.page_size):
                cursor: CaptureCursor = {**self.cursor, "snapshot_id": rows[-1]["id"]}
                events += self._publish(rows, "snapshot", cursor=cursor)
                self.cursor = cursor
                self._note_fresh(rows)
                if stopped():
                    return False
        self.cursor = {**self.cursor, "snapshot_done": True, "swept_at": datetime.now(UTC)}
        self._pipeline.keep(self.cursor)
        log.info("snapshot_done", model=self.mapping.model, events=events, seconds=round(time.monotonic() - begun, 2))
        return True

    def _note_fresh(self, rows: Iterable[Row]) -> None:
        """Rows that the first pass will list have been read already."""
        high_water = self.cursor["high_water"]
        if high_water is None:
            return
        since = (high_water - self._overlap).strftime("%Y-%m-%d %H:%M:%S")
        fresh = [(row["id"], str(row["write_date"])) for row in rows if str(row["write_date"]) >= since]
        self._watch.recent.read(fresh, time.monotonic(), once=True)

    def look(self, *, slow: bool) -> None:
        """One pass over what was written lately, here and in the models that are followed."""
        with metrics.PASS_SECONDS.labels("slow" if slow else "fast").time():
            self._watch.look(lambda ids: self._read_again(ids, "poll"), slow=slow)
            for index, watch in enumerate(self._followed):
                watch.look(self._reader_of(index), slow=slow)
        if slow and self._watch.high_water != self.cursor["high_water"]:
            self.cursor = {**self.cursor, "high_water": self._watch.high_water}
            self._pipeline.keep(self.cursor)

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
        """Compare ids, and with `content` every record; a step at a time, since a sweep must not hold up the passes."""
        events = self._sweep_ids()
        yield
        if content:
            for rows in self._source.pages(self._one, self.mapping.where, "sweep"):
                events += self._publish(rows, "sweep")
                yield
        now = datetime.now(UTC)
        self.cursor = {**self.cursor, "swept_at": now}
        self._pipeline.keep(self.cursor)
        metrics.SWEPT_AT.labels(self.mapping.model).set(now.timestamp())
        if events:
            log.info("sweep_found_changes", model=self.mapping.model, events=events, content=content)

    def _sweep_ids(self) -> int:
        images = self._pipeline.images
        places = [(entity.topic_name, self.mapping.model) for entity in self.mapping.entities]
        there = self._source.ids(self._one)
        missing = set[int]().union(*(images.present(place) for place in places)) - there
        unknown = {record_id for record_id in there if not images.known(places[0], record_id)}
        before = self._pipeline.counts.total()
        self._read_again(missing | unknown, "sweep")
        return self._pipeline.counts.total() - before

    def _read_again(self, ids: Iterable[int], mode: Mode) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        for part, rows in self._source.by_id(self._one, ids, mode):
            there = {row["id"] for row in rows}
            gone = [record_id for record_id in part if record_id not in there]
            self._publish(rows, mode, gone=gone)
            found += [(row["id"], str(row["write_date"])) for row in rows]
        return found

    def _publish(
        self, rows: Sequence[Row], mode: Mode, *, gone: Iterable[int] = (), cursor: CaptureCursor | None = None
    ) -> int:
        self._tables.ready_for(self.mapping, rows)
        context = Context(self._tables.present, self._policy)
        return self._pipeline.publish(self.mapping, rows, context, mode, gone=gone, cursor=cursor)


def _together(pages: Iterable[list[Row]], enough: int) -> Iterator[list[Row]]:
    """Pages put together until there are enough rows for one transaction: what a commit costs does not grow with them."""
    rows: list[Row] = []
    for page in pages:
        rows += page
        if len(rows) >= enough:
            yield rows
            rows = []
    if rows:
        yield rows
