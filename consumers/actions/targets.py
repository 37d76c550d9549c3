"""Targets: what carries an action out. Each may be asked twice for the same action, and must then have one effect or be told so.

A webhook's receiver tells duplicates by `webhook-id`, which is the action's id. A slow receiver holds up nobody else: every
address has its own connections.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

import httpx
import structlog
from standardwebhooks import Webhook

from consumers.core.plan import Planned, cloud_event
from consumers.core.policy import Policy
from consumers.core.retry import Failure, refused
from infra.errors import Fatal
from infra.settings import ActionSettings

log = structlog.get_logger()
CLOUDEVENTS_JSON = "application/cloudevents+json"


class TargetFailed(Exception):  # noqa: N818  it failed: the taxonomy's word
    """The target did not do it; `failure` says how, and whether another attempt can help."""

    def __init__(self, failure: Failure) -> None:
        """Keep how it failed."""
        super().__init__(failure.reason)
        self.failure = failure


class Target(Protocol):
    """Carries out actions of one kind."""

    async def act(self, planned: Planned) -> str | None:
        """Do it, and return the effect's id at the target. Raises `TargetFailed`."""

    async def close(self) -> None:
        """Give connections back."""


class Log:
    """A line in the log."""

    async def act(self, planned: Planned) -> str | None:
        """Log the alert."""
        alert = planned.alert["current"]
        log.warning(
            "alert_met_policy",
            status=alert["status"],
            rule=alert["rule"],
            level=alert["level"],
            severity=alert["severity"],
            subject=planned.alert["meta"]["subject"],
            alert_id=alert["alert_id"],
            owner=alert["owner"],
        )
        return None

    async def close(self) -> None:
        """Nothing is held."""


class Webhooks:
    """Signed POSTs (Standard Webhooks) of the alert as a CloudEvent."""

    def __init__(self, secrets: Mapping[str, Webhook], limit: float) -> None:
        """Sign with the secret that a target names; an answer takes `limit` seconds at most."""
        self._secrets = secrets
        self._limit = limit
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def act(self, planned: Planned) -> str | None:
        """Deliver; 2xx is success."""
        url, secret = planned.target.url or "", planned.target.secret or ""
        body = json.dumps(cloud_event(planned.alert), separators=(",", ":"))
        now = datetime.now(UTC)
        headers = {
            "content-type": CLOUDEVENTS_JSON,
            "webhook-id": planned.action_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._secrets[secret].sign(planned.action_id, now, body),
        }
        client = self._client(url)
        try:
            async with (
                asyncio.timeout(self._limit),
                client.stream("POST", url, content=body, headers=headers) as answer,
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


def signers(policy: Policy, settings: ActionSettings) -> dict[str, Webhook]:
    """A signer for each secret that the policy names. Raises `Fatal` for one that is not there, or of no use."""
    made = {}
    for rule in policy.rules:
        for name in {target.secret for target in rule.then if target.secret is not None}:
            setting = f"BURNLINE_ACTIONS__WEBHOOK_SECRETS__{name.upper()}"
            secret = settings.webhook_secrets.get(name)
            if secret is None:
                raise Fatal(f"the policy rule {rule.name} signs with {name}, which is not set", remedy=f"set {setting}")
            try:
                made[name] = Webhook(secret.get_secret_value())
            except (ValueError, RuntimeError) as error:
                raise Fatal(f"{setting} is no secret: {error}", remedy="write it as whsec_<base64>") from None
    return made
