"""What capture is doing, told on Kafka when it changes and now and then, for `burnline status` and whoever watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from infra.odoo.client import Odoo
from producers.capture.pipeline import Pipeline
from schemas.records import CaptureState, CaptureStatus

EVERY = 10.0


class Status:
    """The present state, and since when."""

    def __init__(self, pipeline: Pipeline, odoo: Odoo, poll_seconds: Callable[[], float]) -> None:
        """Loading, since now; nothing is told yet."""
        self._pipeline, self._odoo, self._poll_seconds = pipeline, odoo, poll_seconds
        self._state: CaptureState = "loading"
        self._since = datetime.now(UTC)
        self._told: tuple[object, ...] | None = None
        self._told_at = 0.0

    def tell(self, state: CaptureState, why: str | None = None) -> None:
        """Take in the state; it is written when something of it changed, or was not told for a while."""
        if state != self._state:
            self._state, self._since = state, datetime.now(UTC)
        trouble = self._odoo.breaker.trouble
        news = (state, why, trouble is not None and trouble.open)
        now = time.monotonic()
        if news == self._told and now < self._told_at + EVERY:
            return
        told: CaptureStatus = {
            "state": state,
            "since": min(self._since, trouble.since) if trouble is not None and state == "waiting" else self._since,
            "why": why,
            "failures": trouble.failures if trouble is not None else 0,
            "breaker_open": trouble is not None and trouble.open,
            "url": self._odoo.url,
            "transport": self._odoo.transport.name,
            "poll_millis": round(self._poll_seconds() * 1000),
            "told_at": datetime.now(UTC),
        }
        self._pipeline.keep([self._pipeline.status(told)])
        self._told, self._told_at = news, now
