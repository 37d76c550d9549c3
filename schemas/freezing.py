"""What a schema looks like once it is released, what of it is a promise, and its fingerprints."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fastavro.repository.base import SchemaRepositoryError
from fastavro.schema import (
    SchemaParseException,
    UnknownType,
    fingerprint,
    parse_schema,
    to_parsing_canonical_form,
)

from schemas.errors import Fatal

_ORDER = ("name", "aliases", "doc", "dataClass", "default", "type", "logicalType", "precision", "scale")
_PLACE = {key: place for place, key in enumerate(_ORDER)}  # anything else follows: fields, symbols, items, values

_PROMISED = {
    *("name", "aliases", "type", "fields", "symbols", "items", "values", "size", "default"),
    *("logicalType", "precision", "scale", "dataClass"),
}

NO_SCHEMA = (SchemaParseException, SchemaRepositoryError, UnknownType, KeyError, TypeError, ValueError)
"""What fastavro raises for a file that is no schema, or refers to one that is not there."""


def canonical(schema: Any) -> Any:
    """The same schema in the one order of keys that released files have, without the parser's own notes."""
    match schema:
        case dict():
            keys = sorted(
                (key for key in schema if not key.startswith("__")),
                key=lambda key: (_PLACE.get(key, len(_PLACE)), key),
            )
            return {key: canonical(schema[key]) for key in keys}
        case list():
            return [canonical(item) for item in schema]
    return schema


def text_of(schema: Any) -> str:
    """A schema as its released file has it: whole, and the same for every program that writes it."""
    return json.dumps(canonical(schema), indent=2, ensure_ascii=False) + "\n"


def promise_of(schema: Any) -> Any:
    """What of a parsed schema is a promise: all but its words, which may be mended without a release."""
    match schema:
        case dict():
            return {
                key: value if key == "default" else promise_of(value)
                for key, value in schema.items()
                if key in _PROMISED
            }
        case list():
            return [promise_of(item) for item in schema]
    return schema


def parsed(schema: Any) -> Any:
    """A whole schema as fastavro understands it: names in full, and nothing of an earlier parsing. Raises `Fatal` for none."""
    try:
        return parse_schema(canonical(schema))
    except NO_SCHEMA as error:
        name = schema.get("name", "a schema") if isinstance(schema, dict) else "a schema"
        raise Fatal(f"{name} is no Avro schema: {error}", remedy="mend its file in schemas/avro") from error


def shape_of(schema: Any) -> str:
    """SHA-256 of the Parsing Canonical Form: names, types and order, without words, defaults and logical types."""
    return fingerprint(to_parsing_canonical_form(parsed(schema)), "SHA-256")


def content_of(text: str | bytes) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
