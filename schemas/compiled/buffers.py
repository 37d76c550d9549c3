"""What buffered writers call: for compiled code alone, which is where it is fast (`schemas.compiled.buffered`)."""

from __future__ import annotations

from librt.strings import BytesWriter
from mypy_extensions import i64, u8

_LAST: i64 = 0x7F
_INT: i64 = 1 << 31


def put_long(buffer: BytesWriter, number: i64) -> None:
    """A 64-bit number. Raises `OverflowError` beyond, and `TypeError` for what is no number."""
    rest: i64 = (number << 1) ^ (number >> 63)
    while rest & ~_LAST:
        buffer.append(u8((rest & _LAST) | 0x80))
        rest = (rest >> 7) & 0x01FF_FFFF_FFFF_FFFF  # seven bits less of a number without a sign
    buffer.append(u8(rest))


def put_int(buffer: BytesWriter, number: i64) -> None:
    """A 32-bit number. Raises `OverflowError` beyond."""
    if not -_INT <= number < _INT:
        raise OverflowError("beyond 32 bits")
    put_long(buffer, number)


def put_flag(buffer: BytesWriter, flag: bool) -> None:
    """A boolean. Raises `TypeError` for what is none."""
    buffer.append(u8(1) if flag else u8(0))


def put_bytes(buffer: BytesWriter, data: bytes) -> None:
    """Bytes after their number. Raises `TypeError` for what is none."""
    put_long(buffer, len(data))
    buffer.write(data)
