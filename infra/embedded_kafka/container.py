"""A broker in a container, where a container engine answers. testcontainers is a development dependency: without it, none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import structlog

log = structlog.get_logger()
ENGINE_TIMEOUT = 3
ENVIRONMENT = {
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
    "KAFKA_TRANSACTION_MAX_TIMEOUT_MS": "120000",
}


@dataclass(frozen=True, slots=True)
class ContainerBroker:
    """A broker in a container that this process started. `version` is the tag of its image."""

    bootstrap_servers: str
    version: str
    stop: Callable[[], None]


def container_broker(progress: Callable[[str], None]) -> ContainerBroker | None:
    """Start a broker in a container; None if no engine answers, testcontainers is not installed, or it does not start."""
    if not engine_answers():
        return None
    try:
        from testcontainers.kafka import KafkaContainer  # noqa: PLC0415  a development dependency, absent in production
    except ImportError:
        return None
    progress("starting Apache Kafka in a container")
    container = KafkaContainer().with_kraft()
    for name, value in ENVIRONMENT.items():
        container.with_env(name, value)
    try:
        container.start()
    # Docker's and testcontainers' errors have no common base, and whichever it is, the embedded broker is at hand.
    except Exception as error:  # noqa: BLE001
        log.warning("container_not_started", error=str(error), consequence="the embedded broker is used")
        container.stop()
        return None
    return ContainerBroker(container.get_bootstrap_server(), container.image.partition(":")[2], container.stop)


def engine_answers() -> bool:
    """Whether a container engine answers here."""
    try:
        # By name: docker ships no types, and is not there at all in production.
        docker: Any = import_module("docker")
    except ImportError:
        return False
    try:
        engine = docker.from_env(timeout=ENGINE_TIMEOUT)
    except docker.errors.DockerException:
        return False
    try:
        return bool(engine.ping())
    except (docker.errors.DockerException, OSError):
        return False
    finally:
        engine.close()
