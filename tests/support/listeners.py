"""Addresses at which nobody answers: one that refuses, and one that takes every connection and says nothing."""

import socket
from contextlib import contextmanager

from tests.support.ports import free_port


@contextmanager
def silent():
    """The port of a listener that is never read from."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


def closed():
    """A port at which nobody listens."""
    return free_port()
