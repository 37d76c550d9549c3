"""A record written by hand: JSON back into the types of its schema. Pure; the counterpart of how records are shown.

Dates and times are ISO 8601, decimals text or numbers, bytes base64, uuids text.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas import catalogue, codec
from schemas.errors import PoisonMessage
from schemas.privacy import MASK
from schemas.shapes import names_of, plain

REMEDY = "write the record as `burnline dlq show --json --personal` shows it, and mend what is wrong in it"


def from_json(record: str, text: str) -> bytes:
    """A record of this schema from JSON, alone or within all of its letter. Raises `PoisonMessage` for what is none, naming the field."""
    try:
        content = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise PoisonMessage(f"the edited record is no JSON: {error}", remedy=REMEDY) from error
    if isinstance(content, dict) and "decisions" in content:  # what was saved is all that `dlq show` shows
        content = content.get("record")
    schema = catalogue.load(record)
    return codec.encode(record, _typed(schema, content, names_of(schema), record))


def _typed(schema: Any, value: Any, names: Mapping[str, Any], path: str) -> Any:  # noqa: C901, PLR0911  one return for each kind of Avro type
    schema = plain(schema, names)
    if value == MASK:
        raise PoisonMessage(f"{path} is masked, and would be sent as {MASK}", remedy=REMEDY)
    try:
        match schema, value:
            case _, None:
                return None
            case list(), _:
                others = [branch for branch in schema if branch != "null"]
                return _typed(others[0], value, names, path) if len(others) == 1 else value
            case {"type": "record", "fields": fields}, Mapping():
                known = {field["name"]: field["type"] for field in fields}
                return {
                    name: _typed(known.get(name, "null"), one, names, f"{path}.{name}") for name, one in value.items()
                }
            case {"type": "array", "items": items}, list():
                return [_typed(items, one, names, f"{path}[]") for one in value]
            case {"type": "map", "values": values}, Mapping():
                return {key: _typed(values, one, names, f"{path}[{key}]") for key, one in value.items()}
            case {"logicalType": "timestamp-micros"}, str():
                return datetime.fromisoformat(value)
            case {"logicalType": "date"}, str():
                return date.fromisoformat(value)
            case {"logicalType": "decimal"}, str() | int() | Decimal():
                return Decimal(value)
            case {"type": "bytes"}, str():
                return base64.b64decode(value, validate=True)
    except (ValueError, InvalidOperation, binascii.Error) as error:
        raise PoisonMessage(f"{path}: {error}", remedy=REMEDY) from error
    return value
