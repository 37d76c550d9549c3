"""Does a broker answer, and what does it say it is."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

Client = Mapping[str, str]


def answers(bootstrap_servers: str, client: Client | None = None, *, timeout: float = 5.0) -> bool:
    """True if one of these servers gives the cluster's metadata within `timeout` seconds. Never raises for a silent one."""
    if not client and not any(_listens(server) for server in bootstrap_servers.split(",")):
        return False
    admin = AdminClient(_config(bootstrap_servers, client))
    try:
        return bool(admin.list_topics(timeout=timeout).brokers)
    except KafkaException:
        return False


def _listens(server: str) -> bool:
    host, _, port = server.strip().rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
    except OSError:
        return False
    return True


def _config(bootstrap_servers: str, client: Client | None) -> dict[str, Any]:
    return {**(client or {}), "bootstrap.servers": bootstrap_servers, "log_level": 0, "error_cb": _ignore}


def _ignore(_error: object) -> None:
    """Being silent is an answer here; the caller says so in words."""
