"""Where a record breaks its schema, and how: looked for only once its writer has refused it.

A breach names the field and what is due there. It shows no values, which may be personal, but for words where an enum's symbol is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from schemas.compiled.resolution import logical
from schemas.compiled.values import INT, LONG, Scale
from schemas.records import DeadLetterReason
from schemas.shapes import names_of, plain, said

LONGEST_WORD = 40
_LIMIT = {"int": INT, "long": LONG}
_DUE: dict[str, type | tuple[type, ...]] = {
    "null": type(None),
    "boolean": bool,
    "int": int,
    "long": int,
    "string": str,
    "uuid": str,
    "bytes": (bytes, bytearray),
    "decimal": Decimal,
    "date": date,
    "timestamp-micros": datetime,
}
"""What a value of each type is an instance of; as written, of that of its carrier."""


class Breach(NamedTuple):
    """The path of a field, what is wrong there, and the kind of fault as in a dead letter."""

    path: str
    what: str
    reason: DeadLetterReason

    def __str__(self) -> str:
        """A sentence."""
        return f"{self.path}: {self.what}" if self.path else self.what


def breach(schema: Any, value: Any, *, as_written: bool) -> Breach | None:
    """The first breach in the order of the schema's fields; none for a value that can be written. `as_written` as in the writer."""
    return next(_Search(schema, as_written=as_written).through(schema, value, ""), None)


class _Search:
    """Goes through a value with its schema. Each method gives the breaches of one kind of type, in order."""

    def __init__(self, schema: Any, *, as_written: bool) -> None:
        self._named, self._as_written = names_of(schema), as_written

    def through(self, schema: Any, value: Any, path: str) -> Iterator[Breach]:  # noqa: PLR0911  one return for each kind of Avro type
        schema = plain(schema, self._named)
        match schema:
            case list():
                return self._union(schema, value, path)
            case {"type": "record" | "map"} if not isinstance(value, Mapping):
                return _wrong_type(schema, value, path)
            case {"type": "array"} if not isinstance(value, (list, tuple)):
                return _wrong_type(schema, value, path)
            case {"type": "record", "fields": fields}:
                return self._record(fields, value, path)
            case {"type": "array" | "map"}:
                return self._items(schema, value, path)
            case {"type": "enum"}:
                return _symbol(schema, value, path)
        return self._primitive(schema, value, path)

    def _union(self, union: list[Any], value: Any, path: str) -> Iterator[Breach]:
        others = [branch for branch in union if branch != "null"]
        if value is None and len(others) < len(union):
            return
        if len(others) == 1:
            yield from self.through(others[0], value, path)
            return
        named = {(branch if isinstance(branch, str) else branch["name"]): branch for branch in others}
        match value:
            case (str(name), inner) if name in named:
                yield from self.through(named[name], inner, path)
            case _:
                yield Breach(path, "is no pair of a record's name and its fields", "breaks_schema")

    def _record(self, fields: list[Any], value: Mapping[str, Any], path: str) -> Iterator[Breach]:
        for field in fields:
            name = field["name"]
            inner = f"{path}.{name}" if path else name
            if name in value:
                yield from self.through(field["type"], value[name], inner)
            elif "default" not in field:
                yield Breach(inner, "is missing, and has no default", "missing_default")

    def _items(self, schema: Any, value: Any, path: str) -> Iterator[Breach]:
        if schema["type"] == "map":
            for key in value:
                yield from self.through("string", key, f"a key of {path}")
        items = value.items() if schema["type"] == "map" else enumerate(value)
        for key, item in items:
            yield from self.through(schema.get("values") or schema["items"], item, f"{path}[{str(key)[:LONGEST_WORD]}]")

    def _primitive(self, schema: Any, value: Any, path: str) -> Iterator[Breach]:
        name = (None if self._as_written else logical(schema)) or schema["type"]
        fits = isinstance(value, _DUE[name])
        if not fits:
            yield from _wrong_type(schema, value, path)
            return
        match name:
            case "int" | "long" if not -_LIMIT[name] <= value < _LIMIT[name]:
                yield Breach(path, f"is beyond the range of {name}", "breaks_schema")
            case "timestamp-micros" if value.utcoffset() is None:
                yield Breach(path, "is a time without a time zone", "breaks_schema")
            case "string" | "uuid" if not _encodes(value):
                yield Breach(path, "holds half a character (a lone surrogate)", "breaks_schema")
            case "decimal":
                yield from _digits(schema, value, path)


def _wrong_type(schema: Any, value: Any, path: str) -> Iterator[Breach]:
    yield Breach(path, f"holds a {type(value).__name__} where {_due(schema)} is due", "breaks_schema")


def _due(schema: Any) -> str:
    """A type in words, without what carries it."""
    return said(schema).partition(" in ")[0]


def _symbol(schema: Any, value: Any, path: str) -> Iterator[Breach]:
    if value not in schema["symbols"]:
        word = repr(value[:LONGEST_WORD]) if isinstance(value, str) else f"a {type(value).__name__}"
        yield Breach(path, f"{word} is no symbol of {schema['name']}", "unknown_symbol")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _digits(schema: Any, value: Decimal, path: str) -> Iterator[Breach]:
    precision, scale = schema["precision"], schema["scale"]
    try:
        Scale(precision, scale).write(value)
    except (ArithmeticError, ValueError):
        if not value.is_finite():
            what = f"is {value}"
        elif (decimals := -value.normalize().as_tuple().exponent) > scale:  # type: ignore[operator]  # finite: a number
            what = f"has {decimals} decimals, {_due(schema)} takes {scale}"
        else:
            what = f"has more than the {precision - scale} digits before the point that {_due(schema)} takes"
        yield Breach(path, what, "wrong_scale")
