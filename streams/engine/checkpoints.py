"""Copies of states on the worker's own disk, so that a restart reads of a state's topic only what is newer.

Rules
- A copy says up to which offset of its topic every row is in it. Rows are absolute, so that reading a few of them again changes nothing.
- It is taken only by what would have made the same of the same rows: the same code and policy (`release`), the same topic. Anything
  else, and a copy that is damaged or so old that the topic may have forgotten deletions since, counts as none, and is removed: it may
  hold what was erased everywhere else.
- It is a convenience: a full disk costs a warning. What is committed stands in the topic.
- A file is complete or not there: it is written beside its place and moved. It is read back as the program's own objects, so the
  folder belongs to the worker alone, and a file that is another user's is refused.

Measured with 1,000,000 rows: 1.8 s to write and 1.1 s to read. docs/adr/0031 says why this is no database.
"""

from __future__ import annotations

import json
import os
import pickle
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from streams.engine.scratch import Opened
from streams.engine.shelves import Shelves, shelf_of

log = structlog.get_logger()
OLDEST = 12 * 3600.0
"""Seconds: half of the day for which a compacted topic keeps the mark of a deletion."""


FORMAT = 2
_HEAD = 1024
"""Bytes of a file before the state: what tells whether it may be taken."""
_CHUNK = 1 << 20


@dataclass(slots=True)
class Copy:
    """A state, and the offset of its topic before which every row is in it."""

    state: Any
    offset: int


class Checkpoints:
    """The copies in one folder, all of one release; without a release there are none. States that are read have a shelf of `shelves`."""

    def __init__(self, folder: Path, release: str | None, shelves: Shelves | None = None) -> None:
        """Make the folder, for its owner alone."""
        self._folder, self._release, self.shelves = folder, release, shelves or Shelves(folder)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def save(self, topic: str, topic_id: str, partition: int, copy: Copy) -> None:
        """Keep a copy in the place of the last. A disk that does not take it is told, and nothing else comes of it."""
        if self._release is None:
            return
        place = self._place(topic, partition)
        beside = place.with_suffix(".new")
        head = {"release": self._release, "topic_id": topic_id, "offset": copy.offset}
        try:
            with open(beside, "wb", opener=_private) as file:
                file.seek(_HEAD)
                head |= _written(_Summed(file), copy.state)
                file.seek(0)
                file.write(json.dumps(head).encode().ljust(_HEAD - 1) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(place)
        except OSError as error:
            log.warning("checkpoint_failed", topic=topic, partition=partition, error=str(error))
            beside.unlink(missing_ok=True)

    def load(self, topic: str, topic_id: str, partition: int) -> Copy | None:
        """The last copy, if it may be taken; one that may not is removed."""
        copy = self._taken(topic, topic_id, partition)
        if copy is None:
            self.drop(topic, partition)
        return copy

    def drop(self, topic: str, partition: int) -> None:
        """Remove the copy, if there is one."""
        try:
            self._place(topic, partition).unlink(missing_ok=True)
        except OSError as error:
            log.warning("checkpoint_stays", topic=topic, partition=partition, error=str(error))

    def _taken(self, topic: str, topic_id: str, partition: int) -> Copy | None:
        place = self._place(topic, partition)
        try:
            with place.open("rb") as file:
                found = os.fstat(file.fileno())
                head, whole = _head(file)
                if found.st_uid != os.getuid() or not whole:
                    log.warning(
                        "checkpoint_refused", topic=topic, partition=partition, reason="damaged, or another user's"
                    )
                    return None
                if time.time() - found.st_mtime > OLDEST:
                    return None
                if self._release is None or (head["release"], head["topic_id"]) != (self._release, topic_id):
                    return None
                file.seek(_HEAD)
                state = pickle.load(file)  # noqa: S301  written by ourselves, as was just checked
                file.seek(head["places"])
                return Copy(self.shelves.fit(state, Opened(file), pickle.load(file)), head["offset"])  # noqa: S301  as above
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("checkpoint_unreadable", topic=topic, partition=partition, error=str(error))
            return None

    def _place(self, topic: str, partition: int) -> Path:
        return self._folder / f"{topic}-{partition}.state"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _Summed:
    """Writes to a file, and adds up what it writes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.crc, self.end = file, 0, _HEAD

    def write(self, data: Any) -> int:
        self.crc = zlib.crc32(data, self.crc)
        self.end += memoryview(data).nbytes
        return self._file.write(data)


def _written(file: _Summed, state: Any) -> dict[str, int]:
    """Write a state: what of it is in memory, then what is put away, as it lies, and where that is. Returns what the head tells of it."""
    pickle.dump(state, file, pickle.HIGHEST_PROTOCOL)
    shelf = shelf_of(state)
    places = {} if shelf is None else shelf.drawer.copied(file.write, file.end)
    begin = file.end
    pickle.dump(places, file, pickle.HIGHEST_PROTOCOL)
    return {"format": FORMAT, "places": begin, "crc": file.crc}


def _head(file: BinaryIO) -> tuple[dict[str, Any], bool]:
    """What the head says, and whether all that follows is as it was written."""
    try:
        head = json.loads(file.read(_HEAD))
    except ValueError:
        return {}, False
    crc = 0
    while chunk := file.read(_CHUNK):
        crc = zlib.crc32(chunk, crc)
    return head, isinstance(head, dict) and head.get("format") == FORMAT and head.get("crc") == crc
