"""`load`: an idempotent create by external id, as Odoo's import does it.

Column headers: `id` is the external id, `.id` the database id, `field/.id` a many2one by database id, `field/id` by
external id, `field` alone a value (for a many2one: its name). All rows, or none.
"""

from collections.abc import Sequence
from typing import Any

from infra.embedded_odoo.errors import value_error
from infra.embedded_odoo.fields import Field
from infra.embedded_odoo.models import MODELS
from infra.embedded_odoo.orm import Env
from infra.embedded_odoo.query import Row
from infra.embedded_odoo.statements import statement

_TRUE = frozenset({"1", "true", "yes", "True", "TRUE", "t"})


class _RowError(Exception):
    def __init__(self, field: Field, text: str) -> None:
        super().__init__(text)
        self.field = field


def load(env: Env, model: str, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> Row:
    """Create or update one record a row; answers `{"ids": [...] | False, "messages": [...], "nextrow": 0}`."""
    for header in headers:
        name = header.partition("/")[0]
        if name not in MODELS[model].fields and name != ".id":
            raise value_error(f"Invalid field name {header!r}")
    ids, messages = [], []
    env.db.execute("SAVEPOINT load_rows")
    for number, row in enumerate(rows):
        try:
            ids.append(_load_row(env, model, dict(zip(headers, row, strict=True))))
        except _RowError as error:
            messages.append(_message(number, error))
    if messages:
        env.db.execute("ROLLBACK TO load_rows")
        env.change.touched.clear()
    env.db.execute("RELEASE load_rows")
    return {"ids": False if messages else ids, "messages": messages, "nextrow": 0}


def _load_row(env: Env, model: str, row: Row) -> int:
    fields = MODELS[model].fields
    external = str(row.pop("id", "") or "")
    known = int(row.pop(".id", 0) or 0)
    values = {
        header.partition("/")[0]: _value(env, fields[header.partition("/")[0]], header, row[header]) for header in row
    }
    module, _, name = external.rpartition(".")
    module = module or "__import__"
    if external and not known:
        sql = "SELECT res_id FROM ir_model_data WHERE module = ? AND name = ? AND model = ?"
        known = int(env.scalar(sql, module, name, model) or 0)
    if known:
        env.write(model, [known], values)
        return known
    created = env.create(model, values)
    if external:
        env.create("ir.model.data", {"module": module, "name": name, "model": model, "res_id": created})
    return created


def _value(env: Env, field: Field, header: str, text: Any) -> Any:
    if text is None or text is False or text == "":
        return False
    if field.type == "boolean":
        return str(text) in _TRUE
    if field.type != "many2one":
        return text
    target = MODELS[field.relation]
    how = header.partition("/")[2]
    if how == ".id":
        found, kind = env.scalar(statement("SELECT id FROM", target.table, "WHERE id = ?"), text), "database id"
    elif how == "id":
        module, _, name = str(text).rpartition(".")
        sql = "SELECT res_id FROM ir_model_data WHERE module = ? AND name = ?"
        found, kind = env.scalar(sql, module, name), "external id"
    else:
        sql = statement("SELECT t.id FROM", target.table, "t WHERE", target.display.format(a="t"), "= ?")
        found, kind = env.scalar(sql, text), "name"
    if not found:
        label = field.describe()["string"]
        raise _RowError(field, f"No matching record found for {kind} '{text}' in field '{label}'")
    return found


def _message(number: int, error: _RowError) -> Row:
    return {
        "rows": {"from": number, "to": number},
        "type": "error",
        "record": number,
        "field": error.field.name,
        "message": str(error),
        "field_name": error.field.describe()["string"],
    }
