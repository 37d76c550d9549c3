"""Values between RPC, tables and domains.

In a table a time is text of 26 characters (microseconds, UTC), so that text order is time order; over RPC it is cut to
whole seconds. Null is `false` over RPC, except for numbers (0) and booleans (false).
"""

import json
from datetime import date, datetime, timedelta
from typing import Any

from infra.embedded_odoo.errors import value_error
from infra.embedded_odoo.fields import Field

MICROSECONDS = "%Y-%m-%d %H:%M:%S.%f"
SECONDS = "%Y-%m-%d %H:%M:%S"
_NUMBERS = frozenset({"float", "monetary", "integer", "many2one_reference"})


def stamp(moment: datetime) -> str:
    """A UTC time as the tables hold it."""
    return moment.strftime(MICROSECONDS)


def to_column(model: str, field: Field, value: Any) -> Any:  # noqa: PLR0911  one return per kind of field
    """What the table holds for a value given over RPC; refuses, in Odoo's words, what the field cannot hold."""
    kind = field.type
    if kind == "boolean":
        return int(bool(value))
    if value is None or value is False:
        return {"float": 0.0, "monetary": 0.0, "integer": 0}.get(kind)
    if kind in {"float", "monetary"}:
        return _number(value, money=kind == "monetary")
    if kind in {"integer", "many2one", "many2one_reference"}:
        return _whole(value)
    if kind == "selection" and value not in field.selection:
        raise value_error(f"Wrong value for {model}.{field.name}: {value!r}")
    if kind == "date":
        return _day(str(value)[:10])
    if kind == "datetime":
        return _moment(str(value))
    if kind == "json":
        return json.dumps(value, sort_keys=True)
    return str(value) or None


def from_column(field: Field, value: Any, *, exact: bool = False) -> Any:
    """What RPC shows of a column; `exact` keeps microseconds, as Odoo's webhooks do."""
    kind = field.type
    if kind == "boolean":
        return bool(value)
    if value is None:
        return (0 if kind in {"integer", "many2one_reference"} else 0.0) if kind in _NUMBERS else False
    if kind == "datetime" and not exact:
        return value[:19]
    if kind == "json":
        return json.loads(value)
    return value


def _number(value: Any, *, money: bool) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise value_error(str(error)) from error
    return round(number, 2) if money else number


def _whole(value: Any) -> int:
    if isinstance(value, list | tuple) and value:
        value = value[0]
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise value_error(str(error)) from error


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise value_error(f"time data {text!r} does not match format '%Y-%m-%d'") from error


def _moment(text: str) -> str:
    try:
        return stamp(datetime.fromisoformat(text).replace(tzinfo=None))
    except ValueError as error:
        raise value_error(f"time data {text!r} does not match format '%Y-%m-%d %H:%M:%S'") from error


def second_after(text: str) -> str:
    """The whole second that follows one of RPC's times."""
    return (datetime.fromisoformat(text) + timedelta(seconds=1)).strftime(SECONDS)
