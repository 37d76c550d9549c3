"""The HTTP face: three doors and two windows.

    POST /webhooks/{source}   signed deliveries (Standard Webhooks)
    POST /odoo/{token}        Odoo's unsigned posts; the token in the address is the only secret, so addresses are never logged
    GET  /health              the process answers
    GET  /ready               the process can do its work: Kafka answers, the topics exist

A body is counted while it is read, whatever its Content-Length says. 503 tells a sender to come back: nothing was promised.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.dead_letters import DEAD_LETTERS
from infra.errors import Transient
from infra.settings import WebhookSettings
from producers.core.webhook_admission import Gate, Reject, decide, refuse_early, too_large
from producers.core.webhook_disputes import DISPUTES
from producers.core.webhook_records import DELIVERIES
from producers.webhooks.deliveries import Deliveries
from producers.webhooks.intake import Answer, Intake
from producers.webhooks.outbox import Outbox

log = structlog.get_logger()
READ_TIMEOUT = 10.0
RETRY_AFTER = "5"
BUSY = Answer(503, "not acknowledged in time; send it again")
GONE = Answer(404, "not found")


class Doors:
    """The handlers, and what they share."""

    def __init__(self, settings: WebhookSettings, gates: dict[str, Gate], outbox: Outbox, intake: Intake) -> None:
        """Serve these gates by name of the source."""
        self._settings = settings
        self._gates = gates
        self._outbox = outbox
        self._intake = intake
        self._deliveries: Deliveries[Answer] = Deliveries(settings.remembered)
        self._token = settings.odoo_token.get_secret_value().encode() if settings.odoo_token else None

    async def webhook(self, request: Request) -> Response:
        """A signed delivery."""
        source = request.path_params["source"]
        gate = self._gates.get(source)
        body = await self._read(request) if gate else b""
        if isinstance(body, Reject):
            return _rejected(body, source)
        now = datetime.now(UTC)
        verdict = decide(request.headers, body, now, gate)
        if isinstance(verdict, Reject):
            return _rejected(verdict, source if gate else "unknown")
        work = partial(self._intake.signed, source, verdict.delivery_id, body, now)
        once = self._deliveries.once((source, verdict.delivery_id), work)
        return await _answered(once, self._settings.ack_timeout, source)

    async def odoo(self, request: Request) -> Response:
        """A post of Odoo's: a hint."""
        given = request.path_params["token"].encode()
        if self._token is None or not hmac.compare_digest(given, self._token):
            return _respond(GONE)
        body = await self._read(request)
        if isinstance(body, Reject):
            return _rejected(body, "odoo")
        return await _answered(self._intake.unsigned(body, datetime.now(UTC)), self._settings.odoo_ack_timeout, "odoo")

    async def health(self, _request: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """Kafka answers and the topics exist."""
        try:
            await asyncio.to_thread(self._outbox.check, [DELIVERIES.name, DISPUTES.name, DEAD_LETTERS.name])
        except Transient as error:
            return JSONResponse({"status": "not ready", "reason": str(error), "remedy": error.remedy}, 503)
        return JSONResponse({"status": "ready"})

    async def _read(self, request: Request) -> bytes | Reject:
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


async def _answered(work: Awaitable[Answer], patience: float, source: str) -> Response:
    """The answer, or 503 when Kafka is slower than `patience` seconds or refuses."""
    try:
        return _respond(await asyncio.wait_for(work, patience))
    except TimeoutError:
        log.warning("webhook_not_acknowledged", source=source, reason=f"no acknowledgement within {patience} s")
    except Transient as error:
        log.warning("webhook_not_acknowledged", source=source, reason=str(error), remedy=error.remedy)
    return _respond(BUSY)


def _rejected(verdict: Reject, source: str) -> Response:
    log.warning("webhook_rejected", source=source, status=verdict.status, reason=verdict.reason)
    return _respond(Answer(verdict.status, verdict.reason))


def _respond(answer: Answer) -> Response:
    headers = {"Retry-After": RETRY_AFTER} if answer.status == BUSY.status else None
    if answer.status == 202:
        return Response(status_code=202)
    return JSONResponse({"error": answer.reason}, answer.status, headers)


def gate(settings: WebhookSettings, secrets: tuple[bytes, ...]) -> Gate:
    """The gate of a sender with these secrets."""
    return Gate(secrets, timedelta(seconds=settings.tolerance), settings.max_body_bytes)


def make_app(settings: WebhookSettings, gates: dict[str, Gate], outbox: Outbox, database: str) -> Starlette:
    """The application; `outbox` stays the caller's to close."""
    doors = Doors(settings, gates, outbox, Intake(outbox, database))
    return Starlette(
        routes=[
            Route("/webhooks/{source}", doors.webhook, methods=["POST"]),
            Route("/odoo/{token}", doors.odoo, methods=["POST"]),
            Route("/health", doors.health),
            Route("/ready", doors.ready),
        ]
    )
