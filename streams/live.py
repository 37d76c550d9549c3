"""What passes by: a Faust agent that follows this worker's measures and alerts for a live view, and timers that feed it and tell how the worker is.

Nothing that must not be lost goes through here. The engine hands over what it has committed and does not wait; of more than the view
shows, the rest is forgotten. Who needs every measure subscribes to its topic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable
from typing import Any

import faust

from infra.errors import PoisonMessage
from schemas import codec
from streams.engine import metrics
from streams.engine.engine import Engine
from streams.engine.publishing import Published

SHOWN = 100
"""Events that the view shows: the last of them."""
FED = 0.5
"""Seconds by which the view is behind, at most."""
TOLD = 5.0
"""Seconds between two looks at how the engine is."""


class Live:
    """The last events that this worker committed."""

    def __init__(self, app: faust.App, engine: Engine) -> None:
        """Follow this engine from the app's start on."""
        self._engine, self._channel, self._flow = engine, app.channel(), app.flow_control
        self._passing: deque[Published] = deque(maxlen=SHOWN)
        self._last: deque[Published] = deque(maxlen=SHOWN)
        app.agent(self._channel, name="live")(self._follow)
        app.timer(FED, name="live-view")(self._feed)
        app.timer(TOLD, name="engine-status")(self._tell)
        engine.committed = self._passing.extend

    def shown(self) -> list[dict[str, Any]]:
        """Topic, key and content of the last events, the newest first."""
        return [
            {"topic": event.topic, "key": event.key.decode(errors="replace"), "event": _content(event)}
            for event in reversed(self._last)
        ]

    async def _follow(self, batches: AsyncIterable[list[Published]]) -> None:
        async for batch in batches:
            self._last.extend(batch)

    async def _feed(self) -> None:
        batch = []
        while self._passing:
            batch.append(self._passing.popleft())
        if batch:
            self._flow.resume()  # which Faust leaves to its consumer of Kafka, and that is off
            await self._channel.send(value=batch)

    async def _tell(self) -> None:
        status = self._engine.status()
        metrics.READY.set(status.ready)
        metrics.STANDS.set(status.stands)


def _content(event: Published) -> Any:
    try:
        return codec.decode(event.value).value
    except PoisonMessage as error:  # an older edition of a topic, which this release writes and does not read
        return str(error)
