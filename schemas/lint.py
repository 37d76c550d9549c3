"""What every contract must say of every field, as rules that name the file, the field and the remedy.

`findings` is pure: a schema goes in as its file has it, sentences come out. No finding means that a subscriber can read from the
file alone what a field means, in which unit, where it comes from, when it is missing, how closely it is to be kept and who is
right about it; and that the next version can be read by today's readers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.field_docs import FieldDoc, SystemOfRecord, field_doc, named_sources
from schemas.topics import DataClass

LOGICAL_TYPES = frozenset({"decimal", "date", "timestamp-micros", "uuid"})
MONEY, SHARE = (20, 4), (18, 9)
UNKNOWN = "unknown"
OPAQUE_IDS = frozenset({"delivery_id"})
"""Ids that are the text of another system, of no form that we know."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DAY = re.compile(r"(.*_)?(on|day|date)|as_of")
_MONEY = re.compile(r"(?!burn_)(.*_)?(amount|cost|price|revenue|total|residual)")
_DURATION = re.compile(r"(?:.*_)?(minutes|days|seconds|percent)")
_QUOTED = re.compile(r"`([a-z_]+)`")


@dataclass(frozen=True, slots=True)
class Field:
    """One field with what the rules ask of it. `type` is its type without null."""

    name: str
    raw: Mapping[str, Any]
    type: Any
    nullable: bool
    doc: FieldDoc
    known: frozenset[str]
    internal: bool

    @property
    def kind(self) -> str:
        """Name of the Avro type: of a primitive its own, else record, enum, array or map."""
        return self.type["type"] if isinstance(self.type, dict) else str(self.type)

    @property
    def logical(self) -> str | None:
        """Logical type, if it has one."""
        return self.type.get("logicalType") if isinstance(self.type, dict) else None

    @property
    def items(self) -> Any:
        """Type of what a list holds; the field's own type if it is none."""
        return self.type["items"] if self.kind == "array" else self.type


Rule = Callable[[Field], Iterator[str]]


def _named(field: Field) -> Iterator[str]:
    if not _NAME.fullmatch(field.name):
        yield "has no lawful name; use lowercase words with underscores between"


def _explained(field: Field) -> Iterator[str]:
    doc = field.doc
    if not doc.meaning.endswith("."):
        yield "has no meaning; begin its doc with a sentence that says what it means"
    if doc.source is None:
        yield "has no source; add `Source: <Odoo model.field, or how it is derived>.` to its doc"


def _missing(field: Field) -> Iterator[str]:
    doc = field.doc
    if field.nullable:
        if not doc.null:
            yield "may be null and does not say why; end its doc with `Null: <when it is missing, and why>.`"
        union = field.raw["type"]
        if union[0] != "null" or field.raw.get("default", ...) is not None:
            yield 'may be null and is not by default; put "null" first in its type and add `"default": null`'
    elif doc.null is not None:
        yield "cannot be null and does not say so; end its doc with `Never null.`, of a list with `Never null; empty where …`"


def _measured(field: Field) -> Iterator[str]:
    """Quantities have a unit, and a unit that follows from the name or type is named so."""
    unit = field.doc.unit
    if unit is None:
        if _is_quantity(field):
            yield "is a quantity without a unit; add `Unit: <unit>.` to its doc, before the source"
        return
    expected = _expected_unit(field)
    if expected and expected not in unit:
        yield f"has the unit {unit!r}, which does not say {expected!r}; name the unit that its name and type promise"
    strange = sorted(set(_QUOTED.findall(unit)) - field.known)
    if strange:
        yield f"has a unit that names {', '.join(strange)}, which is no field beside it; name the field that holds the unit"


def _is_quantity(field: Field) -> bool:
    if field.logical == "uuid" or field.name == "id" or field.name.endswith(("_id", "_ids")):
        return False
    items = field.items
    return field.logical is not None or (items if isinstance(items, str) else "") in {"int", "long"}


def _expected_unit(field: Field) -> str:
    if field.logical == "timestamp-micros":
        return "UTC"
    if field.logical == "date":
        return "day"
    if _is_money(field):
        return "ten-thousandths" if field.internal else "amount"
    found = _DURATION.fullmatch(field.name)
    return found[1] if found and field.logical is None else ""


def _is_money(field: Field) -> bool:
    return bool(_MONEY.fullmatch(field.name)) or (field.logical == "decimal" and _shape(field) == MONEY)


def _shape(field: Field) -> tuple[int | None, int | None]:
    return field.type.get("precision"), field.type.get("scale", 0)


