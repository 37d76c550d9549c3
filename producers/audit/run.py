"""One audit, from the topics' beginning to the verdict.

Order: the topics are read first and Odoo afterwards, so what the capture publishes meanwhile shows as a difference; each difference is
therefore looked at once more after a while, when the topics' new records are read, and only what differs in the same way is told.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from infra.config import section
from infra.errors import Fatal
from infra.kafka.clients import broker_answers
from infra.odoo import connect
from infra.settings import Settings
from producers.audit import ledger, repair
from producers.audit.compare import Comparison
from producers.audit.ledger import Line
from producers.audit.shelf import Found, Place, Shelf
from producers.audit.topics import TopicReading, places_of
from producers.capture.images import subject_of
from producers.capture.source import Readable, Source
from producers.capture.tables import Tables
from producers.core.mapping import mappings
from producers.core.policy import CapturePolicy

log = structlog.get_logger()
Progress = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Request:
    """What to audit. No models are all of them; `quick` reads rows only where sums differ; `settle` is in seconds."""

    models: tuple[str, ...] = ()
    quick: bool = False
    repair: bool = False
    settle: float = 5.0


@dataclass(frozen=True, slots=True)
class Difference:
    """One record, or a part of one, and what is wrong with it."""

    topic: str
    subject: str
    kind: str
    detail: str


@dataclass(slots=True)
class Outcome:
    """What an audit found. `differences` is read once, while the audit is open."""

    lines: list[Line] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    records: int = 0
    rows: int = 0
    hidden: int = 0
    unmapped: int = 0
    unreadable: int = 0
    repaired: int = 0
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether both sides are the same."""
        return not self.kinds and not self.unreadable


def run(
    settings: Settings,
    config: dict[str, object],
    request: Request,
    *,
    on_difference: Callable[[Difference], object] = lambda _: None,
    on_progress: Progress = lambda _: None,
) -> Outcome:
    """Audit a database. `on_difference` is told each one, `on_progress` what is being done.

    Changes nothing without `repair`; with it the corrections are one transaction of the database's capture, and a capture that
    runs is fenced by it and ends. Raises `Fatal` and `Transient` as a capture does.
    """
    begun = time.monotonic()
    policy = section(config, "capture", CapturePolicy)
    broker_answers(settings.kafka)
    client = connect(settings.odoo)
    source = Source(client, settings.capture.page_size)
    wanted = [one for one in mappings(policy) if not request.models or one.model in request.models]
    if unknown := set(request.models) - {one.model for one in wanted}:
        raise Fatal(
            f"no mapping reads {', '.join(sorted(unknown))}",
            remedy=f"use {', '.join(sorted({one.model for one in mappings(policy)}))}",
        )
    readable = source.readable(wanted)
    places = places_of(one.mapping for one in readable)
    reading = TopicReading(settings.kafka, client.database, places)
    outcome = Outcome()
    with (
        tempfile.TemporaryDirectory(prefix="burnline-audit-") as folder,
        Shelf(Path(folder) / "shelf", places) as shelf,
    ):
        on_progress("reading the topics")
        outcome.records = reading.onto(shelf)
        comparison = Comparison(source, Tables(source), policy, shelf, places)
        for one in readable:
            on_progress(f"comparing {one.mapping.model}")
            _compare(comparison, one, quick=request.quick)
        if any(comparison.differing(one) for one in readable):
            on_progress("looking again at what differs")
            time.sleep(request.settle)
            outcome.records += reading.onto(shelf)
            comparison.tables.refresh()
            for one in readable:
                comparison.again(one, comparison.differing(one))
        outcome.lines = [line for one in readable for line in ledger.lines(source, one, shelf, comparison.of(one)[0])]
        for found in shelf.differences():
            outcome.kinds[found.kind] += 1
            on_difference(_told(found, places, client.database))
        if request.repair and outcome.kinds:
            on_progress("repairing")
            outcome.repaired = repair.run(settings, comparison, readable, reading)
    outcome.rows, outcome.hidden, outcome.unmapped = comparison.rows, comparison.hidden, comparison.unmapped
    outcome.unreadable = len(reading.unreadable)
    outcome.seconds = time.monotonic() - begun
    return outcome


def _compare(comparison: Comparison, one: Readable, *, quick: bool) -> None:
    if not quick:
        comparison.everything(one, 1, None)
        return
    for begin, end in ledger.ranges(comparison.source, one, comparison.shelf, comparison.of(one)[0]):
        comparison.everything(one, begin, end)


def _told(found: Found, places: Sequence[Place], database: str) -> Difference:
    place = places[found.place]
    subject = subject_of(database, place.mapping.model, found.number)
    return Difference(place.entity.topic_name, subject, found.kind, found.detail)
