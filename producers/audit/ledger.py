"""The ledger: counts and sums in Odoo, which its database adds up, beside those on the shelf.

Over 100,000 timesheets of a real Odoo the sums of ten fields take a tenth of a second for all of them at once, and four tenths by ranges of
5,000 ids; reading every row takes ten seconds (docs/adr/0022).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from producers.audit.shelf import Place, Shelf
from producers.capture.digests import RANGE
from producers.capture.source import Readable, Source
from producers.core.audit import EVER, Figures, agree, nothing, odoo_figures, period_of
from producers.core.mapping import Sum


@dataclass(frozen=True, slots=True)
class Line:
    """One model and month: what each side says."""

    model: str
    topic: str
    period: str
    table: tuple[Sum, ...]
    odoo: Figures
    on_topic: Figures

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return agree(self.table, self.odoo, self.on_topic)


def lines(source: Source, one: Readable, shelf: Shelf, place: Place) -> Iterator[Line]:
    """The ledger of one model, a line for each month that either side knows, the earliest first."""
    mapping = one.mapping
    period = mapping.period
    group = [f"{period.field}:month"] if period is not None else []
    told: dict[str, Figures] = {}
    for row in source.sums(one, mapping.where, group):
        month = period_of(row[group[0]]) if group else EVER
        told[month] = odoo_figures(mapping.sums, row)
    ours = shelf.by_period(place)
    none = nothing(mapping.sums)
    for month in sorted({*told, *ours}):
        odoo, topic = told.get(month, none), ours.get(month, none)
        if odoo.count or topic.count:
            yield Line(mapping.model, place.entity.topic_name, month, mapping.sums, odoo, topic)


def ranges(source: Source, one: Readable, shelf: Shelf, place: Place) -> Iterator[tuple[int, int]]:
    """The ranges of ids, both ends included, in which the two sides say something else."""
    highest = max(shelf.highest(place), source.highest(one))
    for after in range(0, highest, RANGE):
        if not agree(
            one.mapping.sums, source.figures(one, after, after + RANGE), shelf.between(place, after + 1, after + RANGE)
        ):
            yield after + 1, after + RANGE
