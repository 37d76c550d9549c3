"""A process of Burnline at work in a thread of the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def at_work(work: Callable[[threading.Event], object]) -> Iterator[None]:
    """Do this meanwhile, until the event is set; what it raised is raised in the end."""
    stop, failures = threading.Event(), list[Exception]()

    def target() -> None:
        try:
            work(stop)
        except Exception as error:  # noqa: BLE001  whatever it was, it is raised below
            failures.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()
    if failures:
        raise failures[0]
