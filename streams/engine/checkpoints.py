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
from typing import Any

import structlog

log = structlog.get_logger()
OLDEST = 12 * 3600.0
"""Seconds: half of the day for which a compacted topic keeps the mark of a deletion."""


@dataclass(slots=True)
class Copy:
    """A state, and the offset of its topic before which every row is in it."""

    state: Any
    offset: int


class Checkpoints:
    """The copies in one folder, all of one release; without a release there are none."""

    def __init__(self, folder: Path, release: str | None) -> None:
        """Make the folder, for its owner alone."""
        self._folder, self._release = folder, release
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def save(self, topic: str, topic_id: str, partition: int, copy: Copy) -> None:
        """Keep a copy in the place of the last. A disk that does not take it is told, and nothing else comes of it."""
        if self._release is None:
            return
        body = pickle.dumps(copy.state, pickle.HIGHEST_PROTOCOL)
        head = {"release": self._release, "topic_id": topic_id, "offset": copy.offset, "crc": zlib.crc32(body)}
        place = self._place(topic, partition)
        beside = place.with_suffix(".new")
        try:
            with open(beside, "wb", opener=_private) as file:
                file.write(json.dumps(head).encode() + b"\n")
                file.write(body)
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
                head, body = json.loads(file.readline()), file.read()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("checkpoint_unreadable", topic=topic, partition=partition, error=str(error))
            return None
        if found.st_uid != os.getuid() or head.get("crc") != zlib.crc32(body):
            log.warning("checkpoint_refused", topic=topic, partition=partition, reason="damaged, or another user's")
            return None
        if time.time() - found.st_mtime > OLDEST:
            return None
        if self._release is None or (head["release"], head["topic_id"]) != (self._release, topic_id):
            return None
        return Copy(pickle.loads(body), head["offset"])  # noqa: S301  written by ourselves, as was just checked

    def _place(self, topic: str, partition: int) -> Path:
        return self._folder / f"{topic}-{partition}.state"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
