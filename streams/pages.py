"""What a worker tells over HTTP: `/health`, `/ready`, `/metrics`, and `/state/<processor>/<subject>`.

All of it is read only. States are about people: `streams.visitors` says who may look. A look-up shows committed state alone: it is answered by the engine, between two batches.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import faust
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.engine.engine import ElsewhereError, Engine
from streams.visitors import SCHEME, why_not

PATIENCE = 10.0
"""Seconds that a look-up waits for the engine: longer than a batch."""
STANDS = 60.0
"""Seconds: beyond the longest that a batch and its transaction may take, as they are set by default."""


def add_pages(app: faust.App, engine: Engine, held: tuple[bytes, ...]) -> None:
    """Serve the pages of this engine from the app's web server; `held` are the tokens that let others than this machine look states up."""

    @app.page("/health")
    async def health(self: Any, _request: Any) -> Any:
        """200 while it gets on: 503 when there has been something to do for `STANDS` seconds and nothing was committed."""
        status = engine.status()
        age = None if status.last_commit is None else round(time.monotonic() - status.last_commit, 3)
        alive = status.stands < STANDS
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

    @app.page("/state/{processor}/{subject}")
    async def state(self: Any, request: Any, processor: str, subject: str) -> Any:
        """The measure of a subject; 404 where it is unknown, or another worker's, which the answer tells apart."""
        if refused := why_not(request.remote, request.headers, held):
            more = {"www-authenticate": SCHEME} if refused.status == 401 else {}
            return self.json({"error": refused.error, "hint": refused.hint}, status=refused.status, headers=more)
        try:
            found = await asyncio.wait_for(asyncio.wrap_future(engine.look_up(processor, subject)), PATIENCE)
        except ElsewhereError as error:
            hint = "ask the other workers of the group: one of them owns the partition"
            return self.json({"error": str(error), "hint": hint}, status=404)
        except KeyError:
            return self.json({"error": f"no processor {processor!r}"}, status=404)
        except TimeoutError:
            return self.json({"error": "the engine is busy or restoring; try again"}, status=503)
        if found is None:
            return self.json({"error": f"{processor} knows no measure of {subject}"}, status=404)
        return self.bytes(json.dumps(found, default=_plain).encode(), headers={"content-type": "application/json"})


def _plain(value: object) -> object:
    """Dates as ISO 8601, decimals as text, so that nothing is rounded."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no place in an answer")
