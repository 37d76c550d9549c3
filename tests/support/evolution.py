"""Strategies for Avro schemas, for changes of them, and for their values; and what a reader must make of a value."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from schemas.shapes import plain

NUMBERS = ("int", "long", "float", "double")
PRIMITIVES = (*NUMBERS, "string", "bytes", "boolean")
LOGICAL: tuple[dict[str, Any], ...] = (
    {"type": "int", "logicalType": "date"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2},
    {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 4},
)
DEFAULTS: dict[str, Any] = {
    "int": 7, "long": 7, "float": 0.5, "double": 0.5, "string": "s", "bytes": "\x01\xff", "boolean": True, "null": None,
}  # fmt: skip
SYMBOLS = ("a", "b", "c", "d")


class Namer:
    """Names that no other part of the schema has."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self, stem: str) -> str:
        self.given += 1
        return f"t.{stem}{self.given}"


@st.composite
def types(draw: st.DrawFn, name: Namer, depth: int = 2) -> Any:  # noqa: PLR0911  one return for each kind of Avro type
    """A type; what it names is named once."""
    kinds = ["primitive", "primitive", "logical", "enum", "nullable"]
    kind = draw(st.sampled_from([*kinds, "array", "map", "union", "record", "fixed"] if depth else kinds))
    inner = types(name, depth - 1) if depth else st.sampled_from(PRIMITIVES)
    match kind:
        case "logical":
            return deepcopy(draw(st.sampled_from(LOGICAL)))
        case "enum":
            return draw(enums(name))
        case "nullable":
            found = draw(inner)
            return found if isinstance(found, list) else ["null", found]
        case "array":
            return {"type": "array", "items": draw(inner)}
        case "map":
            return {"type": "map", "values": draw(inner)}
        case "union":
            members = draw(st.lists(st.sampled_from(("null", "string", "boolean")), min_size=1, unique=True))
            return [*members, draw(st.one_of(enums(name), records(name, 0), st.sampled_from(NUMBERS)))]
        case "record":
            return draw(records(name, depth - 1))
        case "fixed":
            return {"type": "fixed", "name": name("Fixed"), "size": draw(st.integers(1, 3))}
    return draw(st.sampled_from(PRIMITIVES))


@st.composite
def enums(draw: st.DrawFn, name: Namer) -> Any:
    symbols = draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True))
    return {
        "type": "enum",
        "name": name("Enum"),
        "symbols": symbols,
        **({"default": symbols[0]} if draw(st.booleans()) else {}),
    }


@st.composite
def records(draw: st.DrawFn, name: Namer, depth: int) -> Any:
    own = name("Record")
    fields = [{"name": f"f{n}", "type": draw(types(name, depth))} for n in range(draw(st.integers(1, 3)))]
    return {"type": "record", "name": own, "fields": [with_default(f) if draw(st.booleans()) else f for f in fields]}


def with_default(field: dict[str, Any]) -> dict[str, Any]:
    return {**field, "default": default_of(field["type"])}


def default_of(schema: Any) -> Any:  # noqa: PLR0911  one return for each kind of Avro type
    """A default as JSON."""
    match schema:
        case list():
            return default_of(schema[0])
        case str():
            return DEFAULTS[schema]
        case {"type": "array"}:
            return []
        case {"type": "map"}:
            return {}
        case {"type": "enum", "symbols": symbols}:
            return symbols[-1]
        case {"type": "fixed", "size": size}:
            return "\xfe" * size
        case {"type": "record", "fields": fields}:
            return {field["name"]: default_of(field["type"]) for field in fields}
    return DEFAULTS[schema["type"]]


@st.composite
def changed(draw: st.DrawFn, schema: Any, name: Namer) -> Any:  # noqa: C901, PLR0911  one return for each kind of change
    """A type with one change somewhere in it."""
    how = draw(st.sampled_from(["other", "nullable", "inside", "inside", "inside", "inside"]))
    if how == "other":
        return draw(types(name, 1))
    if how == "nullable" and not isinstance(schema, list):
        return ["null", schema]
    match schema:
        case "null":
            return schema
        case str():
            return draw(st.sampled_from(PRIMITIVES))
        case list():
            return draw(changed_union(schema, name))
        case {"type": "array", "items": inner}:
            return {**schema, "items": draw(changed(inner, name))}
        case {"type": "map", "values": inner}:
            return {**schema, "values": draw(changed(inner, name))}
        case {"type": "enum"}:
            return draw(changed_enum(schema, name))
        case {"type": "record"}:
            return draw(changed_record(schema, name))
        case {"type": "fixed"}:
            return {**schema, "size": draw(st.integers(1, 3))}
        case {"logicalType": _}:
            return draw(
                st.sampled_from(
                    [*LOGICAL, schema["type"], {**schema, "precision": 12} if "scale" in schema else "long"]
                )
            )
    raise AssertionError(f"no change of {schema}")


