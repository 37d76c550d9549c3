"""Defaults of fields as values: what a reader finds in a field that the writer did not know.

A schema's file has them as JSON: bytes as text, dates as numbers, a union's as one of its first member. Here that becomes what the
same field would hold had it been written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastavro.read import LOGICAL_READERS

from schemas.shapes import plain, said

_JSON: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "int": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "string": (str,),
    "bytes": (str,),
    "fixed": (str,),
    "enum": (str,),
    "array": (list,),
    "map": (dict,),
    "record": (dict,),
}


def value_of(schema: Any, default: Any, names: Mapping[str, Any], *, as_written: bool = False) -> Any:
    """A default as the value that a decoder would return, or `as_written`: without its logical type, as on the wire.

    Raises `ValueError` for one that is none of its type.
    """
    found = plain(schema, names)
    if isinstance(found, list):
        return value_of(found[0], default, names, as_written=as_written)
    kind = found["type"]
    if not isinstance(default, _JSON[kind]) or (isinstance(default, bool) and kind != "boolean"):
        raise ValueError(f"{default!r} is no {said(found)}")
    value = _raw(found, default, names, as_written=as_written)
    name = found.get("logicalType")
    if as_written or name == "uuid":  # a UUID is text in Python, too
        return value
    logical = LOGICAL_READERS.get(f"{kind}-{name}")
    return logical(value, found, None) if logical else value


def _raw(found: Mapping[str, Any], default: Any, names: Mapping[str, Any], *, as_written: bool) -> Any:
    match found["type"]:
        case "bytes" | "fixed":
            return default.encode("latin-1")
        case "enum" if default not in found["symbols"]:
            raise ValueError(f"{default!r} is no symbol of {said(found)}")
        case "array":
            return [value_of(found["items"], item, names, as_written=as_written) for item in default]
        case "map":
            return {key: value_of(found["values"], item, names, as_written=as_written) for key, item in default.items()}
        case "record":
            return {field["name"]: _member(field, default, names, as_written=as_written) for field in found["fields"]}
    return default


def _member(field: Mapping[str, Any], default: Mapping[str, Any], names: Mapping[str, Any], *, as_written: bool) -> Any:
    if field["name"] not in default and "default" not in field:
        raise ValueError(f"{field['name']} is missing")
    return value_of(field["type"], default.get(field["name"], field.get("default")), names, as_written=as_written)
