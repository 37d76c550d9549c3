"""What only one worker of a run may do at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold a lock that all workers of this run see."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