@st.composite
def changed_union(draw: st.DrawFn, union: list[Any], name: Namer) -> Any:
    how = draw(st.sampled_from(["grow", "shrink", "turn", "unwrap", "member"]))
    place = draw(st.integers(0, len(union) - 1))
    match how:
        case "grow":
            return [*union, draw(records(name, 0))]
        case "shrink" if len(union) > 1:
            return union[:place] + union[place + 1 :]
        case "turn":
            return union[::-1]
        case "unwrap":
            return union[place]
    member = draw(changed(union[place], name))
    return union if isinstance(member, list) or member in union else [*union[:place], member, *union[place + 1 :]]


@st.composite
def changed_enum(draw: st.DrawFn, enum: Any, name: Namer) -> Any:
    how = draw(st.sampled_from(["symbols", "rename", "rename with alias", "default"]))
    match how:
        case "symbols":
            symbols = draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True))
            kept = {} if enum.get("default") not in symbols else {"default": enum["default"]}
            return {k: v for k, v in enum.items() if k != "default"} | {"symbols": symbols} | kept
        case "rename":
            return {**enum, "name": name("Enum")}
        case "rename with alias":
            return {**enum, "name": name("Enum"), "aliases": [enum["name"]]}
    return {**enum, "default": enum["symbols"][-1]}


@st.composite
def changed_record(draw: st.DrawFn, record: Any, name: Namer) -> Any:
    how = draw(st.sampled_from(["remove", "add", "rename", "alias", "turn", "default", "type", "type", "type", "name"]))
    fields = record["fields"]
    place = draw(st.integers(0, len(fields) - 1))
    chosen = fields[place]
    match how:
        case "remove" if len(fields) > 1:
            return {**record, "fields": fields[:place] + fields[place + 1 :]}
        case "add":
            new = {"name": "g", "type": draw(types(name, 1))}
            known = [field for field in fields if field["name"] != "g"]
            return {**record, "fields": [*known, with_default(new) if draw(st.booleans()) else new]}
        case "rename":
            chosen = {**chosen, "name": "h"}
        case "alias":
            chosen = {**chosen, "name": "h", "aliases": [draw(st.sampled_from(fields))["name"], chosen["name"]]}
        case "turn":
            return {**record, "fields": fields[::-1]}
        case "default":
            chosen = with_default(chosen)
        case "type":
            kind = draw(changed(chosen["type"], name))
            chosen = {k: v for k, v in chosen.items() if k != "default"} | {"type": kind}
            chosen = with_default(chosen) if draw(st.booleans()) else chosen
        case "name":
            return {**record, "name": name("Record"), "aliases": [record["name"]]}
    names = {field["name"] for field in fields[:place] + fields[place + 1 :]}
    return record if chosen["name"] in names else {**record, "fields": [*fields[:place], chosen, *fields[place + 1 :]]}


@st.composite
def evolutions(draw: st.DrawFn) -> tuple[Any, Any]:
    """A record, and the same after a change of one field's type, or after a few changes anywhere."""
    name = Namer()
    if draw(st.booleans()):
        before = draw(types(name, 1))
        after = draw(changed(before, name))
        return tuple({"type": "record", "name": "t.R", "fields": [{"name": "f", "type": t}]} for t in (before, after))
    old = draw(records(name, 2))
    new = old
    for _ in range(draw(st.integers(1, 3))):
        new = draw(changed_record(new, name))
    return old, {**new, "name": old["name"]}


def values(schema: Any, names: dict[str, Any]) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911  one return for each kind of Avro type
    """Values of a parsed schema, in Python's own types."""
    match plain(schema, names):
        case list(union):
            return st.one_of([values(member, names) for member in union])
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            limit = 10**precision - 1
            return st.integers(-limit, limit).map(lambda n: Decimal(n).scaleb(-scale))
        case {"logicalType": "uuid"}:
            return st.uuids().map(str)
        case {"logicalType": "date"}:
            return st.dates(date(1900, 1, 1), date(2200, 1, 1))
        case {"logicalType": "timestamp-micros"}:
            moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001  hypothesis wants naive bounds
            return moments.map(lambda moment: moment.replace(tzinfo=UTC))
        case {"type": "enum", "symbols": symbols}:
            return st.sampled_from(symbols)
        case {"type": "fixed", "size": size}:
            return st.binary(min_size=size, max_size=size)
        case {"type": "array", "items": items}:
            return st.lists(values(items, names), max_size=2)
        case {"type": "map", "values": inner}:
            return st.dictionaries(st.text(max_size=3), values(inner, names), max_size=2)
        case {"type": "record", "fields": fields}:
            return st.fixed_dictionaries({field["name"]: values(field["type"], names) for field in fields})
        case {"type": kind}:
            return {
                "null": st.none(),
                "boolean": st.booleans(),
                "int": st.integers(-(2**31), 2**31 - 1),
                "long": st.integers(-(2**63), 2**63 - 1),
                "float": st.floats(width=32, allow_nan=False),
                "double": st.floats(allow_nan=False),
                "string": st.text(max_size=4),
                "bytes": st.binary(max_size=4),
            }[kind]
    raise AssertionError(f"no strategy for {schema}")
