"""Where a command finds its broker and its configuration: settings first, then an embedded broker that already runs."""

from __future__ import annotations

from dataclasses import dataclass

from infra import embedded_kafka, logs
from infra.config import read_config
from infra.errors import Fatal
from infra.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of this process, with the broker's address filled in, and the firm's configuration file as read."""

    settings: Settings
    config: dict[str, object]


def with_broker(settings: Settings, bootstrap_servers: str) -> Settings:
    """The same settings, pointed at this broker."""
    return settings.model_copy(
        update={"kafka": settings.kafka.model_copy(update={"bootstrap_servers": bootstrap_servers})}
    )


def use_registry(settings: Settings) -> None:
    """Let the codec use the numbers of the configured registry, if there is one. Raises `Fatal` when they cannot be had."""
    if settings.registry.url is not None:
        from infra.registry.start import install  # a process without a registry does without its client

        install(settings.registry)


def load(*, broker: bool = True, registry: bool = True) -> Environment:
    """The environment of a command. Raises `Fatal` where a broker is needed and none is configured or running.

    A command that reads and writes no records does without the numbers of the schema registry, so that it works while that is down.

    Warnings are logged: a command's result is for a person. A process that runs on configures its own level.
    """
    settings = load_settings()
    logs.configure("warning")
    if broker and settings.kafka.bootstrap_servers is None:
        running = embedded_kafka.running(settings.broker)
        if running is None:
            raise Fatal(
                "no Kafka broker is configured, and the embedded one does not run",
                remedy="run `burnline broker start`, or set BURNLINE_KAFKA__BOOTSTRAP_SERVERS",
            )
        settings = with_broker(settings, running)
    if registry:
        use_registry(settings)
    return Environment(settings, read_config(settings.config))
