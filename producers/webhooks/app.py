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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from infra.dead_letters import DEAD_LETTERS
from infra.errors import Transient
from infra.letter_posts import believed
from infra.settings import WebhookSettings
from producers.core.webhook_admission import Gate, Reject, decide, refuse_early
from producers.core.webhook_records import DELIVERIES, ODOO
from producers.core.webhook_sender import Networks, Rate, may_call, sender
from producers.webhooks.entries import ACCEPTED, Answer, Entry
from producers.webhooks.forwarder import Forwarder
from producers.webhooks.http import Receive, Request, Response, Scope, Send, body, request, respond
from producers.webhooks.intake import ODOO_DOOR, Intake, Tables, door_of
from producers.webhooks.keeper import Keeper
from producers.webhooks.spool import Spool

log = structlog.get_logger()
RETRY_AFTER = 5
BUSY = Answer(503, "not kept in time; send it again")
GONE = Response(404, {"error": "not found"})
TAKEN = Response(202)
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


class App:
    """The doors and windows, as an ASGI application."""

    def __init__(self, settings: WebhookSettings, sources: dict[str, Source], store: Store, intake: Intake) -> None:
        """Serve these sources by name; the store stays the caller's to close."""
        self._settings, self._sources, self._store, self._intake = settings, sources, store, intake
        tokens = settings.odoo_token.get_secret_value().split() if settings.odoo_token else []
        self._tokens = [token.encode() for token in tokens]
        self._odoo = Source(ODOO, (), None, settings.odoo_allow, rate(settings.rate))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await respond(send, await self._answer(scope, request(scope, receive)))

    async def _answer(self, scope: Scope, asked: Request) -> Response:
        door, *rest = scope["path"].removeprefix("/").split("/")  # `OPTIONS *` has no slash at all
        match scope["method"], door, rest:
            case "POST", "webhooks", [source]:
                return await self._webhook(asked, source)
            case "POST", "odoo", [token]:
                return await self._hint(asked, token)
            case "GET", "health", []:
                return Response(200, {"status": "ok"})
            case "GET", "ready", []:
                return await self._ready()
            case _, "webhooks" | "odoo", [_]:
                return Response(405, {"error": "POST only"})
        return GONE

    async def _webhook(self, asked: Request, name: str) -> Response:
        """A signed delivery."""
        source = self._sources.get(name)
        if source is None:
            return _rejected(Reject(404, "no such source"), "unknown")
        given = await self._admitted(asked, source)
        if isinstance(given, Reject):
            return _rejected(given, name)
        now = datetime.now(UTC)
        verdict = decide(asked.headers, given, now, source.gate)
        if isinstance(verdict, Reject):
            return _rejected(verdict, name)
        if wait := source.rate.wait(time.monotonic()):
            return _too_often(wait, name)
        retried = believed(asked.headers, door_of(name), verdict.delivery_id)
        entry = self._intake.signed(name, source.tables, verdict.delivery_id, given, now, retried=retried)
        return await self._kept(entry, self._settings.ack_timeout, name)

    async def _hint(self, asked: Request, token: str) -> Response:
        """A post of Odoo's."""
        given_token = token.encode()
        if not any([hmac.compare_digest(given_token, one) for one in self._tokens]):  # noqa: C419  all are compared: no early end to time
            return GONE
        given = await self._admitted(asked, self._odoo)
        if isinstance(given, Reject):
            return _rejected(given, ODOO)
        if wait := self._odoo.rate.wait(time.monotonic()):
            return _too_often(wait, ODOO)
        retried = believed(asked.headers, ODOO_DOOR, None)
        entry = self._intake.unsigned(given, datetime.now(UTC), retried=retried)
        return await self._kept(entry, self._settings.odoo_ack_timeout, ODOO)

    async def _ready(self) -> Response:
        """Deliveries are taken while the spool has room, whether Kafka answers or not; what waits for Kafka is told."""
        waiting = self._store.spool.waiting_bytes
        if waiting >= self._settings.spool_max_bytes:
            return Response(503, {"status": "not ready", "reason": "the spool is full", "waiting_bytes": waiting})
        since = self._store.forwarder.waiting_since
        seconds = 0.0 if since is None else round(time.monotonic() - since, 1)
        told = {"status": "ready", "waiting_bytes": waiting, "waiting_seconds": seconds}
        spoken = {table.topic.name for source in self._sources.values() for table in source.tables}
        names = [DELIVERIES.name, DEAD_LETTERS.name, *sorted(spoken)]
        try:
            await asyncio.to_thread(self._store.forwarder.check, names)
        except Transient as error:
            return Response(200, {**told, "kafka": "away", "reason": str(error), "remedy": error.remedy})
        return Response(200, {**told, "kafka": "answers"})

    async def _admitted(self, asked: Request, source: Source) -> bytes | Reject:
        """The body, where the address and the headers let it in."""
        if source.allow and not may_call(sender(asked.peer, asked.forwarded, self._settings.proxies), source.allow):
            return FORBIDDEN
        limit = self._settings.max_body_bytes
        return refuse_early(asked.headers, limit) or await body(asked.receive, limit)

    async def _kept(self, entry: Entry, patience: float, source: str) -> Response:
        """The answer, or 503 when the disk is slower than `patience` seconds or refuses."""
        try:
            answer = await self._store.keeper.keep(entry, patience)
        except TimeoutError:
            log.warning("webhook_not_kept", source=source, reason=f"not on the disk within {patience} s")
        except Transient as error:
            log.warning("webhook_not_kept", source=source, reason=str(error), remedy=error.remedy)
        else:
            if answer == ACCEPTED:
                return TAKEN
            log.warning("webhook_refused", source=source, status=answer.status, reason=answer.reason)
            return _told(answer)
        return _told(BUSY)


def _rejected(verdict: Reject, source: str) -> Response:
    log.warning("webhook_rejected", source=source, status=verdict.status, reason=verdict.reason)
    return _told(Answer(verdict.status, verdict.reason))


def _too_often(wait: float, source: str) -> Response:
    log.warning("webhook_rejected", source=source, status=429, reason="too often")
    return Response(429, {"error": "too many posts; send it again later"}, math.ceil(wait))


def _told(answer: Answer) -> Response:
    return Response(answer.status, {"error": answer.reason}, RETRY_AFTER if answer.status == 503 else None)


def rate(per_second: float) -> Rate:
    """The rate of a source that may send so many posts a second."""
    return Rate(per_second, max(1.0, per_second * BURST_SECONDS))


def gate(settings: WebhookSettings, secrets: tuple[bytes, ...]) -> Gate:
    """The gate of a sender with these secrets."""
    return Gate(secrets, timedelta(seconds=settings.tolerance), settings.max_body_bytes)
