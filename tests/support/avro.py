"""Values of Avro schemas for tests, and fastavro as the reference that our readers and writers are held against."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal

import fastavro
from hypothesis import strategies as st

from schemas import catalogue
from schemas.shapes import names_of

LETTERS = "Łódź – 東京 🜂 \x00"
Corner = Literal["least", "most", "omitted"]


def values(schema: Any, known: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911, PLR0912  one case for each kind of Avro type
    """A strategy for the values of an Avro schema, in Python's own types."""
    known = names_of(schema) if known is None else known
    match known.get(schema, schema) if isinstance(schema, str) else schema:
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            limit = 10**precision - 1
            return st.integers(-limit, limit).map(lambda n: Decimal(n).scaleb(-scale))
        case {"logicalType": "date"}:
            return st.dates(date(1900, 1, 1), date(2200, 1, 1))
        case {"logicalType": "timestamp-micros"}:
            return st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))  # noqa: DTZ001  hypothesis wants naive bounds
        case {"logicalType": "uuid"}:
            return st.uuids().map(str)
        case "string" | {"type": "string"}:
            return st.text(max_size=12)
        case "boolean":
            return st.booleans()
        case "int":
            return st.integers(-(2**31), 2**31 - 1)
        case "long":
            return st.integers(-(2**63), 2**63 - 1)
        case "bytes":
            return st.binary(max_size=12)
        case "null":
            return st.none()
        case list() as union:
            return st.one_of([_branch(branch, union, known) for branch in union])
        case {"type": "enum", "symbols": symbols}:
            return st.sampled_from(symbols)
        case {"type": "array", "items": items}:
            return st.lists(values(items, known), max_size=3)
        case {"type": "map", "values": inner}:
            return st.dictionaries(st.text(max_size=6), values(inner, known), max_size=3)
        case {"type": "record", "fields": fields}:
            return st.fixed_dictionaries({f["name"]: values(f["type"], known) for f in fields})
    raise AssertionError(f"no strategy for {schema}")


def _branch(branch: Any, union: list[Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    inner = values(branch, known)
    return st.tuples(st.just(_name(branch)), inner) if _told_by_name(union) else inner


def _name(branch: Any) -> str:
    return branch if isinstance(branch, str) else branch["name"]


def _told_by_name(union: list[Any]) -> bool:
    return len([branch for branch in union if branch != "null"]) > 1


def corner(schema: Any, which: Corner, known: dict[str, Any] | None = None) -> Any:  # noqa: C901, PLR0911, PLR0912  as above
    """The value that has the least, or the most, of everything; or the least, without every field that has a default."""
    known = names_of(schema) if known is None else known
    most = which == "most"
    match known.get(schema, schema) if isinstance(schema, str) else schema:
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            return Decimal((1 if most else -1) * (10**precision - 1)).scaleb(-scale)
        case {"logicalType": "date"}:
            return date(2199, 12, 31) if most else date(1970, 1, 1)
        case {"logicalType": "timestamp-micros"}:
            return datetime(2199, 12, 31, 23, 59, 59, 999_999, UTC) if most else datetime(1970, 1, 1, tzinfo=UTC)
        case "string" | {"type": "string"}:
            return LETTERS if most else ""
        case "boolean":
            return most
        case "int":
            return 2**31 - 1 if most else -(2**31)
        case "long":
            return 2**63 - 1 if most else -(2**63)
        case "bytes":
            return bytes(range(256)) if most else b""
        case "null":
            return None
        case list() as union:
            branch = union[-1] if most else union[0]
            inner = corner(branch, which, known)
            return (_name(branch), inner) if _told_by_name(union) else inner
        case {"type": "enum", "symbols": symbols}:
            return symbols[-1 if most else 0]
        case {"type": "array", "items": items}:
            return [corner(items, "most", known), corner(items, "least", known)] if most else []
        case {"type": "map", "values": inner}:
            return {"": corner(inner, "least", known), LETTERS: corner(inner, "most", known)} if most else {}
        case {"type": "record", "fields": fields}:
            kept = [f for f in fields if which != "omitted" or "default" not in f]
            return {f["name"]: corner(f["type"], which, known) for f in kept}
    raise AssertionError(f"no corner for {schema}")


def without(schema: Any, logical_types: frozenset[str] | None) -> Any:
    """The same schema with these logical types (all, for None) left as their carriers: the bytes are the same."""
    match schema:
        case dict():
            drop = "logicalType" in schema and (logical_types is None or schema["logicalType"] in logical_types)
            return {
                key: without(value, logical_types)
                for key, value in schema.items()
                if not key.startswith("__") and not (drop and key == "logicalType")
            }
        case list():
            return [without(item, logical_types) for item in schema]
    return schema


def parsed(schema: Any, *, plain: bool = False) -> Any:
    """The schema as fastavro wants it, with the logical types that our codec converts; with none, where `plain`."""
    return fastavro.parse_schema(without(schema, None if plain else frozenset({"uuid"})))


@cache
def parsed_record(name: str, *, plain: bool = False) -> Any:
    """The same of a record of the catalogue."""
    return parsed(catalogue.load(name), plain=plain)


def read(body: bytes, writer: Any, reader: Any | None = None) -> Any:
    """What fastavro makes of a record without its header."""
    return fastavro.schemaless_reader(
        io.BytesIO(body), writer, reader, return_record_name=True, return_record_name_override=True
    )


def written(schema: Any, value: Any) -> bytes:
    """What fastavro writes of it, without a header."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()
