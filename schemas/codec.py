"""The one way in and out: Avro in the Confluent wire format (a zero byte, the schema's number, the body).

Rules
- Every record that enters is decoded here; what cannot be decoded is a `PoisonMessage` that says why.
- `decode` gives Python's own types. `decode_wire` gives the same fields unconverted, a third faster, for the hot path.
- UUIDs are strings in Python: they are compared and passed on, never computed with.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import fastavro

from schemas import catalogue, released, resolution
from schemas.errors import PoisonMessage
from schemas.released import Release
from schemas.resolution import Reading

HEADER = struct.Struct(">bI")
UUID = frozenset({"uuid"})
_read = fastavro.schemaless_reader
_write = fastavro.schemaless_writer
_UNREADABLE = (
    *(EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError),
    *(struct.error, fastavro.read.SchemaResolutionError),
)


class Decoded(NamedTuple):
    """A decoded record: the full name of its schema, and its fields."""

    name: str
    value: Any


@cache
def _typed(name: str) -> Any:
    return fastavro.parse_schema(catalogue.without_logical_types(catalogue.load(name), UUID))


@cache
def _plain(name: str) -> Any:
    return fastavro.parse_schema(catalogue.without_logical_types(catalogue.load(name)))


@cache
def _typed_reading(number: int) -> Reading:
    return resolution.reading(_release(number), UUID)


@cache
def _plain_reading(number: int) -> Reading:
    return resolution.reading(_release(number))


@cache
def _header(name: str) -> bytes:
    return HEADER.pack(0, resolution.writing_id(name))


def _encode(schema: Any, name: str, value: Any) -> bytes:
    out = io.BytesIO(_header(name))
    out.seek(HEADER.size)
    try:
        _write(out, schema, value)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, struct.error) as error:
        raise PoisonMessage(
            f"a {name} breaks its schema: {error}", remedy="compare the record with schemas/avro and mend its source"
        ) from error
    return out.getvalue()


def encode(name: str, value: Mapping[str, Any]) -> bytes:
    """A record in Python's own types as bytes. Raises `PoisonMessage` where it breaks its schema."""
    return _encode(_typed(name), name, value)


def encode_wire(name: str, value: Mapping[str, Any]) -> bytes:
    """A record of plain numbers as bytes: the counterpart of `decode_wire`."""
    return _encode(_plain(name), name, value)


def schema_name(data: bytes) -> str:
    """Full name of the schema a record was written with. Raises `PoisonMessage` without a known wire header."""
    return _release(_number(data)).record


def _number(data: bytes) -> int:
    if len(data) < HEADER.size:
        raise PoisonMessage(
            f"{len(data)} bytes are too short for a record", remedy="find the producer that writes without a registry"
        )
    magic, number = HEADER.unpack_from(data)
    if magic != 0:
        raise PoisonMessage(
            f"the first byte is {magic}, not the 0 of the Confluent wire format",
            remedy="find the producer that writes this topic without a registry",
        )
    return int(number)


def _release(number: int) -> Release:
    found = released.by_id(number)
    if found is None:
        raise PoisonMessage(
            f"schema number {number} is unknown",
            remedy="update this program, or register the schema it was written with",
        )
    return found


def _decode(reading: Reading, data: bytes) -> Decoded:
    name, writer, reader, _ = reading
    body = io.BytesIO(data)
    body.seek(HEADER.size)
    try:
        value = _read(body, writer, reader, return_record_name=True, return_record_name_override=True)
    except _UNREADABLE as error:
        raise _unreadable(name, error) from error
    _nothing_follows(name, body, data)
    return Decoded(name, value)


def _unreadable(name: str, error: Exception) -> PoisonMessage:
    return PoisonMessage(
        f"a {name} cannot be read: {error or type(error).__name__}",
        remedy="look at the bytes with `burnline dlq list --json`; the producer wrote a truncated or foreign record",
    )


def _nothing_follows(name: str, body: io.BytesIO, data: bytes) -> None:
    if body.tell() != len(data):
        raise PoisonMessage(
            f"a {name} is followed by {len(data) - body.tell()} bytes that belong to nothing",
            remedy="find the producer: it wrote with another schema than the one it names",
        )


def decode(data: bytes) -> Decoded:
    """A record in Python's own types, as the current schema has it. Raises `PoisonMessage`."""
    return _decode(_typed_reading(_number(data)), data)


def decode_wire(data: bytes) -> Decoded:
    """A record in plain numbers: days and microseconds since 1970, decimals as unscaled big-endian bytes.

    Members of a union of several records come as pairs (full name, fields). Raises `PoisonMessage`.
    """
    return _decode(_plain_reading(_number(data)), data)


class Item(NamedTuple):
    """One record out of an array: its schema's full name, its fields in wire form, and its bytes as a record of its own."""

    name: str
    value: Any
    data: bytes


def decode_items(data: bytes) -> tuple[str, list[Item]]:
    """The schema's name and the items of a record whose only field is an array of a union of records.

    An item's `data` is what `encode_wire` would make of it, for the price of a slice; an item of an older release keeps the number
    of that. Raises `PoisonMessage`.
    """
    name, branches = _branches(_number(data))
    body = io.BytesIO(data)
    body.seek(HEADER.size)
    items: list[Item] = []
    try:
        while count := _long(body):
            if count < 0:  # a block that tells its size in bytes, too
                count = -count
                _long(body)
            for _ in range(count):
                full_name, writer, reader, header = branches[_long(body)]
                begin = body.tell()
                value = _read(body, writer, reader, return_record_name=True, return_record_name_override=True)
                items.append(Item(full_name, value, header + data[begin : body.tell()]))
    except _UNREADABLE as error:
        raise _unreadable(name, error) from error
    _nothing_follows(name, body, data)
    return name, items


@cache
def _branches(number: int) -> tuple[str, dict[int, tuple[str, Any, Any, bytes]]]:
    """The record's name, and the members of its union by their place. Raises `PoisonMessage` for a schema of another shape."""
    release = _release(number)
    members = resolution.members(release)
    if members is None:
        raise PoisonMessage(f"a {release.record} is no list of records", remedy="find who else writes to this topic")
    readings = [_plain_reading(member.wire_id) for member in members]
    return release.record, {
        place: (found.name, found.writer, found.reader, HEADER.pack(0, found.wire_id))
        for place, found in enumerate(readings)
    }


def _long(body: io.BytesIO) -> int:
    """A zigzag variable-length number, as Avro counts blocks and names branches."""
    shift = number = 0
    while True:
        byte = body.read(1)[0]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1)
        shift += 7
