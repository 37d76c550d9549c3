"""The HTTP face: two doors and two windows.

    POST /webhooks/{source}   signed deliveries (Standard Webhooks)
    POST /odoo/{token}        Odoo's unsigned posts; the token in the address is the only secret, so addresses are never logged
    GET  /health              the process answers
    GET  /ready               the process takes deliveries; and whether Kafka has them already, for a person

A body is counted while it is read, whatever its Content-Length says. An answer of 2xx says that the post is on the disk; 503 tells a
sender to come back: nothing was promised.
"""

from __future__ import annotations

import asyncio
import hmac
import math
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.dead_letters import DEAD_LETTERS
from infra.errors import Transient
from infra.settings import WebhookSettings
from producers.core.webhook_admission import Gate, Reject, decide, refuse_early, too_large
from producers.core.webhook_records import DELIVERIES, ODOO
from producers.core.webhook_sender import Networks, Rate, may_call, sender
from producers.webhooks.entries import Answer
from producers.webhooks.forwarder import Forwarder
from producers.webhooks.intake import Intake, Tables
from producers.webhooks.keeper import Keeper
from producers.webhooks.spool import Spool

log = structlog.get_logger()
READ_TIMEOUT = 10.0
RETRY_AFTER = 5
BUSY = Answer(503, "not kept in time; send it again")
GONE = Answer(404, "not found")
FORBIDDEN = Reject(403, "this source may not call from this address")
BURST_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Source:
    """One sender: what it may speak of, what its deliveries are held against, where it may call from, and how often. Odoo has no gate."""

    name: str
    tables: Tables
    gate: Gate | None
    allow: Networks
    rate: Rate


@dataclass(frozen=True, slots=True)
class Store:
    """Where accepted posts go."""

    spool: Spool
    keeper: Keeper
    forwarder: Forwarder


