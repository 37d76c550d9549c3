"""Configuration of Kafka clients, made in one place so that TLS, SASL and isolation are the same everywhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from infra.errors import Fatal, Transient
from infra.kafka.failures import refusal
from infra.settings import KafkaSettings

log = structlog.get_logger()
Config = dict[str, Any]
_UNREACHABLE = frozenset({KafkaError._TRANSPORT, KafkaError._RESOLVE})  # noqa: SLF001  the client's public names
A_LOOK = 1.0
"""Seconds after which a look that brought no answer is given up and begun anew, to hear in between of what is refused."""
AGAIN = 2.0
"""Seconds after which a group is told again how far it is, where the broker did not hear it."""
TRANSACTION = 60.0
"""The longest that a transaction may stay open, in seconds; what the streams' may is a setting."""
SWEEP = 30.0
"""Seconds beyond a transaction's time within which a broker surely aborts it: by default it looks every 10."""


def client_config(settings: KafkaSettings, **more: Any) -> Config:
    """Settings for any client. `more` is given with underscores for dots: `group_id=…`.

    Raises `Fatal` for settings that no client can use, naming the variable.
    """
    if settings.bootstrap_servers is None:
        raise Fatal(
            "no Kafka broker is configured",
            remedy="set BURNLINE_KAFKA__BOOTSTRAP_SERVERS, or run `burnline broker start`",
        )
    _complete(settings)
    config: Config = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "client.id": "burnline",
        "topic.metadata.refresh.interval.ms": 30_000,
        "log_level": 2,  # what matters of the client's own log comes through `error_cb` and exceptions
        "reconnect.backoff.max.ms": 2_000,
        "message.max.bytes": settings.max_message_bytes,  # to consumers it is the least that a fetch asks for
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
    callbacks = {"error_cb", "on_commit"}
    return config | {key if key in callbacks else key.replace("_", "."): value for key, value in more.items()}


def _complete(settings: KafkaSettings) -> None:
    """Names and passwords with SASL and only with it, and files that are there: the client itself would say so late, or never."""
    credentials = {
        "SASL_MECHANISM": settings.sasl_mechanism,
        "SASL_USERNAME": settings.sasl_username,
        "SASL_PASSWORD": settings.sasl_password,
    }
    sasl = settings.security_protocol.startswith("SASL")
    for name, value in credentials.items():
        if (value is not None) != sasl:
            protocol = f"BURNLINE_KAFKA__SECURITY_PROTOCOL is {settings.security_protocol}"
            raise Fatal(
                f"{protocol}, and BURNLINE_KAFKA__{name} is {'missing' if sasl else 'set'}",
                remedy=f"set all of {', '.join(credentials)} with SASL_SSL or SASL_PLAINTEXT, none of them without",
            )
    for name in ("ssl_ca_location", "ssl_certificate_location", "ssl_key_location"):
        path: Path | None = getattr(settings, name)
        if path is not None and not path.is_file():
            raise Fatal(f"BURNLINE_KAFKA__{name.upper()}: there is no file {path}", remedy="name a PEM file")


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

    Raises `Transient` when no broker answers within 30 s, `Fatal` when this user may not write under the id.
    """
    made = producer(settings, transactional_id=transactional_id, transaction_timeout_ms=int(timeout * 1000), **more)
    try:
        made.init_transactions(30)
    except KafkaException as error:
        raise refusal(f"beginning transactions as {transactional_id}", error) or Transient(
            f"no transaction can be begun as {transactional_id}: {error.args[0].str()}",
            remedy=f"is a broker listening on {settings.bootstrap_servers}? `burnline broker status` tells",
        ) from error
    return made


def admin(settings: KafkaSettings) -> AdminClient:
    """An admin client."""
    return AdminClient(client_config(settings, error_cb=quiet))


def broker_answers(settings: KafkaSettings, *, timeout: float = 10.0) -> None:
    """Return once a broker answers.

    Raises `Transient` naming its address when none does in time, `Fatal` as soon as one refuses our name, password or certificate.
    """
    troubles: list[KafkaError] = []
    client = AdminClient(client_config(settings, error_cb=troubles.append))
    deadline = time.monotonic() + timeout
    while True:
        left = deadline - time.monotonic()
        try:
            client.list_topics(timeout=max(min(left, A_LOOK), 0.1))
        except KafkaException as error:
            client.poll(0)  # hands out what troubled the client meanwhile
            for trouble in troubles:
                refused = refusal(f"connecting to {settings.bootstrap_servers}", trouble)
                if refused is not None:
                    raise refused from error
            if left <= A_LOOK:
                because = next((one for one in troubles if one.code() in _UNREACHABLE), error.args[0])
                raise Transient(
                    f"no Kafka broker answers on {settings.bootstrap_servers}: {because.str()}",
                    remedy="start it (`burnline broker start`), or correct BURNLINE_KAFKA__BOOTSTRAP_SERVERS or …SECURITY_PROTOCOL",
                ) from error
        else:
            return
