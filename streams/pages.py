"""What a worker tells over HTTP: `/health`, `/ready`, `/metrics`, `/live`, and `/state/<processor>/<subject>`.

All of it is read only. A look-up shows committed state alone: it is answered by the engine, between two batches; that of a subject which
another worker has is answered by a redirect to that worker's page, once: while lanes change hands, two workers may each believe it of
the other. Measures are about people: `streams.visitors` says who may look at them. The figures of `/metrics`, `/health` and `/ready` name nobody, change nothing
and are for whoever reaches the port, under whatever name it calls: a monitor's Host is an address of the network, as with every exporter, and no right hangs on it.
"""

from __future__ import annotations

import asyncio
import functools
import json
import time
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.parse import quote

import faust
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.engine.engine import ElsewhereError, Engine
from streams.live import Live
from streams.visitors import SCHEME, why_not

PATIENCE = 10.0
"""Seconds that a look-up waits for the engine: longer than a batch."""
REDIRECTED = "redirected"
"""What a redirect adds to a look-up, so that it is not redirected again."""
JSON = {"content-type": "application/json"}
BEYOND = 1.5
"""How many times the longest that a batch and its transaction may take a worker may commit nothing, though there is something to do."""

Page: TypeAlias = Callable[..., Awaitable[Any]]


def add_pages(app: faust.App, engine: Engine, live: Live, held: tuple[bytes, ...]) -> None:
    """Serve the pages of this engine from the app's web server; `held` are the tokens that let others than this machine see measures."""
    longest = BEYOND * engine.longest_turn

    @app.page("/live")
    @_guarded(held)
    async def live_view(self: Any, _request: Any) -> Any:
        """The last measures and alerts that this worker committed, newest first."""
        return self.bytes(json.dumps(live.shown(), default=_plain).encode(), headers=JSON)

    @app.page("/health")
    async def health(self: Any, _request: Any) -> Any:
        """200 while it gets on: 503 when there has been something to do for longer than it may take, and nothing was committed."""
        status = engine.status()
        age = None if status.last_commit is None else round(time.monotonic() - status.last_commit, 3)
        alive = status.stands < longest
        answer = {"status": "alive" if alive else "stands", "last_commit_age_seconds": age, "stopped": status.stopped}
        return self.json(answer, status=200 if alive else 503)

    @app.page("/ready")
    async def ready(self: Any, _request: Any) -> Any:
        """200 once every assigned partition is restored, 503 before."""
        status = engine.status()
        answer = {"ready": status.ready, "partitions": status.inputs, "restored": status.restored}
        return self.json(answer, status=200 if status.ready else 503)

    @app.page("/metrics")
    async def metrics(self: Any, _request: Any) -> Any:
        """All figures, for Prometheus."""
        return self.bytes(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})

    _add_look_up(app, engine, held)


def _add_look_up(app: faust.App, engine: Engine, held: tuple[bytes, ...]) -> None:
    @app.page("/state/{processor}/{subject}")
    @_guarded(held)
    async def state(self: Any, request: Any, processor: str, subject: str) -> Any:
        """The measure of a subject; 404 where it has none, 307 to the worker that owns it, 503 while it changes hands."""
        try:
            found = await asyncio.wait_for(asyncio.wrap_future(engine.look_up(processor, subject)), PATIENCE)
        except ElsewhereError as error:
            if error.address is None or REDIRECTED in request.query:
                return self.json({"error": f"{error}; it changes hands, or its worker tells no address"}, status=503)
            place = f"{error.address}/state/{quote(processor, safe='')}/{quote(subject, safe='')}?{REDIRECTED}"
            return self.json({"see": place}, status=307, headers={"location": place})
        except KeyError:
            return self.json({"error": f"no processor {processor!r}"}, status=404)
        except TimeoutError:
            return self.json({"error": "the engine is busy or restoring; try again"}, status=503)
        if found is None:
            return self.json({"error": f"{processor} knows no measure of {subject}"}, status=404)
        return self.bytes(json.dumps(found, default=_plain).encode(), headers=JSON)


def _guarded(held: tuple[bytes, ...]) -> Callable[[Page], Page]:
    """Have a page answer only those who may see measures."""

    def guard(page: Page) -> Page:
        @functools.wraps(page)
        async def guarded(self: Any, request: Any, **named: str) -> Any:
            refused = why_not(request.remote, request.headers, held)
            if refused is None:
                return await page(self, request, **named)
            more = {"www-authenticate": SCHEME} if refused.status == 401 else {}
            return self.json({"error": refused.error, "hint": refused.hint}, status=refused.status, headers=more)

        return guarded

    return guard


def _plain(value: object) -> object:
    """Dates as ISO 8601, decimals as text, so that nothing is rounded."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no place in an answer")
