"""Files that are read by place, and are open for as long as anything in them is used.

A scratch file has no name: it ends with the process, however that ends, and nobody else can open it.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from pathlib import Path
from typing import BinaryIO


class Opened:
    """An open file, whatever becomes of its name. It is closed with its last user."""

    def __init__(self, file: BinaryIO) -> None:
        """Keep this open, though the one who opened it closes it."""
        self._number = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._number)

    def read(self, length: int, offset: int) -> bytes:
        """So many bytes from there, or those that there are. Raises `OSError`."""
        return os.pread(self._number, length, offset)


class Scratch(Opened):
    """A file without a name in a folder."""

    def __init__(self, folder: Path) -> None:
        """Begin empty. Raises `OSError`."""
        with tempfile.TemporaryFile(dir=folder) as file:
            super().__init__(file)
        self._end = 0

    def append(self, data: bytes) -> int:
        """Write this at the end; returns where that was. Raises `OSError`, and then nothing was written."""
        left, at = memoryview(data), self._end
        while left:
            wrote = os.pwrite(self._number, left, at)
            left, at = left[wrote:], at + wrote
        begin, self._end = self._end, at
        return begin
