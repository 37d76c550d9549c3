"""Does memory grow with Odoo's records? A snapshot of a million timesheet lines, a restart on its topics with a sweep, an audit, and a mass edit.

    python -m tests.bench.bench_memory [--rows 1000000] [--edited 200000] [--json]

The rows are made as they are asked for, from one that the embedded Odoo gave: what is measured is Burnline, on a real broker. Each
of the four runs in a process of its own; its resident memory is read after every tenth of the rows, that of the mass edit after a tenth of
the lines were edited, all within one overlap, after all of them, and after passes that read them again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from infra.embedded_kafka import EmbeddedKafka
from infra.embedded_odoo import EmbeddedOdoo
from infra.kafka import topics
from infra.odoo import connect
from infra.settings import KafkaSettings, OdooSettings
from producers.audit.compare import Comparison
from producers.audit.shelf import Shelf
from producers.audit.topics import TopicReading, places_of
from producers.capture import images
from producers.capture.digests import RANGE
from producers.capture.model import ModelCapture
from producers.capture.pipeline import Pipeline
from producers.capture.publisher import Publisher
from producers.capture.recent import FIRST_AGES
from producers.capture.source import Readable, Source
from producers.capture.standing import cursors
from producers.capture.tables import Tables
from producers.core.cursor import Clock, fresh
from producers.core.mapping import mappings
from producers.core.policy import CapturePolicy

MODEL, NAME = "account.analytic.line", "bench"
SOURCE = f"odoo:{NAME}"
BEGIN = datetime(2010, 1, 1, tzinfo=UTC)


class Endless:
    """An Odoo with as many lines as one likes, written seven minutes apart; everything else is the embedded one's."""

    def __init__(self, odoo: Any, rows: int, *, edited: bool = False) -> None:
        self._odoo, self._rows = odoo, rows
        self._edited = {"unit_amount": 9.0, "write_date": f"{datetime.now(UTC):%F %T}"} if edited else {}
        (self._line,) = odoo.search_read(MODEL, [], list(odoo.fields_get(MODEL)), limit=1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._odoo, name)

    def _row(self, number: int, fields: list[str]) -> dict[str, Any]:
        at = BEGIN + timedelta(minutes=7 * number)
        own = {"id": number, "unit_amount": 0.25 * (1 + number % 32), "date": f"{at:%F}", "write_date": f"{at:%F %T}"}
        own |= {"employee_id": 1 + number % 200, "project_id": 1 + number % 50, "name": f"work {number}"} | self._edited
        return {name: own.get(name, self._line.get(name)) for name in ("id", *fields)}

    def _ids(self, domain: Any, limit: int | None) -> range:
        bounds = {term[1]: term[2] for term in domain if term[0] == "id"}
        after, upto = bounds.get(">", 0), min(self._rows, bounds.get("<=", self._rows))
        return range(after + 1, min(upto, after + (limit or self._rows)) + 1)

    def search_read(self, model: str, domain: Any, fields: Any, *, limit: int | None = None, order: str = "id") -> Any:
        if model != MODEL:
            return self._odoo.search_read(model, domain, fields, limit=limit, order=order)
        if order != "id":
            return [self._row(self._rows, fields)]
        return [self._row(number, fields) for number in self._ids(domain, limit)]

    def read(self, _model: str, ids: Any, fields: Any) -> Any:
        return [self._row(number, fields) for number in ids]

    def search(self, model: str, domain: Any, *, limit: int | None = None, order: str = "id") -> Any:
        if model != MODEL:
            return self._odoo.search(model, domain, limit=limit, order=order)
        return list(self._ids(domain, limit)) if order == "id" else [self._rows]

    def call(self, model: str, method: str, ids: Any = None, **named: Any) -> Any:
        """Sums that agree with nothing: every range has to be read."""
        if (model, method) == (MODEL, "formatted_read_group"):
            return [dict.fromkeys(named["aggregates"], 0)]
        return self._odoo.call(model, method, ids, **named)

    def count(self, _model: str, _domain: Any) -> int:
        return self._rows


def resident() -> float:
    """Megabytes."""
    return float(psutil.Process().memory_info().rss) / 1e6


def reading(odoo: Any, rows: int, *, edited: bool = False) -> tuple[Source, Readable]:
    source = Source(Endless(connect(odoo), rows, edited=edited), 1000)  # type: ignore[arg-type]  # it speaks as one
    (one,) = source.readable(m for m in mappings(CapturePolicy()) if m.model == MODEL)
    return source, one


def captured(
    odoo: Any, kafka: KafkaSettings, rows: int, known: images.Images | None, *, edited: bool = False
) -> tuple[ModelCapture, Pipeline]:
    source, one = reading(odoo, rows, edited=edited)
    store = known or images.Images(images.places([one.mapping]))
    pipeline = Pipeline(Publisher(kafka, NAME), store, database=NAME, source=SOURCE, progress=None)
    cursor = cursors(kafka, NAME).get(MODEL) or fresh(MODEL)
    model = ModelCapture(
        one, cursor, source=source, tables=Tables(source), pipeline=pipeline, clock=Clock(), policy=CapturePolicy(), overlap=150.0,
        deletion_share=0.2,
    )  # fmt: skip
    return model, pipeline


