"""Groups and their sums, as `formatted_read_group` answers: by nothing, by a stored field, or by the month of a day."""

import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import Any

from infra.embedded_odoo.domains import Scope, expression, where
from infra.embedded_odoo.errors import value_error
from infra.embedded_odoo.fields import Field, Model
from infra.embedded_odoo.query import Row
from infra.embedded_odoo.statements import statement

_FUNCTIONS = {"sum": "SUM", "max": "MAX", "min": "MIN"}


def groups(
    db: sqlite3.Connection,
    model: Model,
    domain: Sequence[Any],
    scope: Scope,
    *,
    by: Sequence[str],
    aggregates: Sequence[str],
) -> list[Row]:
    """One row for each group, in its order; one row where nothing is grouped by, also of no records."""
    sql, values = where(model, domain, scope)
    keys = [_key(model, name) for name in by]
    columns = ", ".join([*keys, *(_aggregate(model, name) for name in aggregates)])
    grouped = f" GROUP BY {', '.join(keys)} ORDER BY {', '.join(keys)}" if keys else ""
    found = db.execute(statement("SELECT", columns, "FROM", model.table, "t WHERE", sql) + grouped, values)
    return [_row(by, aggregates, row) for row in found]


def _field(model: Model, name: str) -> Field:
    if name not in model.fields:
        raise value_error(f"Invalid field {name!r} on model {model.name!r}")
    return model.fields[name]


def _key(model: Model, name: str) -> str:
    field, _, grain = name.partition(":")
    e = expression(model, _field(model, field), "t")
    return f"substr({e}, 1, 7)" if grain == "month" else e


def _aggregate(model: Model, name: str) -> str:
    if name == "__count":
        return "COUNT(*)"
    field, _, function = name.partition(":")
    return f"{_FUNCTIONS[function]}({expression(model, _field(model, field), 't')})"


def _row(by: Sequence[str], aggregates: Sequence[str], values: Sequence[Any]) -> Row:
    row: Row = {}
    for name, value in zip([*by, *aggregates], values, strict=True):
        if name in by and name.endswith(":month") and value is not None:
            first = date.fromisoformat(f"{value}-01")
            row[name] = [first.isoformat(), f"{first:%B %Y}"]
        else:
            row[name] = False if value is None else value
    return row