def _typed(field: Field) -> Iterator[str]:
    """Types that readers of every language understand alike, and that follow from the name."""
    items = field.items if isinstance(field.items, dict) else {"type": field.items}
    logical = items.get("logicalType")
    if items["type"] in ("float", "double"):
        yield "is a floating-point number; use a decimal, or an integer of a smaller unit"
    if logical is not None and logical not in LOGICAL_TYPES:
        yield f"has the logical type {logical}; use one of {', '.join(sorted(LOGICAL_TYPES))}"
    if logical == "decimal" and (items.get("precision"), items.get("scale", 0)) not in {MONEY, SHARE}:
        yield "is a decimal of its own shape; use precision 20 and scale 4 for money, 18 and 9 for anything else"
    if field.name.endswith("_at") and logical != "timestamp-micros":
        yield "ends in _at and is no moment; use a long with the logical type timestamp-micros"
    if _DAY.fullmatch(field.name) and logical != "date":
        yield "is named like a day and is none; use an int with the logical type date"
    if _MONEY.fullmatch(field.name) and not _holds_money(field):
        yield "is named like money and is none; use bytes with the logical type decimal, precision 20, scale 4"


def _holds_money(field: Field) -> bool:
    if field.internal:  # the engine's own rows: unscaled, for the hot path
        return field.kind == "long"
    return field.logical == "decimal" and _shape(field) == MONEY


def _identified(field: Field) -> Iterator[str]:
    if field.name in OPAQUE_IDS or not (field.name == "id" or field.name.endswith(("_id", "_ids"))):
        return
    items = field.items
    if items != "long" and not (isinstance(items, dict) and items.get("logicalType") == "uuid"):
        yield "is an id and is neither a long (an Odoo id) nor a string with the logical type uuid; give it one of these"


def _attributed(field: Field) -> Iterator[str]:
    for attribute, values in (("dataClass", list(DataClass)), ("systemOfRecord", list(SystemOfRecord))):
        if field.raw.get(attribute) not in values:
            yield f"has no lawful {attribute}; give it one of {', '.join(values)}"


def _sourced(field: Field) -> Iterator[str]:
    """What Odoo owns names the Odoo field, or the field of the contract that does. Records tell it field by field."""
    owner = field.raw.get("systemOfRecord")
    if owner not in {SystemOfRecord.ODOO, SystemOfRecord.ODOO_OR_WEBHOOK} or _is_record(field.items):
        return
    if not named_sources(field.doc.source or ""):
        yield "is owned by Odoo and names no Odoo field; put `model.field` in backticks into its source"


def _is_record(schema: Any) -> bool:
    return schema.get("type") == "record" if isinstance(schema, dict) else "." in str(schema)


def _open_ended(field: Field) -> Iterator[str]:
    for enum in _enums(field.type):
        symbols = enum.get("symbols", [])
        if enum.get("default") != UNKNOWN or UNKNOWN not in symbols:
            yield f'has the enum {enum.get("name")} without a default; add the symbol "unknown" and `"default": "unknown"`'
        if not str(enum.get("doc", "")).endswith("."):
            yield f"has the enum {enum.get('name')} without a doc; add a sentence that says what its symbols decide"


def _enums(schema: Any) -> Iterator[Mapping[str, Any]]:
    """The enums of a type, but for those of records inside it, whose fields are looked at themselves."""
    match schema:
        case {"type": "enum"}:
            yield schema
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            yield from _enums(inner)
        case list():
            for branch in schema:
                yield from _enums(branch)


RULES: tuple[Rule, ...] = (
    _named,
    _explained,
    _missing,
    _measured,
    _typed,
    _identified,
    _attributed,
    _sourced,
    _open_ended,
)


def findings(schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with a schema, one sentence for each field and rule; nothing where all is well.

    `schema` is the parsed content of one file: references to other files may stand as names or in full.
    """
    file = f"{schema.get('namespace', '')}.{schema.get('name', '')}".strip(".") + ".avsc"
    internal = str(schema.get("namespace", "")).endswith(".internal")
    return [f"{file}: {finding}" for finding in _record(schema, "", frozenset(), internal=internal)]


def _record(record: Mapping[str, Any], path: str, around: frozenset[str], *, internal: bool) -> Iterator[str]:
    if not str(record.get("doc", "")).endswith("."):
        yield f"the record {record.get('name')} has no doc; add a sentence that says what it stands for"
    fields = record["fields"]
    known = around | {field["name"] for field in fields}
    for raw in fields:
        field = _field(raw, known, internal=internal)
        for rule in RULES:
            for finding in rule(field):
                yield f"the field {path}{field.name} {finding}"
        for inner in _records(field.type, record.get("namespace", "")):
            yield from _record(inner, f"{path}{field.name}.", known, internal=internal)


def _field(raw: Mapping[str, Any], known: frozenset[str], *, internal: bool) -> Field:
    declared = raw["type"]
    nullable = isinstance(declared, list) and "null" in declared
    branches = [branch for branch in declared if branch != "null"] if isinstance(declared, list) else [declared]
    kept = branches[0] if len(branches) == 1 else branches
    return Field(raw["name"], raw, kept, nullable, field_doc(str(raw.get("doc", ""))), known, internal)


def _records(schema: Any, namespace: str) -> Iterator[Mapping[str, Any]]:
    """Records declared inside a type. Those with a name of their own file are looked at with that file."""
    match schema:
        case {"type": "record", "name": str(name)}:
            if "." not in name and schema.get("namespace", namespace) == namespace:
                yield schema
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            yield from _records(inner, namespace)
        case list():
            for branch in schema:
                yield from _records(branch, namespace)
