"""Reading Odoo for the mappings: what it can give, pages by ascending id, records by id.

Rules
- Ask `fields_get` first: what is missing, or hidden from the user, turns off just what needs it, with a warning: an optional
  field itself, a needed field or a model its mapping, and never another mapping.
- Every domain is in whole UTC seconds, every page is ordered by id, and archived records are always included.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from infra.odoo import OdooClient
from infra.odoo.client import EVERYTHING, Row
from infra.odoo.failures import Refused, is_missing, is_no_access, is_unknown_model
from producers.capture.metrics import ROWS
from producers.core.audit import Figures, aggregates, odoo_figures
from producers.core.lookups import SOURCES, Lookups, build
from producers.core.mapping import Children, Follow, ModelMapping, Own, wanted_fields
from producers.core.mapping.base import Domain
from producers.core.values import rpc_time

log = structlog.get_logger()
LISTING = 10_000
BY_ID = 1000
MOST_ASKED = 200
SUMMED = {**EVERYTHING, "tz": "UTC"}


@dataclass(frozen=True, slots=True)
class Readable:
    """A mapping that this Odoo can serve, the fields to read for it, and the models whose names are wanted, by the field that leads to them."""

    mapping: ModelMapping
    fields: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lack:
    """What a mapping needs that this Odoo does not have, or does not show to this user."""

    detail: str
    remedy: str


class Source:
    """One Odoo, read the way the mappings need it."""

    def __init__(self, client: OdooClient, page_size: int) -> None:
        """Read pages of this size."""
        self.client = client
        self.page_size = page_size
        self._fields: dict[str, Mapping[str, Any] | None] = {}

    def readable(self, mappings: Iterable[ModelMapping]) -> list[Readable]:
        """The mappings that can run here; each of the others is told in the log."""
        found: list[Readable] = []
        for mapping in mappings:
            if lack := self.lack(mapping):
                topics = [entity.topic_name for entity in mapping.entities]
                log.warning(
                    "mapping_disabled", model=mapping.model, topics=topics, cause=lack.detail, remedy=lack.remedy
                )
            else:
                for doubt in self.doubts(mapping):
                    log.warning("configuration_doubtful", model=mapping.model, cause=doubt.detail, remedy=doubt.remedy)
                one = self.served(mapping)
                if unseen := sorted(set(mapping.optional) - set(one.fields)):
                    log.info("optional_fields_missing", model=mapping.model, fields=unseen)
                found.append(one)
        return found

    def lack(self, mapping: ModelMapping) -> Lack | None:
        """Why a mapping cannot run here, or None where it can."""
        needed = [(mapping.model, mapping.module, mapping.needed)]
        needed += [
            (child.model, mapping.module, (child.parent, *child.fields)) for child in mapping.children if child.needed
        ]
        for model, module, fields in needed:
            present = self._present(model)
            if present is None:
                return Lack(
                    f"{model} is not there, or this user may not read it: events of {mapping.model} are left out",
                    f"install the module {module}, or give the user of ODOO_USER the right to read {model}",
                )
            if missing := [name for name in fields if name not in present]:
                return Lack(
                    f"{model} has no field {', '.join(missing)} that this user can read: events of {mapping.model} are left out",
                    "install the module that defines it, give the user the right to see it, or correct its name in the configuration's section `capture`",
                )
        return next(filter(None, (self._unfit(mapping.model, own) for own in mapping.own)), None)

    def _unfit(self, model: str, own: Own) -> Lack | None:
        """Why a field that the firm named, and that is there, does not hold what it is named for."""
        told = (self._present(model) or {})[own.name]
        kind, relation = told["type"], told.get("relation") or ""
        if (own.types and kind not in own.types) or (own.relation and relation != own.relation):
            wanted = f"{' or '.join(own.types)}{f' to {own.relation}' if own.relation else ''}"
            return Lack(
                f"{model}.{own.name} is a {kind}{f' to {relation}' if relation else ''}: events of {model} are left out",
                f"name a field in the configuration's section `capture` that is a {wanted}",
            )
        if own.named and kind == "many2one" and self._present(relation) is None:
            return Lack(
                f"{model}.{own.name} leads to {relation}, which this user may not read: events of {model} are left out",
                f"give the user of ODOO_USER the right to read {relation}",
            )
        return None

    def lost(self, one: Readable, known: Collection[str]) -> Lack | None:
        """Why a mapping must not go on although it could: fields that it read are not there any more, and nobody said that this is right."""
        gone = sorted(set(known) & set(one.mapping.optional) - set(one.fields))
        if not gone:
            return None
        names = [f"{one.mapping.model}.{name}" for name in gone]
        return Lack(
            f"{', '.join(names)} was read before, and is not there any more for this user: events of {one.mapping.model} are left out, since all would tell of a change that nobody made",
            "did an upgrade rename it, or did the user of ODOO_USER lose a right? Where it is gone for good, name it under `without` in the configuration's section `capture`",
        )

    def doubts(self, mapping: ModelMapping) -> list[Lack]:
        """What the configuration says of a mapping's fields that cannot come true; the mapping runs all the same."""
        found: list[Lack] = []
        for own in mapping.own:
            told = (self._present(mapping.model) or {})[own.name]
            known = [value for value, _ in told.get("selection") or ()] if told["type"] == "selection" else own.values
            if unknown := [value for value in own.values if value not in known]:
                found.append(
                    Lack(
                        f"{mapping.model}.{own.name} never is {', '.join(unknown)}",
                        f"correct the configuration's section `capture`: its values are {', '.join(known)}",
                    )
                )
        return found

    def served(self, mapping: ModelMapping) -> Readable:
        """What of a mapping that can run here is read."""
        present = self._present(mapping.model) or {}
        names = {
            own.name: present[own.name]["relation"]
            for own in mapping.own
            if own.named and present[own.name]["type"] == "many2one"
        }
        follows = tuple(follow for follow in mapping.follows if self._present(follow.model) is not None)
        follows += tuple(Follow(model, "id", through=name) for name, model in names.items())
        children = tuple(child for child in mapping.children if self._served(child))
        kept = replace(
            mapping,
            where=_served(mapping.where, present),
            follows=follows,
            children=children,
            sums=tuple(one for one in mapping.sums if one.field in present),
            period=mapping.period if mapping.period is not None and mapping.period.field in present else None,
        )
        return Readable(kept, wanted_fields(mapping, present), names)

    def _served(self, child: Children) -> bool:
        present = self._present(child.model)
        return present is not None and {child.parent, *child.fields} <= set(present)

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

    def ids(self, one: Readable, after: int, upto: int) -> set[int]:
        """The ids of all records that are entities, above the one id and up to the other."""
        within = [("id", ">", after), ("id", "<=", upto), *one.mapping.where]
        return set(self.client.search(one.mapping.model, within))

    def highest(self, one: Readable) -> int:
        """The highest id of all records that are entities; 0 without any."""
        return max(self.client.search(one.mapping.model, one.mapping.where, limit=1, order="id desc"), default=0)

    def sums(self, one: Readable, domain: Domain, by: Sequence[str] = ()) -> list[Row]:
        """Counts and sums of a domain's records, as Odoo's database adds them up: a row for each group, or one for all."""
        found: list[Row] = self.client.call(
            one.mapping.model,
            "formatted_read_group",
            domain=list(domain),
            groupby=list(by),
            aggregates=aggregates(one.mapping.sums),
            context=SUMMED,
            retry=True,
        )
        return found

    def figures(self, one: Readable, after: int, upto: int) -> Figures:
        """The sums of the records that are entities, above the one id and up to the other."""
        (row,) = self.sums(one, (("id", ">", after), ("id", "<=", upto), *one.mapping.where))
        return odoo_figures(one.mapping.sums, row)

    def count(self, one: Readable, domain: Domain) -> int:
        """How many records of a domain are entities."""
        return self.client.count(one.mapping.model, [*one.mapping.where, *domain])

    def gone(self, one: Readable, ids: Sequence[int]) -> list[int]:
        """Those of these ids, which no search found, that are not there: what is there and hidden from this user is not among them.

        Odoo answers a read of hidden records with an error of access, and leaves missing ones out. Where it says so too often to ask on,
        what is not known to be gone counts as hidden.
        """
        found: list[int] = []
        left, asked = [list(ids)] if ids else [], 0
        while left and asked < MOST_ASKED:
            part = left.pop()
            asked += 1
            try:
                rows = self.client.call(
                    one.mapping.model, "read", part, fields=["write_date"], load=None, context=EVERYTHING, retry=True
                )
            except Refused as error:
                if not (is_no_access(error) or is_missing(error)):
                    raise
                if len(part) > 1:
                    left += [part[: len(part) // 2], part[len(part) // 2 :]]
                elif is_missing(error):
                    found += part
            else:
                found += sorted(set(part) - {row["id"] for row in rows})
        return found

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
                domain = _served(source.where, present)
                rows[source.model] = self.client.search_read(source.model, domain, fields)
        return build(rows, datetime.now(UTC))

    def _with_children(self, one: Readable, rows: list[Row]) -> list[Row]:
        for child in one.mapping.children:
            self._attach(child, rows)
        for name, model in one.names.items():
            self._name(name, model, rows)
        return rows

    def _name(self, name: str, model: str, rows: list[Row]) -> None:
        """Where the name of what a field leads to is wanted, the field becomes `[id, name]`; read each time, since names change."""
        found = self.client.read(model, sorted({row[name] for row in rows if row[name]}), ["display_name"])
        names = {one["id"]: one["display_name"] for one in found}
        for row in rows:
            if row[name]:
                row[name] = [row[name], names.get(row[name], "")]

    def _attach(self, child: Children, rows: list[Row]) -> None:
        of: dict[int, list[Row]] = {row["id"]: [] for row in rows}
        present = self._present(child.model) or {}
        fields = (child.parent, *child.fields, *(name for name in child.optional if name in present))
        domain = [(child.parent, "in", list(of)), *_served(child.where, present)]
        found = self.client.search_read(child.model, domain, fields)
        for line in found:
            of[line[child.parent]].append(line)
        for row in rows:
            row[child.name] = of[row["id"]]


def _served(domain: Domain, present: Mapping[str, Any]) -> Domain:
    """The terms of a domain on fields that are there; with an operator in it, all of them or none."""
    there = tuple(term for term in domain if isinstance(term, str) or term[0].partition(".")[0] in present)
    return () if len(there) < len(domain) and any(isinstance(term, str) for term in domain) else there
