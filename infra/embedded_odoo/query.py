"""Search and read: domains in, Odoo-shaped records out."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from infra.embedded_odoo.domains import Scope, expression, where
from infra.embedded_odoo.errors import value_error
from infra.embedded_odoo.fields import Field, Model
from infra.embedded_odoo.models import MODELS
from infra.embedded_odoo.statements import statement
from infra.embedded_odoo.values import from_column

Row = dict[str, Any]
_BATCH = 1000


def search(
    db: sqlite3.Connection,
    model: Model,
    domain: Sequence[Any],
    scope: Scope,
    *,
    order: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[int]:
    """The ids of the records for which the domain holds, in order."""
    sql, values = where(model, domain, scope)
    parts = ["SELECT t.id FROM", model.table, "t WHERE", sql, "ORDER BY", _order(model, order or model.order)]
    parts += ["LIMIT ? OFFSET ?"]
    rows = db.execute(" ".join(parts), [*values, limit or -1, offset or 0])
    return [row[0] for row in rows]


def search_count(
    db: sqlite3.Connection,
    model: Model,
    domain: Sequence[Any],
    scope: Scope,
    limit: int | None = None,
) -> int:
    """How many records the domain holds for, counting no further than the limit."""
    sql, values = where(model, domain, scope)
    inner = statement("SELECT 1 FROM", model.table, "t WHERE", sql, "LIMIT ?")
    return int(db.execute(statement("SELECT count(*) FROM (", inner, ")"), [*values, limit or -1]).fetchone()[0])


def _order(model: Model, order: str) -> str:
    """An order as PostgreSQL sorts: nulls are the largest; references sort by the name of their target."""
    terms = []
    for term in order.split(","):
        name, _, direction = term.strip().partition(" ")
        field = model.fields.get(name)
        if field is None:
            raise value_error(f"Invalid field {name!r} on model {model.name!r}")
        down = direction.strip().lower().startswith("desc")
        e = expression(model, field, "t")
        if field.type == "many2one" and field.is_column:
            target = MODELS[field.relation]
            e = statement("(SELECT", target.display.format(a="o"), "FROM", target.table, "o WHERE o.id =", e + ")")
        terms.append(f"{e} DESC NULLS FIRST" if down else f"{e} ASC NULLS LAST")
    return ", ".join(terms)


def chosen(model: Model, names: Iterable[str] | None) -> list[Field]:
    """The fields asked for, or all; refuses a name that the model does not know."""
    if not names:
        return list(model.fields.values())
    fields = []
    for name in dict.fromkeys(names):
        if name not in model.fields:
            raise value_error(f"Invalid field {name!r} on {model.name!r}")
        fields.append(model.fields[name])
    return fields


def read(
    db: sqlite3.Connection,
    model: Model,
    ids: Sequence[int],
    fields: Sequence[Field],
    scope: Scope,
    *,
    names: bool = True,
    exact: bool = False,
) -> list[Row]:
    """The records in the order of `ids`, without those that do not exist; many2one as `[id, name]` if `names`."""
    single = [f for f in fields if f.type not in {"one2many", "many2many"} and f.name != "id"]
    found: dict[int, Row] = {}
    columns = ", ".join(["t.id", *(expression(model, f, "t") for f in single)])
    sql = statement("SELECT", columns, "FROM", model.table, "t WHERE t.id IN (SELECT value FROM json_each(?))")
    converters = [(f.name, _converter(f, exact=exact)) for f in single]
    for start in range(0, len(ids), _BATCH):
        for record_id, *values in db.execute(sql, [json.dumps(ids[start : start + _BATCH])]):
            row: Row = {"id": record_id}
            for (name, convert), value in zip(converters, values, strict=True):
                row[name] = convert(value)
            found[record_id] = row
    rows = list(found.values())
    if names:
        _name_references(db, rows, single)
    for field in fields:
        if field.type in {"one2many", "many2many"}:
            _add_members(db, field, found, scope)
    return [found[record_id] for record_id in ids if record_id in found]


def _converter(field: Field, *, exact: bool) -> Callable[[Any], Any]:
    if field.type in {"char", "text", "html", "selection", "date", "many2one"}:
        return _null_to_false
    return lambda value: from_column(field, value, exact=exact)


def _null_to_false(value: Any) -> Any:
    return False if value is None else value


def display_names(db: sqlite3.Connection, model: Model, ids: Iterable[int]) -> dict[int, str]:
    """The names under which records are shown."""
    named = (model.display.format(a="t"), "FROM", model.table, "t WHERE t.id IN (SELECT value FROM json_each(?))")
    rows = db.execute(statement("SELECT t.id,", *named), [json.dumps(sorted(ids))])
    return {record_id: name or "" for record_id, name in rows}


def _name_references(db: sqlite3.Connection, rows: list[Row], fields: Sequence[Field]) -> None:
    references = [f for f in fields if f.type == "many2one"]
    wanted: dict[str, set[int]] = {}
    for field in references:
        wanted.setdefault(field.relation, set()).update(row[field.name] for row in rows if row[field.name])
    shown = {target: display_names(db, MODELS[target], ids) for target, ids in wanted.items() if ids}
    for field in references:
        known = shown.get(field.relation, {})
        for row in rows:
            if row[field.name]:
                row[field.name] = [row[field.name], known.get(row[field.name], "")]


def _add_members(db: sqlite3.Connection, field: Field, found: dict[int, Row], scope: Scope) -> None:
    """Fill a set of related ids in the target's own order, without archived ones."""
    for row in found.values():
        row[field.name] = []
    target = MODELS[field.relation]
    if field.type == "one2many":
        key = expression(target, target.fields[field.inverse], "t")
        table = f"{target.table} t"
    else:
        mine, other = field.columns
        key, table = f"m.{mine}", f"{target.table} t JOIN {field.table} m ON m.{other} = t.id"
    hidden = "AND t.active = 1" if scope.active_test and "active" in target.fields else ""
    sql = statement(
        "SELECT",
        key,
        ", t.id FROM",
        table,
        "WHERE",
        key,
        "IN (SELECT value FROM json_each(?))",
        hidden,
        "ORDER BY",
        _order(target, target.order),
    )
    for owner, record_id in db.execute(sql, [json.dumps(list(found))]):
        found[owner][field.name].append(record_id)
