"""Ports for tests: on loopback, and free when they were asked for."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port that nobody listens on now, for those that take no 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
