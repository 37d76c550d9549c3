"""Configuration of Kafka clients, made in one place so that TLS, SASL and isolation are the same everywhere."""

from __future__ import annotations

from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from infra.errors import Fatal, Transient
from infra.settings import KafkaSettings

log = structlog.get_logger()
Config = dict[str, Any]


def client_config(settings: KafkaSettings, **more: Any) -> Config:
    """Settings for any client. `more` is given with underscores for dots: `group_id=…`."""
    if settings.bootstrap_servers is None:
        raise Fatal(
            "no Kafka broker is configured",
            remedy="set BURNLINE_KAFKA__BOOTSTRAP_SERVERS, or run `burnline broker start`",
        )
    config: Config = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "client.id": "burnline",
        "topic.metadata.refresh.interval.ms": 30_000,
        "log_level": 2,  # what matters of the client's own log comes through `error_cb` and exceptions
        "reconnect.backoff.max.ms": 2_000,
    }
    optional = {
        "sasl.mechanism": settings.sasl_mechanism,
        "sasl.username": settings.sasl_username,
        "sasl.password": settings.sasl_password.get_secret_value() if settings.sasl_password else None,
        "ssl.ca.location": settings.ssl_ca_location,
        "ssl.certificate.location": settings.ssl_certificate_location,
        "ssl.key.location": settings.ssl_key_location,
    }
    config |= {key: str(value) for key, value in optional.items() if value is not None}
    callbacks = {"error_cb"}
    return config | {key if key in callbacks else key.replace("_", "."): value for key, value in more.items()}


def quiet(error: KafkaError) -> None:
    """Error callback: the client goes on by itself, with its own back-off, so nothing is decided here."""
    unreachable = error.code() == KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001  the client's public name for it
    (log.warning if unreachable else log.debug)("kafka_client_troubled", error=error.str(), code=error.name())


def consumer(settings: KafkaSettings, *, group: str, **more: Any) -> Consumer:
    """A consumer that sees committed records only, commits nothing by itself, and starts at the beginning."""
    defaults: Config = {
        "group_id": group,
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "auto_offset_reset": "earliest",
    }
    return Consumer(client_config(settings, **{**defaults, **more}, error_cb=quiet))


def producer(settings: KafkaSettings, **more: Any) -> Producer:
    """An idempotent producer whose keys land where the Java clients' do (murmur2)."""
    defaults: Config = {
        "enable_idempotence": True,
        "linger_ms": 5,
        "compression_type": "lz4",
        "partitioner": "murmur2_random",
    }
    return Producer(client_config(settings, **{**defaults, **more}, error_cb=quiet))


def transactional_producer(settings: KafkaSettings, transactional_id: str, *, timeout: float, **more: Any) -> Producer:
    """A producer with the sole right to write under this id: an older one is fenced, its open transaction aborted.

    Raises `Transient` when no broker answers within 30 s.
    """
    made = producer(settings, transactional_id=transactional_id, transaction_timeout_ms=int(timeout * 1000), **more)
    try:
        made.init_transactions(30)
    except KafkaException as error:
        raise Transient(
            f"no transaction can be begun as {transactional_id}: {error.args[0].str()}",
            remedy=f"is a broker listening on {settings.bootstrap_servers}? `burnline broker status` tells",
        ) from error
    return made


def admin(settings: KafkaSettings) -> AdminClient:
    """An admin client."""
    return AdminClient(client_config(settings, error_cb=quiet))


def broker_answers(settings: KafkaSettings, *, timeout: float = 10.0) -> None:
    """Return once a broker answers. Raises `Transient` naming its address when none does in time."""
    try:
        admin(settings).list_topics(timeout=timeout)
    except KafkaException as error:
        raise Transient(
            f"no Kafka broker answers on {settings.bootstrap_servers}: {error.args[0].str()}",
            remedy="start it (`burnline broker start`), or correct BURNLINE_KAFKA__BOOTSTRAP_SERVERS",
        ) from error
