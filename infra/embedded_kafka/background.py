"""The broker that outlives the command that started it: `burnline broker start | stop | status`."""

from __future__ import annotations

from collections.abc import Callable

from infra.embedded_kafka.broker import EmbeddedKafka, end_other
from infra.embedded_kafka.folder import Folder, exclusive
from infra.embedded_kafka.properties import HOST
from infra.embedded_kafka.settings import BrokerSettings
from infra.embedded_kafka.state import BrokerState
from infra.errors import Fatal


def status(settings: BrokerSettings) -> BrokerState | None:
    """The broker that runs on this data folder, seen alive just now; None if there is none."""
    return _folder(settings).running()


def running(settings: BrokerSettings) -> str | None:
    """The bootstrap servers of the broker that runs on this data folder; None if there is none."""
    found = status(settings)
    return f"{HOST}:{found.port}" if found else None


def start(settings: BrokerSettings, progress: Callable[[str], None]) -> tuple[BrokerState, bool]:
    """The running broker, and whether this call started it. It goes on when this process ends.

    Raises `Fatal` if it cannot start. Two calls at once start one broker.
    """
    found = status(settings)
    if found:
        return found, False
    broker = embedded(settings, lifeline=False)
    try:
        broker.start(progress)
    except Fatal:
        found = status(settings)
        if found:  # another call was faster
            return found, False
        raise
    found = status(settings)
    if found is None:
        raise Fatal("the embedded broker died just after it started", remedy=f"see {broker.folder.log_file}")
    return found, True


def stop(settings: BrokerSettings) -> BrokerState | None:
    """End the broker of this data folder in order, by force if it does not go; what ran, or None if nothing did."""
    folder = _folder(settings)
    if not folder.root.is_dir():
        return None
    with exclusive(folder.root):
        found = folder.running()
        if found:
            end_other(folder, found)
        else:
            folder.forget()
    return found


def embedded(settings: BrokerSettings, *, lifeline: bool = True) -> EmbeddedKafka:
    """A broker after these settings, not started."""
    return EmbeddedKafka(
        settings.data_dir,
        port=settings.port,
        cache_dir=settings.cache_dir,
        maven_repository=settings.maven_repository,
        heap=settings.heap,
        lifeline=lifeline,
    )


def _folder(settings: BrokerSettings) -> Folder:
    return Folder(settings.data_dir.absolute())
