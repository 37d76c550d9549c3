"""Signed POSTs (Standard Webhooks) of alerts as CloudEvents.

A receiver tells duplicates by `webhook-id`, which is the action's id. A slow receiver holds up nobody else: every address has its own
connections.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import httpx
import standardwebhooks

from consumers.actions.targets.base import Asked, Means
from consumers.actions.targets.failed import TargetFailed
from consumers.core.plan import Planned
from consumers.core.retry import Failure, refused
from consumers.core.targets.webhook import Webhook, cloud_event
from infra.errors import Fatal
from infra.settings import ActionSettings

CLOUDEVENTS_JSON = "application/cloudevents+json"


def make(asked: Sequence[Asked], means: Means) -> Webhooks:
    """The target. Raises `Fatal` for a secret that is not there, or of no use."""
    return Webhooks(signers(asked, means.settings), means.settings.timeout)


class Webhooks:
    """Signed POSTs (Standard Webhooks) of the alert as a CloudEvent."""

    def __init__(self, secrets: Mapping[str, standardwebhooks.Webhook], limit: float) -> None:
        """Sign with the secret that a target names; an answer takes `limit` seconds at most."""
        self._secrets = secrets
        self._limit = limit
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def check(self) -> None:
        """Receivers are asked nothing but what is to be done."""

    async def act(self, planned: Planned) -> str | None:
        """Deliver; 2xx is success."""
        wanted = cast("Webhook", planned.target)
        body = json.dumps(cloud_event(planned.alert), separators=(",", ":"))
        now = datetime.now(UTC)
        headers = {
            "content-type": CLOUDEVENTS_JSON,
            "webhook-id": planned.action_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._secrets[wanted.secret].sign(planned.action_id, now, body),
        }
        client = self._client(wanted.url)
        try:
            async with (
                asyncio.timeout(self._limit),
                client.stream("POST", wanted.url, content=body, headers=headers) as answer,
            ):
                status, retry_after = answer.status_code, answer.headers.get("retry-after")
        except (TimeoutError, httpx.TimeoutException):
            raise TargetFailed(Failure(f"no answer within {self._limit:g} s")) from None
        except httpx.TransportError as error:
            raise TargetFailed(Failure(f"{type(error).__name__}: {error}")) from error
        if not 200 <= status < 300:
            raise TargetFailed(refused(status, retry_after, now))
        return f"HTTP {status}"

    def _client(self, url: str) -> httpx.AsyncClient:
        if url not in self._clients:
            self._clients[url] = httpx.AsyncClient(timeout=self._limit)
        return self._clients[url]

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()


def signers(asked: Sequence[Asked], settings: ActionSettings) -> dict[str, standardwebhooks.Webhook]:
    """A signer for each secret that the policy names. Raises `Fatal` for one that is not there, or of no use."""
    made = {}
    for one in asked:
        name = cast("Webhook", one.wanted).secret
        setting = f"BURNLINE_ACTIONS__WEBHOOK_SECRETS__{name.upper()}"
        secret = settings.webhook_secrets.get(name)
        if secret is None:
            raise Fatal(f"the policy rule {one.rule} signs with {name}, which is not set", remedy=f"set {setting}")
        try:
            made[name] = standardwebhooks.Webhook(secret.get_secret_value())
        except (ValueError, RuntimeError) as error:
            raise Fatal(f"{setting} is no secret: {error}", remedy="write it as whsec_<base64>") from None
    return made
