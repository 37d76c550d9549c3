"""Figures for Prometheus over HTTP, for processes that are told an address for them. There is no password: keep it to loopback, or to a network of your own.

The Host of a request is not asked, as no exporter asks it: figures hold no word about people and no secret, and to call from this machine gives no right to more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from infra.errors import Fatal

_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):(?P<port>\d{1,5})")


@contextmanager
def served(address: str | None) -> Iterator[None]:
    """Serve this process's figures at `host:port` meanwhile, where there is an address. Raises `Fatal` for one that is none, or that is taken."""
    if address is None:
        yield
        return
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise Fatal(f"{address} is no address for figures", remedy="write it like 127.0.0.1:9464")
    try:
        server, thread = start_http_server(int(found["port"]), found["host"].strip("[]"))
    except (OSError, OverflowError) as error:
        raise Fatal(f"figures cannot be served at {address}: {error}", remedy="name another host or port") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
