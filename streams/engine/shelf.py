"""The subjects of one state that are put away: each as it is, in a file that has no name.

Rules
- The file is a cache and never the truth. Having no name, it ends with the process, however that ends, and nobody else reads it.
- What was put away into a copy of the state (`streams.engine.checkpoints`) is read from there: a restart does not copy it.
- A subject that does not come back as it went ends the worker, which is restored at its next start: a state without it would be wrong.
- A disk that takes no more costs memory, and a warning.
- What came back leaves a hole. Once there are more holes than subjects, those are moved together to a new file.

Not thread-safe: it belongs to whoever owns the state.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Iterable, Mapping
from errno import EIO
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from infra.errors import Transient
from streams.engine.scratch import Opened, Scratch

log = structlog.get_logger()
HOLES = 32_000_000
"""Bytes of holes that are not worth moving anything for."""


class Stored(NamedTuple):
    """Where a subject lies."""

    file: Opened
    offset: int
    length: int
    crc: int


Places = Mapping[str, tuple[int, int, int]]
"""Offset, length and checksum of each subject in one file."""


class Drawer:
    """Subjects by key, in files of this folder. `stored` and `holes` are bytes."""

    def __init__(self, folder: Path) -> None:
        """Begin empty; there is no file before the first subject."""
        self._folder = folder
        self._places: dict[str, Stored] = {}
        self._file: Scratch | None = None
        self.stored = self.holes = 0

    def open(self, file: Opened, places: Places) -> None:
        """Begin with what lies in a copy."""
        self._places = {key: Stored(file, *place) for key, place in places.items()}
        self.stored = sum(length for _, length, _ in places.values())

    def __len__(self) -> int:
        """How many subjects there are."""
        return len(self._places)

    def keys(self) -> Iterable[str]:
        """What is put away."""
        return self._places.keys()

    def read(self, key: str) -> Any | None:
        """A subject, which stays. Raises `Transient` for one that does not come back as it went."""
        place = self._places.get(key)
        if place is None:
            return None
        data = b""
        try:
            data = place.file.read(place.length, place.offset)
        except OSError as error:
            log.warning("put_away_unreadable", error=str(error))
        if zlib.crc32(data) != place.crc:
            raise Transient(
                f"what was put away of {key} cannot be read",
                remedy="none is needed: the worker is restored as it starts again",
            )
        return pickle.loads(data)  # noqa: S301  written by ourselves, as was just checked

    def remove(self, key: str) -> None:
        """Leave a hole."""
        length = self._places.pop(key).length
        self.stored -= length
        self.holes += length
        if self.holes > self.stored + HOLES:
            self._move_together()

    def write(self, key: str, subject: Any) -> bool:
        """Put a subject away; returns whether the disk took it."""
        data = pickle.dumps(subject, pickle.HIGHEST_PROTOCOL)
        try:
            self._places[key] = self._written(data, zlib.crc32(data))
        except OSError as error:
            log.warning("put_away_failed", error=str(error), remedy="make room on the disk of streams.data_dir")
            return False
        self.stored += len(data)
        return True

    def copied(self, write: Callable[[bytes], object], offset: int) -> Places:
        """Write everything as it lies, one after the other; returns where it is, if the first is at this offset. Raises `OSError`."""
        places = {}
        for key, place in sorted(self._places.items(), key=lambda item: item[1].offset):
            data = place.file.read(place.length, place.offset)
            if zlib.crc32(data) != place.crc:
                raise OSError(EIO, f"what was put away of {key} cannot be read")
            write(data)
            places[key] = offset, place.length, place.crc
            offset += place.length
        return places

    def _written(self, data: bytes, crc: int) -> Stored:
        self._file = self._file or Scratch(self._folder)
        return Stored(self._file, self._file.append(data), len(data), crc)

    def _move_together(self) -> None:
        """Move all that is there to a new file; the old ones end with their last subject."""
        before, self._file = self._file, None
        try:
            self._places = {
                key: self._written(place.file.read(place.length, place.offset), place.crc)
                for key, place in self._places.items()
            }
        except OSError as error:
            self._file = before
            log.warning("put_away_failed", error=str(error), remedy="make room on the disk of streams.data_dir")
        self.holes = 0
