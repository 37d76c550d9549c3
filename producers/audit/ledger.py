"""The ledger: counts and sums in Odoo, which its database adds up, beside those on the shelf.

Over 100,000 timesheets of a real Odoo the sums of ten fields take a tenth of a second for all of them at once, and four tenths by ranges of
5,000 ids; reading every row takes ten seconds (docs/adr/0022).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from infra.odoo import OdooClient
from producers.audit.shelf import Place, Shelf
from producers.capture.source import Readable
from producers.core.audit import EVER, Figures, aggregates, agree, nothing, odoo_figures, period_of
from producers.core.mapping import Sum
from producers.core.mapping.base import Domain

RANGE = 5000
CONTEXT = {"active_test": False, "tz": "UTC"}


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


def lines(client: OdooClient, one: Readable, shelf: Shelf, place: Place) -> Iterator[Line]:
    """The ledger of one model, a line for each month that either side knows, the earliest first."""
    mapping = one.mapping
    period = mapping.period
    group = [f"{period.field}:month"] if period is not None else []
    told: dict[str, Figures] = {}
    for row in _sums(client, one, mapping.where, group):
        month = period_of(row[group[0]]) if group else EVER
        told[month] = odoo_figures(mapping.sums, row)
    ours = shelf.by_period(place)
    none = nothing(mapping.sums)
    for month in sorted({*told, *ours}):
        odoo, topic = told.get(month, none), ours.get(month, none)
        if odoo.count or topic.count:
            yield Line(mapping.model, place.entity.topic_name, month, mapping.sums, odoo, topic)


def ranges(client: OdooClient, one: Readable, shelf: Shelf, place: Place) -> Iterator[tuple[int, int]]:
    """The ranges of ids, both ends included, in which the two sides say something else."""
    newest = client.call(
        one.mapping.model,
        "search",
        domain=list(one.mapping.where),
        limit=1,
        order="id desc",
        context=CONTEXT,
        retry=True,
    )
    highest = max([shelf.highest(place), *newest])
    for first in range(1, highest + 1, RANGE):
        last = first + RANGE - 1
        within = (("id", ">=", first), ("id", "<=", last), *one.mapping.where)
        (row,) = _sums(client, one, within, [])
        if not agree(one.mapping.sums, odoo_figures(one.mapping.sums, row), shelf.between(place, first, last)):
            yield first, last


def _sums(client: OdooClient, one: Readable, domain: Domain, group: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.call(
        one.mapping.model,
        "formatted_read_group",
        domain=list(domain),
        groupby=list(group),
        aggregates=aggregates(one.mapping.sums),
        context=CONTEXT,
        retry=True,
    )
    return found
