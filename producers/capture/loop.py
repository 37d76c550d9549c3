"""The loop: the first snapshot, passes, hints, sweeps and snapshots that are asked for, each in its time, until told to stop.

Rhythm: the models that people change all day are looked at every `poll_interval` while something changes, more seldom up to
`idle_interval` while nothing does, the others at every fourth pass; the whole overlap every 15 s; sums every `sweep_interval`; every record at every `content_every`-th sweep, and those that depend on a lookup at the
next sweep after it changed. A pass begins with the models that changed last, so that what people work at does not wait for the rest. A hint is
followed at once, between two models of a pass, too. While Odoo is away nothing is lost: the next pass begins where the last complete one did.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from typing import TypeVar

import stamina
import structlog

from infra.config import section
from infra.errors import Fatal, Transient
from infra.kafka.clients import broker_answers
from infra.kafka.states import missing
from infra.odoo import connect
from infra.odoo.breaker import Paused
from infra.odoo.client import Odoo
from infra.settings import Settings
from producers.capture import images, metrics, standing
from producers.capture.hints import Hints
from producers.capture.log import Log, Told
from producers.capture.model import ModelCapture
from producers.capture.pipeline import Pipeline, Progress
from producers.capture.publisher import KafkaGone, Publisher
from producers.capture.signals import Signals
from producers.capture.snapshots import Snapshots
from producers.capture.source import Readable, Source
from producers.capture.status import Status
from producers.capture.tables import Tables
from producers.core.cursor import Clock, fresh
from producers.core.mapping import mappings
from producers.core.policy import CapturePolicy
from producers.core.rhythm import Rhythm
from producers.core.snapshots import applied
from schemas.records import CaptureCursor, Mode

log = structlog.get_logger()
T = TypeVar("T")
COLD_EVERY = 4
SLOW_EVERY = 15.0
PAUSE, LONGEST_PAUSE = 0.5, 10.0
LISTEN = 0.5


def run(
    settings: Settings,
    config: dict[str, object],
    *,
    once: bool,
    stop: threading.Event,
    on_progress: Progress | None = None,
) -> dict[str, int]:
    """Capture until `stop` is set, or with `once` until everything up to now is on Kafka. Returns events by topic.

    `on_progress` is told the counts so far after each commit. Safe to kill at any moment: the next run goes on without a
    loss or a double. Raises `Fatal` for what a person must correct (password, database, topics, another capture of the same
    database), `Transient` when Odoo or Kafka do not answer at the start, or Kafka for too long later.
    """
    policy = section(config, "capture", CapturePolicy)
    broker_answers(settings.kafka)
    client = connect(settings.odoo)
    source = Source(client, settings.capture.page_size)
    readable = source.readable(mappings(policy))
    places = images.places(one.mapping for one in readable)
    _topics_exist(settings, [*(name for name, _ in places), *(topic.name for topic in standing.INTERNAL)])
    publisher = Publisher(settings.kafka, client.database)
    name = f"odoo:{client.database}"
    known = _patiently(lambda: images.load(settings.kafka, places, database=client.database, source=name))
    cursors = _patiently(lambda: standing.cursors(settings.kafka, client.database))
    pipeline = Pipeline(publisher, known, database=client.database, source=name, progress=on_progress)
    pipeline.park(known.unreadable, "capture.images")
    tables, clock = Tables(source), Clock()
    models = [
        ModelCapture(
            one,
            cursors.get(one.mapping.model) or fresh(one.mapping.model),
            source=source,
            tables=tables,
            pipeline=pipeline,
            clock=clock,
            policy=policy,
            overlap=settings.capture.overlap,
            deletion_share=settings.capture.deletion_share,
        )
        for one in readable
        if not _lost(source, one, cursors)
    ]
    log.info("capture_started", odoo=client.url, database=client.database, models=len(models), images=len(known))
    loop = _Loop(settings, models, tables=tables, pipeline=pipeline, odoo=client, stop=stop)
    if once:
        loop.once()
    else:
        asked = _patiently(lambda: standing.snapshots(settings.kafka, client.database))
        with (
            closing(_patiently(lambda: Hints(settings.kafka, client.database))) as hints,
            closing(Signals(settings.kafka, client.database, applied(asked.values()))) as signals,
            _log(settings, readable) as told,
        ):
            loop.forever(hints, Snapshots(asked, {one.mapping.model: one for one in models}, pipeline, signals), told)
    log.info("capture_stopped", events=pipeline.counts.total())
    return dict(pipeline.counts)


@contextmanager
def _log(settings: Settings, readable: Sequence[Readable]) -> Iterator[Log | None]:
    """The log of the database, where one is configured."""
    own = settings.capture
    if own.log_topic is None:
        yield None
        return
    with closing(
        Log(settings.kafka, own.log_topic, (one.mapping for one in readable), silence=own.log_silence)
    ) as told:
        yield told


def _lost(source: Source, one: Readable, cursors: Mapping[str, CaptureCursor]) -> bool:
    """Whether a mapping must not go on, which is told."""
    known = cursors.get(one.mapping.model)
    lack = source.lost(one, known["fields"]) if known is not None else None
    if lack is not None:
        log.warning("mapping_disabled", model=one.mapping.model, cause=lack.detail, remedy=lack.remedy)
    return lack is not None


def _topics_exist(settings: Settings, names: list[str]) -> None:
    if lacking := missing(settings.kafka, sorted(set(names))):
        raise Fatal(f"there is no topic {', '.join(lacking)}", remedy="run `burnline topics apply`")


def _patiently(do: Callable[[], T]) -> T:
    """Topics that were just made have no leader for a moment."""
    for attempt in stamina.retry_context(on=Transient, attempts=5, wait_initial=0.2, wait_max=2.0):
        with attempt:
            return do()
    raise AssertionError("stamina ends with a result or an exception")


class _Loop:
    """One run over all models."""

    def __init__(
        self,
        settings: Settings,
        models: list[ModelCapture],
        *,
        tables: Tables,
        pipeline: Pipeline,
        odoo: Odoo,
        stop: threading.Event,
    ) -> None:
        self._sweep_interval = settings.capture.sweep_interval
        self._rhythm = Rhythm(settings.capture.poll_interval, settings.capture.idle_interval)
        self._status = Status(pipeline, odoo, lambda: self._rhythm.seconds)
        self._models, self._tables, self._pipeline, self._stop = models, tables, pipeline, stop
        self._until_content = self._content_every = settings.capture.content_every
        self._first: Iterator[None] | None = None

    def once(self) -> None:
        """Everything up to now: what is new in full, what is known by its stamps, then all of it compared."""
        for model in self._models:
            already = model.cursor["snapshot_done"]
            for _ in chain(model.snapshot(), self._looked(model), model.sweep(content=already)):
                if self._stop.is_set():
                    return

    @staticmethod
    def _looked(model: ModelCapture) -> Iterator[None]:
        model.look(slow=True)
        yield

    def forever(self, hints: Hints, snapshots: Snapshots, told: Log | None) -> None:
        """Until stopped."""
        now = time.monotonic()
        fast_at, slow_at, sweep_at = now, now, now
        passes, following = 0, False
        loading = True
        sweeping: Iterator[None] | None = None
        while not self._stop.is_set():
            self._status.tell("loading" if loading else "capturing", told.trouble if told is not None else None)
            if loading:
                loading = bool(self._through_outages(self._load))
            else:
                sweeping, sweep_at = self._swept(sweeping, sweep_at)
            now = time.monotonic()
            if told is not None and following != told.alive:
                following, slow_at, sweep_at = told.alive, now, now
                _tell_of_log(following=following)
            if now >= (slow_at if following else fast_at):
                slow = now >= slow_at
                found = self._through_outages(partial(self._pass, hints, slow=slow, cold=passes % COLD_EVERY == 0))
                self._rhythm.looked(found=bool(found))
                passes += 1
                fast_at = max(fast_at, now) + self._rhythm.seconds
                slow_at = (math.inf if following else now + SLOW_EVERY) if slow else slow_at
            if not loading:
                self._asked(snapshots)
            busy = loading or sweeping is not None or snapshots.wait() == 0
            due = slow_at if following else fast_at
            until = 0.0 if busy else max(0.0, min(due - time.monotonic(), LISTEN, snapshots.wait() or LISTEN))
            if told is not None:
                said = told.wait(until)
                self._logged(said)
                slow_at = now if said.anew else slow_at
                sweep_at = now if said.anew or said.emptied else sweep_at
            self._follow(hints, until if told is None else 0.0)
        snapshots.leave()
        self._status.tell("stopped")

    def _logged(self, said: Told) -> None:
        """Read what the log points at."""
        self._pipeline.park(said.unreadable, "capture.log")
        for name, ids in said.changed.items():
            self._through_outages(partial(self._hinted, name, ids, "log"))
        if said.anew:
            metrics.LOG_BEGAN_ANEW.inc()
            log.warning(
                "log_began_anew",
                remedy="its slot in PostgreSQL was made anew: what it missed is polled and compared now",
            )

    def _load(self) -> bool:
        """The next commit of the first snapshot, model after model; returns whether there may be more of it."""
        if self._first is None:
            self._first = chain.from_iterable(model.snapshot() for model in self._models)
        try:
            more = next(self._first, _END) is not _END
        except BaseException:
            self._first = None  # after an outage it goes on with the model that it was at
            raise
        return more

    def _swept(self, sweeping: Iterator[None] | None, sweep_at: float) -> tuple[Iterator[None] | None, float]:
        """A step of the sweep, and when the next one begins. The first comes at once: what was deleted while no capture ran left no other trace."""
        now = time.monotonic()
        if sweeping is None and now >= sweep_at:
            sweeping, sweep_at = self._sweep(), now + self._sweep_interval
        if sweeping is not None:
            sweeping = self._through_outages(partial(_step, sweeping))
        return sweeping, sweep_at

    def _asked(self, snapshots: Snapshots) -> None:
        """What was asked of snapshots, and the next chunk where one is due."""
        snapshots.listen()
        if snapshots.wait() == 0:
            self._through_outages(snapshots.step)

    def _pass(self, hints: Hints, *, slow: bool, cold: bool) -> bool:
        due = [model for model in self._models if model.begun and (slow or cold or model.mapping.hot)]
        found = False
        for model in sorted(due, key=lambda one: one.changed_at, reverse=True):
            found |= model.look(slow=slow)
            self._follow(hints, 0.0)
        return found

    def _follow(self, hints: Hints, seconds: float) -> None:
        """Read what the hints that come within so many seconds point at."""
        found, unreadable = hints.wait(seconds)
        self._pipeline.park(unreadable, "capture.hints")
        for name, ids in found.items():
            self._through_outages(partial(self._hinted, name, ids))

    def _hinted(self, name: str, ids: set[int], mode: Mode = "hint") -> None:
        self._rhythm.looked(found=True)
        for model in self._models:
            model.hinted(name, ids, mode)

    def _sweep(self) -> Iterator[None]:
        """One sweep over all models. What it owes is paid only when it ends: one broken off leaves it to the next."""
        self._tables.refresh()
        changed = self._tables.changed
        everything = self._until_content <= 0
        for model in self._models:
            yield from model.sweep(content=everything or bool(changed & set(model.mapping.uses)))
        self._tables.changed = self._tables.changed - changed
        self._until_content = self._content_every if everything else self._until_content - 1

    def _through_outages(self, do: Callable[[], T]) -> T | None:
        """Do it, again and again while Odoo is away; None when stopped meanwhile. Kafka's absence is not waited for here."""
        pause, away = PAUSE, False
        while not self._stop.is_set():
            try:
                result = do()
            except KafkaGone:
                raise
            except Transient as error:
                if not away:
                    log.warning("odoo_lost", cause=str(error), remedy=error.remedy)
                away, pause = True, min(pause * 2, LONGEST_PAUSE)
                metrics.ODOO_UP.set(0)
                self._status.tell("waiting", str(error))
                self._stop.wait(min(error.wait, LONGEST_PAUSE) if isinstance(error, Paused) else pause)
            else:
                if away:
                    log.info("odoo_found_again")
                metrics.ODOO_UP.set(1)
                return result
        return None


def _tell_of_log(*, following: bool) -> None:
    metrics.LOG_FOLLOWED.set(following)
    if following:
        log.info("log_followed")
    else:
        log.warning(
            "log_silent", remedy="look at the connector, and at its slot in PostgreSQL; Odoo is polled meanwhile"
        )


def _step(sweep: Iterator[None]) -> Iterator[None] | None:
    """One step of a sweep; None at its end."""
    return sweep if next(sweep, _END) is not _END else None


_END: object = object()
