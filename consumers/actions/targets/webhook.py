"""Signed POSTs (Standard Webhooks) of alerts as CloudEvents. A receiver tells duplicates by `webhook-id`, which is the action's id."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import standardwebhooks

from consumers.actions.http import Http
from consumers.actions.targets.base import Asked, Means
from consumers.core.plan import Planned
from consumers.core.targets.webhook import Webhook, cloud_event
from infra.errors import Fatal
from infra.settings import ActionSettings

CLOUDEVENTS_JSON = "application/cloudevents+json"


def make(asked: Sequence[Asked], means: Means) -> Webhooks:
    """The target. Raises `Fatal` for a secret that is not there, or of no use."""
    return Webhooks(signers(asked, means.settings), means.http)


class Webhooks:
    """Signs with the secret that an action names."""

    idempotent = True

    def __init__(self, secrets: Mapping[str, standardwebhooks.Webhook], http: Http) -> None:
        """Nothing is sent yet."""
        self._secrets = secrets
        self._http = http

    async def check(self) -> None:
        """Receivers are asked nothing but what is to be done."""

    async def act(self, planned: Planned) -> str | None:
        """Deliver."""
        wanted = cast("Webhook", planned.target)
        body = json.dumps(cloud_event(planned.alert), separators=(",", ":"))
        now = datetime.now(UTC)
        headers = {
            "content-type": CLOUDEVENTS_JSON,
            "webhook-id": planned.action_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._secrets[wanted.secret].sign(planned.action_id, now, body),
        }
        return (await self._http.post(wanted.url, body.encode(), headers, wanted.expect)).reference

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


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
