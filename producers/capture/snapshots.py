"""Snapshots that were asked for, carried out beside live capture: one at a time, a chunk at a time, with its progress in the same transaction.

Invariants
- Whatever dies, a snapshot goes on after the last chunk that was committed.
- A chunk's row that was read live since the chunk was asked for is dropped (`producers.core.watermark`).
- What has not changed since it was published is not published again: a snapshot finds what is missing or wrong, it repeats nothing.
- Those that are over are taken off their topic when newer ones have ended (`producers.core.snapshots.KEPT`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime

import structlog

from infra.errors import PoisonMessage
from infra.odoo.failures import Refused
from producers.capture.model import Chunk, ModelCapture
from producers.capture.pipeline import Pipeline
from producers.capture.signals import Signals
from producers.core.snapshots import outlived, steer, terms
from schemas.records import CaptureSnapshot

log = structlog.get_logger()


class Snapshots:
    """All snapshots of one database."""

    def __init__(
        self,
        standing: Mapping[str, CaptureSnapshot],
        models: Mapping[str, ModelCapture],
        pipeline: Pipeline,
        signals: Signals,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Go on with what stands."""
        self._all = dict(standing)
        self._models, self._pipeline, self._signals, self._clock = models, pipeline, signals, clock
        self._declared = {name: model.fields for name, model in models.items()}
        self._reading: Iterator[Chunk] | None = None
        self._of: str | None = None
        self._due = self._worked = clock()

    def listen(self) -> None:
        """Apply the signals that came in, each with its effect committed; what is no signal is parked."""
        found, unreadable = self._signals.take()
        self._pipeline.park(unreadable, "capture.signals")
        for offset, signal in found:
            try:
                changed = steer(self._all, signal, offset, declared=self._declared, now=datetime.now(UTC))
            except PoisonMessage as error:
                log.warning("signal_ignored", signal_id=signal["signal_id"], cause=str(error), remedy=error.remedy)
                continue
            self._pipeline.keep(map(self._pipeline.snapshot, changed))
            for one in changed:
                self._all[one["snapshot_id"]] = one
                log.info("snapshot_steered", snapshot_id=one["snapshot_id"], state=one["state"], why=one["why"])
        if self._of is not None and self._all[self._of]["state"] != "running":
            self.leave()
        self._forget()

    def _forget(self) -> None:
        if old := outlived(self._all.values()):
            self._pipeline.keep(map(self._pipeline.no_snapshot, old))
            for name in old:
                del self._all[name]

    def wait(self) -> float | None:
        """Seconds until the next chunk may be read; None where there is nothing to do."""
        return None if self._next() is None else max(0.0, self._due - self._clock())

    def _next(self) -> CaptureSnapshot | None:
        runnable = [one for one in self._all.values() if one["state"] in {"running", "waiting"}]
        return min(runnable, key=lambda one: (one["state"] != "running", one["asked_at"]), default=None)

    def step(self) -> None:
        """Read and publish one chunk, or end a model or a snapshot. Call it when `wait` says so; when it raises, it may be called again."""
        one = self._next()
        if one is None:
            return
        if self._of != one["snapshot_id"]:
            self.leave()
        try:
            if one["state"] == "waiting":
                one = self._running(one)
            if self._reading is None:
                self._reading = self._chunks(one)
                self._of, self._worked = one["snapshot_id"], self._clock()
            chunk = next(self._reading, None)
            if chunk is None:
                self.leave()
                self._after_model(one)
            else:
                self._publish(one, chunk)
        except Refused as error:
            self.leave()
            log.warning("snapshot_refused", snapshot_id=one["snapshot_id"], cause=str(error), remedy=error.remedy)
            self._keep({**one, "state": "refused", "why": f"{error}; {error.remedy}", "ended_at": datetime.now(UTC)})
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Stop reading; nothing is lost."""
        reading, self._reading, self._of = self._reading, None, None
        if isinstance(reading, Generator):
            reading.close()

    def _running(self, one: CaptureSnapshot) -> CaptureSnapshot:
        total = one["rows_expected"]
        if total is None:
            there = [(name, self._models[name]) for name in one["models"] if name in self._models]
            total = len(one["record_ids"]) or sum(
                model.count(terms(one["domain"], self._declared[name])) for name, model in there
            )
        begun = one["began_at"] or datetime.now(UTC)
        return self._keep(
            {
                **one,
                "state": "running",
                "began_at": begun,
                "rows_expected": total,
                "model": one["model"] or one["models"][0],
            }
        )

    def _chunks(self, one: CaptureSnapshot) -> Iterator[Chunk]:
        model = self._models.get(one["model"] or one["models"][0])
        if model is None:
            return iter(())  # its module was removed meanwhile
        domain = terms(one["domain"], model.fields)
        return model.chunks(domain, one["record_ids"], after=one["after_id"], most=one["rows_per_second"])

    def _publish(self, one: CaptureSnapshot, chunk: Chunk) -> None:
        now = self._clock()
        if one["rows_per_second"] is not None:
            self._due = max(self._due, now) + chunk.count / one["rows_per_second"]
        after: CaptureSnapshot = {
            **one,
            "after_id": chunk.last_id,
            "rows": one["rows"] + chunk.count,
            "working_millis": one["working_millis"] + round((now - self._worked) * 1000),
        }

        def counted(events: int) -> CaptureSnapshot:
            return {**after, "events": one["events"] + events}

        model = self._models[one["model"] or one["models"][0]]
        events = model.publish(chunk, lambda events: [self._pipeline.snapshot(counted(events))])
        self._all[one["snapshot_id"]] = counted(events)
        self._worked = now

    def _after_model(self, one: CaptureSnapshot) -> None:
        left = one["models"][one["models"].index(one["model"] or one["models"][0]) + 1 :]
        if left:
            self._keep({**one, "model": left[0], "after_id": 0})
            return
        self._keep({**one, "state": "done", "model": None, "ended_at": datetime.now(UTC)})
        log.info("snapshot_over", snapshot_id=one["snapshot_id"], rows=one["rows"], events=one["events"])

    def _keep(self, one: CaptureSnapshot) -> CaptureSnapshot:
        self._pipeline.keep([self._pipeline.snapshot(one)])
        self._all[one["snapshot_id"]] = one
        return one
