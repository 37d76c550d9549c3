"""Read ahead: the next page comes in while this one is published."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")
DEPTH = 4


def read_ahead(pages: Iterable[T]) -> Generator[T, None, None]:
    """The same pages in the same order, read by a thread that is at most `DEPTH` ahead.

    What the reading raises is raised here, after the pages before it. Leaving early ends the thread.
    """
    ready: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(DEPTH)
    left = threading.Event()

    reader = threading.Thread(target=_read, args=(pages, ready, left), name="capture-read-ahead", daemon=True)
    reader.start()
    try:
        while True:
            item = ready.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        left.set()
        reader.join()


def _read(pages: Iterable[T], ready: queue.Queue[tuple[T] | BaseException | None], left: threading.Event) -> None:
    try:
        for page in pages:
            if not _put(ready, (page,), left):
                return
        _put(ready, None, left)
    except BaseException as error:  # noqa: BLE001  handed over, and raised by the one who waits
        _put(ready, error, left)


def _put(ready: queue.Queue[T], item: T, left: threading.Event) -> bool:
    """Whether it was taken before the other side left."""
    while not left.is_set():
        try:
            ready.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
