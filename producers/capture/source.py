"""Reading Odoo for the mappings: what it can give, pages by ascending id, records by id.

Rules
- Ask `fields_get` first: a model or an optional field that is missing, or hidden from the user, turns off just that, with
  a warning; a needed field that is missing is `Fatal` and named.
- Every domain is in whole UTC seconds, every page is ordered by id, and archived records are always included.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from infra.errors import Fatal
from infra.odoo import OdooClient
from infra.odoo.client import Row
from infra.odoo.failures import Refused, is_no_access, is_unknown_model
from producers.capture.metrics import ROWS
from producers.core.lookups import SOURCES, Lookups, build
from producers.core.mapping import Children, ModelMapping, wanted_fields
from producers.core.mapping.base import Domain
from producers.core.values import rpc_time

log = structlog.get_logger()
LISTING = 10_000
BY_ID = 1000
LAST = 1 << 31
"""No id of Odoo is larger."""


@dataclass(frozen=True, slots=True)
class Readable:
    """A mapping that this Odoo can serve, and the fields to read for it."""

    mapping: ModelMapping
    fields: tuple[str, ...]


class Source:
    """One Odoo, read the way the mappings need it."""

    def __init__(self, client: OdooClient, page_size: int) -> None:
        """Read pages of this size."""
        self.client = client
        self.page_size = page_size
        self._fields: dict[str, Mapping[str, Any] | None] = {}

    def readable(self, mappings: Iterable[ModelMapping]) -> list[Readable]:
        """The mappings that can run here. Raises `Fatal` for a needed field that is missing."""
        found = [self._readable(mapping) for mapping in mappings]
        return [one for one in found if one is not None]

    def _readable(self, mapping: ModelMapping) -> Readable | None:
        present = self._present(mapping.model)
        topics = [entity.topic_name for entity in mapping.entities]
        if present is None:
            log.warning(
                "mapping_disabled",
                model=mapping.model,
                topics=topics,
                remedy="install the module that defines the model, or let the user read it",
            )
            return None
        self._must_have(mapping.model, mapping.fields, present)
        for child in mapping.children:
            lines = self._present(child.model)
            if lines is None:
                raise Fatal(
                    f"{mapping.model} needs {child.model}, which this user cannot read",
                    remedy="give the user of ODOO_USER the right to read it",
                )
            self._must_have(child.model, (child.parent, *child.fields), lines)
        missing = sorted(set(mapping.optional) - set(present))
        if missing:
            log.warning("optional_fields_missing", model=mapping.model, fields=missing, topics=topics)
        asked = {term[0] for term in mapping.where if isinstance(term, tuple)}
        where: Domain = mapping.where if asked <= set(present) else ()
        follows = tuple(follow for follow in mapping.follows if self._present(follow.model) is not None)
        return Readable(replace(mapping, where=where, follows=follows), wanted_fields(mapping, present))

    def _must_have(self, model: str, fields: Sequence[str], present: Mapping[str, Any]) -> None:
        missing = [name for name in fields if name not in present]
        if missing:
            raise Fatal(
                f"{model} of {self.client.url} has no field {', '.join(missing)} that this user can read",
                remedy="install the module that defines it, give the user the right to see it, or correct its name in the configuration's section `capture`",
            )

    def _present(self, model: str) -> Mapping[str, Any] | None:
        if model not in self._fields:
            try:
                self._fields[model] = self.client.fields_get(model)
                self.client.search(model, [], limit=1)
            except Refused as error:
                if not (is_unknown_model(error) or is_no_access(error)):
                    raise
                self._fields[model] = None
        return self._fields[model]

    def newest_stamp(self, one: Readable) -> str | None:
        """The newest write_date of the mapping's records."""
        rows = self.client.search_read(
            one.mapping.model, one.mapping.watch, ["write_date"], limit=1, order="write_date desc, id desc"
        )
        return rows[0]["write_date"] or None if rows else None

    def pages(
        self, one: Readable, domain: Domain, mode: str, *, after: int = 0, size: int | None = None
    ) -> Iterator[list[Row]]:
        """Full rows of a domain by ascending id, a page (of `size` rows) at a time."""
        limit = size or self.page_size
        while True:
            rows = self.client.search_read(one.mapping.model, [("id", ">", after), *domain], one.fields, limit=limit)
            ROWS.labels(one.mapping.model, mode).inc(len(rows))
            if rows:
                yield self._with_children(one, rows)
                after = rows[-1]["id"]
            if len(rows) < limit:
                return

    def by_id(
        self, one: Readable, ids: Iterable[int], mode: str, *, size: int = BY_ID
    ) -> Iterator[tuple[list[int], list[Row]]]:
        """Full rows of these ids, in parts: what was asked for, and what exists."""
        wanted = sorted(set(ids))
        for begin in range(0, len(wanted), size):
            part = wanted[begin : begin + size]
            rows = self.client.read(one.mapping.model, part, one.fields)
            ROWS.labels(one.mapping.model, mode).inc(len(rows))
            yield part, self._with_children(one, rows)

    def listed(self, model: str, domain: Domain, since: datetime | None) -> Iterator[list[tuple[int, str]]]:
        """(id, stamp) of the records written since, by ascending id, in pages; one page at least, which may be empty."""
        within: Domain = () if since is None else (("write_date", ">=", rpc_time(since)),)
        after = 0
        while True:
            rows = self.client.search_read(model, [("id", ">", after), *within, *domain], ["write_date"], limit=LISTING)
            yield [(row["id"], sys.intern(str(row["write_date"]))) for row in rows]
            if len(rows) < LISTING:
                return
            after = rows[-1]["id"]

    def ids(self, one: Readable) -> Iterator[tuple[int, int, set[int]]]:
        """The ids of all records that are entities: each part with its bounds, above the one and up to the other."""
        after = 0
        while True:
            page = self.client.search(one.mapping.model, [("id", ">", after), *one.mapping.where], limit=LISTING)
            if len(page) < LISTING:
                yield after, LAST, set(page)
                return
            yield after, page[-1], set(page)
            after = page[-1]

    def count(self, one: Readable, domain: Domain) -> int:
        """How many records of a domain are entities."""
        return self.client.count(one.mapping.model, [*one.mapping.where, *domain])

    def of_followed(self, one: Readable, index: int, ids: Sequence[int]) -> list[int]:
        """The mapping's records that these changed records of a followed model concern."""
        follow = one.mapping.follows[index]
        if follow.through:
            return self.client.search(one.mapping.model, [(follow.through, "in", list(ids))])
        rows = self.client.read(follow.model, ids, [follow.to])
        return sorted({row[follow.to] for row in rows if row[follow.to]})

    def lookups(self) -> Lookups:
        """All lookup tables, read afresh. What this Odoo does not have is empty."""
        rows: dict[str, Sequence[Row]] = {}
        for source in SOURCES:
            present = self._present(source.model)
            if present is not None:
                fields = [name for name in source.fields if name in present]
                rows[source.model] = self.client.search_read(source.model, [], fields)
        return build(rows)

    def _with_children(self, one: Readable, rows: list[Row]) -> list[Row]:
        for child in one.mapping.children:
            self._attach(child, rows)
        return rows

    def _attach(self, child: Children, rows: list[Row]) -> None:
        of: dict[int, list[Row]] = {row["id"]: [] for row in rows}
        present = self._present(child.model) or {}
        fields = (child.parent, *child.fields, *(name for name in child.optional if name in present))
        found = self.client.search_read(child.model, [(child.parent, "in", list(of))], fields)
        for line in found:
            of[line[child.parent]].append(line)
        for row in rows:
            row[child.name] = of[row["id"]]
