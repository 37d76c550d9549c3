"""The one way in and out: Avro in the Confluent wire format (a zero byte, the schema's number, the body).

Rules
- Every record that enters is decoded here; what cannot be decoded is a `PoisonMessage` that says why, in words and as a `reason`.
- `decode` gives Python's own types. `decode_wire` gives the same fields unconverted, a third faster, for the hot path.
- UUIDs are strings in Python: they are compared and passed on, never computed with.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

from schemas import catalogue, numbering, resolution
from schemas.breach import breach
from schemas.compiled import Kept, Read, Unreadable, Unresolvable, Write, compile_reader, compile_writer
from schemas.compiled.values import SMALL, Known, read_long, sized
from schemas.errors import PoisonMessage
from schemas.records import DeadLetterReason
from schemas.released import Release

HEADER = struct.Struct(">BI")
_FAULTS = (Unreadable, IndexError, ValueError, OverflowError)
_BREACHES = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)


class Decoded(NamedTuple):
    """A decoded record: the full name of its schema, and its fields."""

    name: str
    value: Any


def encode(name: str, value: Mapping[str, Any]) -> bytes:
    """A record in Python's own types as bytes. Raises `PoisonMessage` that names the field where it breaks its schema.

    A field that is left out takes its default. Members of a union of several records are pairs (full name, fields).
    """
    return _encode(name, value, as_written=False)


def encode_wire(name: str, value: Mapping[str, Any]) -> bytes:
    """A record of plain numbers as bytes: the counterpart of `decode_wire`."""
    return _encode(name, value, as_written=True)


def _encode(name: str, value: Mapping[str, Any], *, as_written: bool) -> bytes:
    header, write = (_plain_writers if as_written else _typed_writers)[name]
    parts = [header]
    try:
        write(value, parts.extend)
        return b"".join(parts)
    except _BREACHES as error:
        found = breach(catalogue.load(name), value, as_written=as_written)
        raise PoisonMessage(
            f"a {name} breaks its schema: {found or type(error).__name__}",
            remedy="compare the record with schemas/avro and mend its source",
            reason=found.reason if found else "breaks_schema",
        ) from error


class _Writers(dict[str, tuple[bytes, Write]]):
    """The header and the writer of a record, by its full name; made when the first one is written."""

    def __init__(self, *, as_written: bool) -> None:
        super().__init__()
        self._as_written = as_written

    def __missing__(self, name: str) -> tuple[bytes, Write]:
        header = HEADER.pack(0, numbering.current().on_wire(resolution.writing_id(name)))
        self[name] = made = header, compile_writer(catalogue.load(name), as_written=self._as_written)
        return made


_typed_writers, _plain_writers = _Writers(as_written=False), _Writers(as_written=True)


def schema_name(data: bytes) -> str:
    """Full name of the schema a record was written with. Raises `PoisonMessage` without a known wire header."""
    return _release(data).record


def _release(data: bytes) -> Release:
    """The release that a record names."""
    if len(data) < HEADER.size:
        raise PoisonMessage(
            f"{len(data)} bytes are too short for a record",
            remedy="find the producer that writes without a registry",
            reason="truncated" if data else "empty",
        )
    magic, number = HEADER.unpack_from(data)
    if magic != 0:
        raise PoisonMessage(
            f"the first byte is {magic}, not the 0 of the Confluent wire format",
            remedy="find the producer that writes this topic without a registry",
            reason="wrong_magic",
        )
    return numbering.current().release(number)


class _Readers(dict[bytes, tuple[str, Read]]):
    """The name and the reader that five bytes of header stand for; made when the first such record comes."""

    def __init__(self, *, as_written: bool, kept: Kept | None = None) -> None:
        super().__init__()
        self._as_written, self._kept = as_written, kept

    def __missing__(self, header: bytes) -> tuple[str, Read]:
        release = _release(header)
        name, writer, reader, _ = resolution.reading(release)
        try:
            found = name, compile_reader(writer, reader, as_written=self._as_written, kept=self._kept)
        except Unresolvable as error:
            raise PoisonMessage(
                f"{release} cannot be read as this program's: {error}",
                remedy="update this program to the schema it was written with; what breaks readers takes a new topic",
                reason=error.reason,
            ) from error
        self[header] = found
        return found


_typed, _plain = _Readers(as_written=False), _Readers(as_written=True)
_partial: list[_Readers] = []


def decode(data: bytes) -> Decoded:
    """A record in Python's own types. Raises `PoisonMessage`."""
    return _decode(_typed, data)


