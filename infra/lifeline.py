"""A lifeline from parent to child: a pipe that nobody writes to, and whose end says that the parent is gone.

The parent starts the child with `stdin=PIPE` and keeps the pipe; the kernel closes it with the parent, however that
ends, so that even `kill -9` of the parent leaves nothing running behind.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

PARENT_GONE = 1


def watch_parent(source: int | None = None, leave: Callable[[int], object] = os._exit) -> threading.Thread:
    """Leave the process at once when standard input (or the descriptor `source`) ends. Returns the watching thread.

    It leaves without cleaning up, which is safe here: whatever was not committed is done again after the next start.
    """
    descriptor = sys.stdin.fileno() if source is None else source

    def watch() -> None:
        while os.read(descriptor, 4096):
            pass
        leave(PARENT_GONE)

    thread = threading.Thread(target=watch, name="lifeline", daemon=True)
    thread.start()
    return thread
