"""Freeze: what a schema looks like once it is released, and its fingerprints."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

_ORDER = ("name", "aliases", "doc", "dataClass", "default", "type", "logicalType", "precision", "scale")
_PLACE = {key: place for place, key in enumerate(_ORDER)}  # anything else follows: fields, symbols, items, values


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


def shape_of(schema: Any) -> str:
    """SHA-256 of the Parsing Canonical Form: names, types and order, without words, defaults and logical types."""
    return fingerprint(to_parsing_canonical_form(parse_schema(canonical(schema))), "SHA-256")


def content_of(text: str | bytes) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