def sampled(steps: Iterator[object], done: Callable[[], int], rows: int) -> dict[str, Any]:
    """Resident memory after each tenth, and the seconds it took."""
    begun, samples = time.perf_counter(), [resident()]
    for _ in steps:
        if done() >= len(samples) * rows // 10:
            samples.append(resident())
    return {"mb": [round(one) for one in samples], "seconds": round(time.perf_counter() - begun, 1)}


def snapshot(odoo: Any, kafka: KafkaSettings, rows: int) -> dict[str, Any]:
    model, pipeline = captured(odoo, kafka, rows, None)
    found = sampled(model.snapshot(), pipeline.counts.total, rows)
    assert pipeline.counts.total() == rows
    return found


def restart(odoo: Any, kafka: KafkaSettings, rows: int) -> dict[str, Any]:
    """Images loaded from the topics, then all records compared."""
    (mapping,) = (m for m in mappings(CapturePolicy()) if m.model == MODEL)
    before, begun = resident(), time.perf_counter()
    known = images.load(kafka, images.places([mapping]), database=NAME, source=SOURCE)
    loaded, took = resident(), time.perf_counter() - begun
    assert len(known) == rows
    model, pipeline = captured(odoo, kafka, rows, known)
    steps = 0

    def compared() -> int:
        nonlocal steps
        steps += 1
        return steps * RANGE

    found = sampled(model.sweep(content=False), compared, rows)
    assert pipeline.counts.total() == 0, "nothing had changed"
    return {"before_mb": round(before), "loaded_mb": round(loaded), "load_seconds": round(took, 1), "sweep": found}


def audit(odoo: Any, kafka: KafkaSettings, rows: int) -> dict[str, Any]:
    """The topics read onto the audit's shelf, then all records compared, a tenth at a time."""
    source, one = reading(odoo, rows)
    places = places_of([one.mapping])
    before, begun = resident(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Shelf(Path(folder) / "shelf", places) as shelf:
        assert TopicReading(kafka, NAME, places).onto(shelf) == rows
        read, took = resident(), time.perf_counter() - begun
        comparison = Comparison(source, Tables(source), CapturePolicy(), shelf, places)
        tenth = rows // 10
        steps = (comparison.everything(one, 1 + number * tenth, (number + 1) * tenth) for number in range(10))
        found = sampled(steps, lambda: comparison.rows, rows)
        assert comparison.rows == rows
        assert not any(shelf.differences())
    return {"before_mb": round(before), "read_mb": round(read), "read_seconds": round(took, 1), "compared": found}


def mass_edit(odoo: Any, kafka: KafkaSettings, rows: int) -> dict[str, Any]:
    """Passes over lines that were all written now: a tenth of them, all of them, and again once they are due."""
    samples = [resident()]
    for edited in (rows // 10, rows):
        model, pipeline = captured(odoo, kafka, edited, None, edited=True)
        model.look(slow=True)
        assert pipeline.counts.total() == edited
        samples.append(resident())
    time.sleep(FIRST_AGES[0])
    for _ in range(3):
        model.look(slow=True)
    samples.append(resident())
    return {"mb": [round(one) for one in samples]}


def apart(do: Callable[..., dict[str, Any]], *words: Any) -> dict[str, Any]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(do, words)


def measure(rows: int, edited: int) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedKafka(Path(folder) / "kafka") as broker,
        EmbeddedOdoo(Path(folder) / "firm.db") as odoo,
    ):
        with odoo.transaction() as t:
            project, employee = t.create("project.project", {"name": "P"}), t.create("hr.employee", {"name": "E"})
            t.create(MODEL, {"name": "w", "project_id": project, "employee_id": employee, "unit_amount": 1.0})
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        topics.apply(kafka, topics.plan(kafka))
        at = OdooSettings(url=odoo.url, db=odoo.db, user=odoo.user, password=odoo.password)  # type: ignore[arg-type]
        first = apart(snapshot, at, kafka, rows)
        second = apart(restart, at, kafka, rows)
        third = apart(audit, at, kafka, rows)
        fourth = apart(mass_edit, at, kafka, edited)
    mb = first["mb"]
    return {
        "rows": rows,
        "snapshot": first,
        "restart": second,
        "snapshot_growth_mb_from_a_tenth_to_the_end": mb[-1] - mb[1],
        "restart_growth_mb": second["sweep"]["mb"][-1] - second["before_mb"],
        "audit": third,
        "audit_growth_mb_from_a_tenth_to_the_end": third["compared"]["mb"][-1] - third["compared"]["mb"][1],
        "edited": edited,
        "mass_edit": fourth,
        "mass_edit_growth_mb_from_a_tenth_to_the_end": fourth["mb"][-1] - fourth["mb"][1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--edited", type=int, default=200_000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    print(json.dumps(measure(args.rows, args.edited), indent=None if args.json else 2))


if __name__ == "__main__":
    main()
