"""Rows as they come from a topic in any order, and then by subject: what does not fit into memory lies on the disk meanwhile.

Rules
- Of a row, only what was said last counts.
- All rows of a subject come in one part, so that each is fetched once, whatever the order was in which they were written.
- What concerns everybody comes first: else every subject that is there had to be looked at again for it.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import structlog

from streams.core.contract import EVERYBODY
from streams.engine.scratch import Scratch
from streams.engine.topology import SEPARATOR

log = structlog.get_logger()
Rows = dict[bytes, bytes | None]
"""By key, the last value of each; None for one that was deleted."""
SIZE = 500
"""Bytes of memory that a row takes here."""
_TO_EVERYBODY = (EVERYBODY + SEPARATOR).encode()
_BETWEEN = SEPARATOR.encode()


class Record(Protocol):
    """The part of a Kafka message that a row is."""

    def partition(self) -> int | None: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...


class Gathering:
    """The rows of one state. `most` of them are kept in memory, or all; about as many as `expected` will come."""

    def __init__(self, folder: Path, most: int | None = None, expected: int = 0) -> None:
        """Begin empty."""
        self._folder, self._most = folder, most
        self._parts = 1 if most is None else 1 + 2 * expected // max(1, most)
        self._everybodys: Rows = {}
        self._rows: Rows = {}
        self._file: Scratch | None = None
        self._chunks: list[list[tuple[int, int]]] = [[] for _ in range(self._parts)]
        self.deleted = False
        """Whether one of them was a deletion."""

    def add(self, key: bytes, value: bytes | None) -> None:
        """Take in a row."""
        if value is None:
            self.deleted = True
        if key.startswith(_TO_EVERYBODY):
            self._everybodys[key] = value
            return
        self._rows[key] = value
        if self._most is not None and len(self._rows) > self._most:
            self._spill()

    def parts(self) -> Iterator[Rows]:
        """Everything, a part at a time."""
        if self._everybodys:
            yield self._everybodys
        if self._file is None:
            yield self._rows
            return
        for chunks, last in zip(self._chunks, self._divided(), strict=True):
            part: Rows = {}
            for offset, length in chunks:
                part |= pickle.loads(self._file.read(length, offset))  # noqa: S301  nobody else can write it
            yield part | last

    def _divided(self) -> list[Rows]:
        """What is in memory, by part."""
        parts: list[Rows] = [{} for _ in range(self._parts)]
        for key, value in self._rows.items():
            parts[zlib.crc32(key[: key.index(_BETWEEN)]) % self._parts][key] = value
        return parts

    def _spill(self) -> None:
        """Move what is in memory to the disk; where that takes no more, all stays here from now on."""
        try:
            self._file = self._file or Scratch(self._folder)
            for chunks, part in zip(self._chunks, self._divided(), strict=True):
                data = pickle.dumps(part, pickle.HIGHEST_PROTOCOL)
                chunks.append((self._file.append(data), len(data)))
        except OSError as error:
            log.warning("restoring_in_memory", error=str(error), remedy="make room on the disk of streams.data_dir")
            self._most = None
            return
        self._rows = {}


def gather(latest: Mapping[int, Gathering], records: Iterable[Record]) -> None:
    """Take rows in, each where its partition's are gathered. What has no key is none."""
    for record in records:
        key, partition = record.key(), record.partition()
        if key is not None and partition is not None:
            latest[partition].add(key, record.value())
