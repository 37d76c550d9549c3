"""Which broker to use: the configured one, else a container, else the one that Burnline brings along.

A configured broker that does not answer is an error and never a reason to look further: events would silently go elsewhere. A
container engine that is absent is no error; one that answers but cannot run a broker is told of, and then passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from infra.embedded_kafka import background
from infra.embedded_kafka.answering import Client, answers
from infra.embedded_kafka.container import container_broker
from infra.embedded_kafka.jars import KAFKA_VERSION
from infra.embedded_kafka.properties import HOST
from infra.embedded_kafka.settings import BrokerSettings
from infra.errors import Fatal

log = structlog.get_logger()
Kind = Literal["configured", "container", "embedded"]
UNKNOWN_VERSION = "unknown"


@dataclass(frozen=True, slots=True)
class BrokerHandle:
    """A broker that answers. `stop` ends it if this process started it, and does nothing otherwise; it may be called twice."""

    kind: Kind
    version: str
    bootstrap_servers: str
    stop: Callable[[], None]


def choose(
    settings: BrokerSettings,
    *,
    configured: str | None = None,
    client: Client | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> BrokerHandle:
    """A broker that answers, found or started; what was started ends with this process.

    `configured` are the bootstrap servers that the user set, `client` what a client needs to be let in there. The version of
    a configured broker is not known: the protocol does not tell it. Raises `Fatal` when there is none to be had.
    """
    if configured:
        if not answers(configured, client):
            raise Fatal(
                f"no Kafka broker answers on {configured}",
                remedy="start it, or correct BURNLINE_KAFKA__BOOTSTRAP_SERVERS (unset, a broker is brought along)",
            )
        return BrokerHandle("configured", UNKNOWN_VERSION, configured, _leave)
    running = background.status(settings)
    if running:
        return BrokerHandle("embedded", running.version, f"{HOST}:{running.port}", _leave)
    container = container_broker(progress)
    if container:
        return BrokerHandle("container", container.version, container.bootstrap_servers, container.stop)
    broker = background.embedded(settings)
    bootstrap = broker.start(progress)
    return BrokerHandle("embedded", KAFKA_VERSION, bootstrap, lambda: _stop(broker.stop))


def _leave() -> None:
    """It was there before us."""


def _stop(stop: Callable[[], bool]) -> None:
    if not stop():
        log.warning("broker_killed", reason="it did not end in time")
