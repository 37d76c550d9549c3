"""Keeps the embedded broker of the demo alive, as the supervisor does with the other processes, until the context ends.

A start that fails is said and tried again a second later: nobody else would start the broker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

import structlog

from infra import embedded_kafka
from infra.embedded_kafka import BrokerHandle
from infra.embedded_kafka.settings import BrokerSettings
from infra.errors import BurnlineError

log = structlog.get_logger()


class BrokerKeeper:
    """Looks every `period` seconds whether a broker runs on the data folder, and starts one where none does."""

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        choose: Callable[[BrokerSettings], BrokerHandle] = embedded_kafka.choose,
        period: float = 1.0,
    ) -> None:
        """Nothing is watched before the context is entered."""
        self._settings, self._choose, self._period = settings, choose, period
        self._stop = threading.Event()
        self._started: list[BrokerHandle] = []
        self._thread = threading.Thread(target=self._watch, name="broker-keeper", daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching, and stop what was started."""
        self._stop.set()
        self._thread.join()
        for handle in self._started:
            handle.stop()

    def _watch(self) -> None:
        while not self._stop.wait(self._period):
            if embedded_kafka.running(self._settings) is None:
                log.warning("broker_died")
                try:
                    self._started.append(self._choose(self._settings))
                except BurnlineError as error:
                    log.warning("broker_not_started_again", error=str(error), remedy=error.remedy)
