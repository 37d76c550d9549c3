"""What compiled functions call for the values that no single byte holds, and how they say what is wrong with bytes.

Numbers are Avro's: zigzag, seven bits a byte, lowest first. Almost all in our events are small, so the bytes of those are looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NoReturn

from schemas.lines import TimeLine, line_of  # noqa: F401  the texts call them
from schemas.records import DeadLetterReason

if TYPE_CHECKING:
    from mypy_extensions import i64  # a word of the machine, for the compiler alone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()
ONE_BYTE = 64
"""So many symbols or branches fit one byte: ours have far fewer, and a schema with more is refused."""
INT, LONG = 1 << 31, 1 << 63
LONGEST = 10
"""Bytes of the longest number."""
SMALL: Final = tuple((n >> 1) ^ -(n & 1) for n in range(128))
"""The number that a last byte alone stands for."""


class Unreadable(Exception):  # noqa: N818  as `PoisonMessage`, which it becomes: the state of a record
    """Bytes that do not hold what their schema says. `reason` as in a dead letter."""

    def __init__(self, reason: DeadLetterReason, message: str) -> None:
        """Say what kind of fault, and which."""
        super().__init__(message)
        self.reason = reason


class Known(dict[int, Any]):
    """What a byte stands for; a byte that stands for nothing is told by a sentence."""

    def __init__(self, known: Mapping[int, Any], reason: DeadLetterReason, what: str) -> None:
        """Know these, and say `what` of others."""
        super().__init__(known)
        self._reason, self._what = reason, what

    def __missing__(self, byte: int) -> NoReturn:
        """Refuse."""
        raise Unreadable(self._reason, f"{self._what} (byte {byte})")


BOOLEAN: Final = Known({0: False, 1: True}, "malformed", "a boolean is neither true nor false")
FLAGS: Final = {False: b"\0", True: b"\1"}
float4, float8 = Struct("<f").unpack_from, Struct("<d").unpack_from
from_ordinal = date.fromordinal


def short(length: int) -> tuple[DeadLetterReason, str]:
    """What is wrong with a length that leads beyond the end, or back."""
    if length < 0:
        return "malformed", f"a length is {length}"
    return "truncated", f"{length} bytes or items are announced, and it ends before"


def read_long(data: bytes, place: i64, byte: int) -> tuple[int, i64]:
    """The number that begins with `byte`, which stood before `place`; and the place after it."""
    number, shift, end = byte & 0x7F, 7, place + LONGEST - 1
    while place < end:
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), place
        shift += 7
    raise Unreadable("malformed", f"a number has more than {LONGEST} bytes")


_ON = [bytes((n & 0x7F | 0x80, n >> 7 | 0x80)) for n in range(1 << 14)]
"""Fourteen bits that do not end a number."""
_END = [bytes((n & 0x7F | 0x80, n >> 7)) if n > 0x7F else bytes((n,)) for n in range(1 << 14)]
"""Up to fourteen bits that do."""


def encoded(number: int) -> bytes:
    """A number as bytes."""
    rest = (number << 1) ^ (number >> 63)
    if rest < 1 << 28:  # ids and days
        return _ON[rest & 0x3FFF] + _END[rest >> 14] if rest > 0x3FFF else _END[rest]
    if 1 << 42 <= rest < 1 << 56:  # microseconds, of all years that matter
        return _ON[rest & 0x3FFF] + _ON[rest >> 14 & 0x3FFF] + _ON[rest >> 28 & 0x3FFF] + _END[rest >> 42]
    out = b""
    while rest > 0x3FFF:
        out += _ON[rest & 0x3FFF]
        rest >>= 14
    return out + _END[rest]


FREQUENT: Final = {number: encoded(number) for number in range(-64, 8192)}
"""The bytes of numbers that are looked up: minutes, ids of small tables, lengths."""


def sized(length: int) -> bytes:
    """The length of a text or of bytes, as bytes."""
    return FREQUENT.get(length) or encoded(length)


def write_long(number: int) -> bytes:
    """A 64-bit number as bytes. Raises `OverflowError` beyond."""
    if not -LONG <= number < LONG:
        raise OverflowError("beyond 64 bits")
    return encoded(number)


def write_int(number: int) -> bytes:
    """A 32-bit number as bytes. Raises `OverflowError` beyond."""
    if not -INT <= number < INT:
        raise OverflowError("beyond 32 bits")
    return encoded(number)


def micros(moment: datetime) -> int:
    """Microseconds since 1970. Raises `TypeError` for a moment without a time zone: nobody can know which was meant."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@lru_cache(8192)
def write_day(day: date) -> bytes:
    """A day as bytes. Kept: the days of a few years are in all records."""
    return write_int(day.toordinal() - EPOCH_DAY)


def moment(micros: int) -> datetime:
    """An instant in UTC. Raises `OverflowError` beyond the year 9999."""
    return EPOCH + timedelta(0, 0, micros)


class Scale:
    """Decimals of one precision and scale, which travel as whole numbers of their last place."""

    def __init__(self, precision: int, scale: int) -> None:
        """So many digits, so many of them after the point."""
        self._limit, self._scale = 10**precision, scale
        self._said = f"decimal({precision}, {scale})"
        self._exact = Context(prec=max(precision, 1) + scale + 1, traps=[Inexact, InvalidOperation])

    def read(self, data: bytes) -> Decimal:
        """The decimal that these bytes stand for. Raises `Unreadable` where it has more digits than declared."""
        unscaled = int.from_bytes(data, "big", signed=True)
        if not -self._limit < unscaled < self._limit:
            raise Unreadable("wrong_scale", f"a number of {len(data)} bytes has too many digits for a {self._said}")
        return Decimal(unscaled).scaleb(-self._scale, self._exact)

    def write(self, value: Decimal) -> bytes:
        """Its bytes. Raises `ArithmeticError` or `ValueError` where digits would be lost, and `AttributeError` for no decimal."""
        shifted = value.scaleb(self._scale, self._exact)
        if not -self._limit < shifted < self._limit or (unscaled := int(shifted)) != shifted:
            raise ValueError(f"no {self._said}")
        return unscaled.to_bytes((unscaled.bit_length() + 8) // 8, "big", signed=True)


def listed(value: Any) -> list[Any]:
    """A sequence as a list. Raises `TypeError` for anything else: text is a sequence too, of letters nobody meant."""
    if isinstance(value, (list, tuple)):
        return list(value)
    raise TypeError(f"a {type(value).__name__} is no list")
