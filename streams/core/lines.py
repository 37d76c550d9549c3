"""The lines of time of one subject, each remembered in a hundred bytes: most of what a worker holds is these.

A line is kept by the number at the end of its record's key, since all of a subject's lines have the same beginning; one that has not
is kept by its whole key. What it said last is packed: when, by which event, and what has to be taken out when it says something else.

Invariant: whatever a key may be, it comes back as it was, and no two records share a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Any

from mypy_extensions import mypyc_attr

from streams.core.contract import Row
from streams.core.state import Mark, SubjectState, shared_key

Key = int | str
_WHEN = Struct("<qq")
_LINE = 210
"""Bytes of memory that a line takes, its part of the sums included."""
_TOO_LONG = 19
"""Digits of no id of Odoo: a text of thousands is no number to Python."""


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class Lines:
    """Packed rows by record. A row is so many bytes, which begin with the version and recorded_at, and the event's id after them."""

    __slots__ = ("_beginning", "_size", "rows")

    def __init__(self, size: int) -> None:
        """Begin without any."""
        self._size = size
        self._beginning = ""
        self.rows: dict[Key, bytes] = {}

    def key(self, record: str) -> Key:
        """By what a record's row is kept."""
        beginning = self._beginning
        if not beginning:
            beginning = self._beginning = record[: record.rfind(":") + 1]
        if not beginning or not record.startswith(beginning):
            return record
        number = record[len(beginning) :]
        if len(number) < _TOO_LONG and number.isdecimal() and number.isascii() and number[0] != "0":
            return int(number)
        return record

    def __contains__(self, record: str) -> bool:
        """Whether there is a row of this record."""
        return self.key(record) in self.rows

    def marks(self) -> Iterator[Mark]:
        """When each was recorded, by which event, and its record."""
        size = self._size
        for key, row in self.rows.items():
            yield _WHEN.unpack_from(row)[1], row[size:].decode(), self._record(key)

    def _record(self, key: Key) -> str:
        return key if isinstance(key, str) else f"{self._beginning}{key}"


@mypyc_attr(serializable=True, allow_interpreted_subclasses=True)
class TimedState(SubjectState):
    """A subject that lines of time count for. `lines` has their rows, `rows` those of all else."""

    __slots__ = ("lines",)

    def __init__(self, key: str, layout: Struct) -> None:
        """Begin without lines."""
        super().__init__(key)
        self.lines = Lines(layout.size)

    def keep(self, kind: str, entry: Any) -> Row | None:
        """Take in a record of another kind. Raises `PoisonMessage` under the key of a line."""
        if entry["record"] in self.lines:
            raise shared_key(entry["record"])
        return super().keep(kind, entry)

    def weight(self) -> int:
        """About how many bytes of memory it takes."""
        return super().weight() + _LINE * len(self.lines.rows)

    def _every_mark(self) -> Iterator[Mark]:
        yield from self.lines.marks()
        yield from super()._every_mark()