class Doors:
    """The handlers, and what they share."""

    def __init__(self, settings: WebhookSettings, sources: dict[str, Source], store: Store, intake: Intake) -> None:
        """Serve these sources by name."""
        self._settings, self._sources, self._store, self._intake = settings, sources, store, intake
        tokens = settings.odoo_token.get_secret_value().split() if settings.odoo_token else []
        self._tokens = [token.encode() for token in tokens]
        self._odoo = Source(ODOO, (), None, settings.odoo_allow, rate(settings.rate))

    async def webhook(self, request: Request) -> Response:
        """A signed delivery."""
        source = self._sources.get(request.path_params["source"])
        if source is None:
            return _rejected(Reject(404, "no such source"), "unknown")
        body = await self._admitted(request, source)
        if isinstance(body, Reject):
            return _rejected(body, source.name)
        now = datetime.now(UTC)
        verdict = decide(request.headers, body, now, source.gate)
        if isinstance(verdict, Reject):
            return _rejected(verdict, source.name)
        if wait := source.rate.wait(time.monotonic()):
            return _too_often(wait, source.name)
        entry = self._intake.signed(source.name, source.tables, verdict.delivery_id, body, now)
        return await _answered(self._store.keeper.keep(entry), self._settings.ack_timeout, source.name)

    async def odoo(self, request: Request) -> Response:
        """A post of Odoo's: a hint."""
        given = request.path_params["token"].encode()
        if not any([hmac.compare_digest(given, token) for token in self._tokens]):  # noqa: C419  all are compared: no early end to time
            return _respond(GONE)
        body = await self._admitted(request, self._odoo)
        if isinstance(body, Reject):
            return _rejected(body, ODOO)
        if wait := self._odoo.rate.wait(time.monotonic()):
            return _too_often(wait, ODOO)
        entry = self._intake.unsigned(body, datetime.now(UTC))
        return await _answered(self._store.keeper.keep(entry), self._settings.odoo_ack_timeout, ODOO)

    async def health(self, _request: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """Deliveries are taken while the spool has room, whether Kafka answers or not; what waits for Kafka is told."""
        waiting = self._store.spool.waiting_bytes
        if waiting >= self._settings.spool_max_bytes:
            return JSONResponse({"status": "not ready", "reason": "the spool is full", "waiting_bytes": waiting}, 503)
        since = self._store.forwarder.waiting_since
        told = {"status": "ready", "waiting_bytes": waiting, "waiting_seconds": _age(since)}
        try:
            spoken = {table.topic.name for source in self._sources.values() for table in source.tables}
            names = [DELIVERIES.name, DEAD_LETTERS.name, *sorted(spoken)]
            await asyncio.to_thread(self._store.forwarder.check, names)
        except Transient as error:
            return JSONResponse({**told, "kafka": "away", "reason": str(error), "remedy": error.remedy})
        return JSONResponse({**told, "kafka": "answers"})

    async def _admitted(self, request: Request, source: Source) -> bytes | Reject:
        """The body, where the address and the headers let it in."""
        peer = request.client.host if request.client else None
        address = sender(peer, request.headers.getlist("x-forwarded-for"), self._settings.proxies)
        if not may_call(address, source.allow):
            return FORBIDDEN
        limit = self._settings.max_body_bytes
        early = refuse_early(request.headers, limit)
        if early is not None:
            return early
        body = bytearray()
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        return too_large(limit)
        except TimeoutError:
            return Reject(408, f"the body did not arrive within {READ_TIMEOUT:.0f} s")
        except ClientDisconnect:
            return Reject(400, "the sender hung up")
        return bytes(body)


def _age(since: float | None) -> float:
    return 0.0 if since is None else round(time.monotonic() - since, 1)


async def _answered(kept: Awaitable[Answer], patience: float, source: str) -> Response:
    """The answer, or 503 when the disk is slower than `patience` seconds or refuses."""
    try:
        answer = await asyncio.wait_for(kept, patience)
    except TimeoutError:
        log.warning("webhook_not_kept", source=source, reason=f"not on the disk within {patience} s")
    except Transient as error:
        log.warning("webhook_not_kept", source=source, reason=str(error), remedy=error.remedy)
    else:
        if answer.status != 202:
            log.warning("webhook_refused", source=source, status=answer.status, reason=answer.reason)
        return _respond(answer)
    return _respond(BUSY)


def _rejected(verdict: Reject, source: str) -> Response:
    log.warning("webhook_rejected", source=source, status=verdict.status, reason=verdict.reason)
    return _respond(Answer(verdict.status, verdict.reason))


def _too_often(wait: float, source: str) -> Response:
    log.warning("webhook_rejected", source=source, status=429, reason="too often")
    return _respond(Answer(429, "too many posts; send it again later"), math.ceil(wait))


def _respond(answer: Answer, retry_after: int = RETRY_AFTER) -> Response:
    headers = {"Retry-After": str(retry_after)} if answer.status in {429, 503} else None
    if answer.status == 202:
        return Response(status_code=202)
    return JSONResponse({"error": answer.reason}, answer.status, headers)


def rate(per_second: float) -> Rate:
    """The rate of a source that may send so many posts a second."""
    return Rate(per_second, max(1.0, per_second * BURST_SECONDS))


def gate(settings: WebhookSettings, secrets: tuple[bytes, ...]) -> Gate:
    """The gate of a sender with these secrets."""
    return Gate(secrets, timedelta(seconds=settings.tolerance), settings.max_body_bytes)


def make_app(settings: WebhookSettings, sources: dict[str, Source], store: Store, intake: Intake) -> Starlette:
    """The application; the store stays the caller's to close."""
    doors = Doors(settings, sources, store, intake)
    return Starlette(
        routes=[
            Route("/webhooks/{source}", doors.webhook, methods=["POST"]),
            Route("/odoo/{token}", doors.odoo, methods=["POST"]),
            Route("/health", doors.health),
            Route("/ready", doors.ready),
        ]
    )