def decode_wire(data: bytes) -> Decoded:
    """A record in plain numbers: days and microseconds since 1970, decimals as unscaled big-endian bytes.

    Members of a union of several records come as pairs (full name, fields). Raises `PoisonMessage`.
    """
    return _decode(_plain, data)


def decode_plain(data: bytes) -> tuple[str, Any]:
    """A `decode_wire` for the hot path: a bare pair, name and fields."""
    return _decoded(_plain, data)


def decoder(kept: Kept) -> Callable[[bytes], tuple[str, Any]]:
    """A `decode_wire` that reads, of the records that `kept` names, only these fields, and passes over the rest. Make one and keep it.

    It returns a bare pair, name and fields.
    """
    readers = _Readers(as_written=True, kept=kept)
    _partial.append(readers)
    return partial(_decoded, readers)


def decode_as(name: str, data: bytes) -> Any:
    """The fields of a record that must be of this schema, in Python's own types. Raises `PoisonMessage`, also for another one."""
    found, value = decode(data)
    if found != name:
        raise PoisonMessage(
            f"a {found} stands where a {name} is due",
            remedy="find the producer that writes to the wrong topic",
            reason="wrong_record",
        )
    return value


def _decode(readers: _Readers, data: bytes) -> Decoded:
    return Decoded(*_decoded(readers, data))


def _decoded(readers: _Readers, data: bytes) -> tuple[str, Any]:
    name, read = readers[data[:5]]
    end = len(data)
    try:
        value, place = read(data, 5, end)
    except _FAULTS as error:
        raise _unreadable(name, end, error) from error
    if place != end:
        raise _followed(name, end - place)
    return name, value


def _unreadable(name: str, size: int, error: Exception) -> PoisonMessage:
    reason: DeadLetterReason = "malformed"
    what = str(error)
    if isinstance(error, Unreadable):
        reason = error.reason
    elif isinstance(error, IndexError):
        reason, what = "truncated", f"it ends after {size} bytes, within a field"
    return PoisonMessage(
        f"a {name} cannot be read: {what}",
        remedy="look at the bytes with `burnline dlq show ID --personal --json`; the producer wrote a truncated or foreign record",
        reason=reason,
    )


def _followed(name: str, rest: int) -> PoisonMessage:
    return PoisonMessage(
        f"a {name} is followed by {rest} bytes that belong to nothing",
        remedy="find the producer: it wrote with another schema than the one it names",
        reason="malformed",
    )


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
    name, branches = _branches(data[: HEADER.size])
    end = len(data)
    items: list[Item] = []
    try:
        count, place = _number(data, HEADER.size)
        while count:
            if count < 0:  # a block that tells its size in bytes, too
                count = -count
                _, place = _number(data, place)
            for _ in range(count):
                full_name, read, header = branches[data[place]]
                begin = place + 1
                value, place = read(data, begin, end)
                items.append(Item(full_name, value, header + data[begin:place]))
            count, place = _number(data, place)
    except _FAULTS as error:
        raise _unreadable(name, end, error) from error
    if place != end:
        raise _followed(name, end - place)
    return name, items


@cache
def _branches(header: bytes) -> tuple[str, Known]:
    """The record's name, and the members of its union by the byte that names each. Raises `PoisonMessage` for another shape."""
    release = _release(header)
    members = resolution.members(release)
    if members is None:
        raise PoisonMessage(
            f"a {release.record} is no list of records",
            remedy="find who else writes to this topic",
            reason="wrong_record",
        )
    headers = [HEADER.pack(0, numbering.current().on_wire(member.wire_id)) for member in members]
    found = {2 * place: (*_plain[each], each) for place, each in enumerate(headers)}
    return release.record, Known(found, "malformed", "the union has no such member")


def with_first_text(data: bytes, text: str) -> bytes:
    """The same record with another text in its first field, which must be one: a copy, for a fifth of what encoding costs."""
    encoded = text.encode()
    length, place = _number(data, HEADER.size)
    return b"".join((data[: HEADER.size], sized(len(encoded)), encoded, data[place + length :]))


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number, as Avro counts blocks, and the place after it."""
    byte = data[place]
    return (SMALL[byte], place + 1) if byte < 0x80 else read_long(data, place + 1, byte)


def _forget() -> None:
    for readers in (_typed, _plain, *_partial):
        readers.clear()
    for writers in (_typed_writers, _plain_writers):
        writers.clear()
    _branches.cache_clear()


numbering.when_changed(_forget)
