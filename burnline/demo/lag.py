"""The consumer groups' lag for the live view, asked for beside it, since asking takes longer than drawing."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Self

import structlog

from consumers.lag import lag
from infra.errors import Transient
from infra.settings import Settings

log = structlog.get_logger()
EVERY = 3.0


class LagWatch:
    """Records behind, by group. Use as a context manager."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is asked before it is entered."""
        self._settings, self._done = settings, threading.Event()
        self._thread = threading.Thread(target=self._run, name="lag", daemon=True)
        self.by_group: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Ask every few seconds."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ask no more."""
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(EVERY):
            try:
                found = lag(self._settings, looks=1, interval=0)
            except Transient as error:  # a broker that is being restarted: the view shows the last answer
                log.info("lag_unknown", cause=str(error))
                continue
            behind: Counter[str] = Counter()
            for one in found:
                behind[one.group] += one.lag
            self.by_group = dict(behind)
