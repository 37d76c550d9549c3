"""Messages by a chat's incoming webhook.

A chat cannot tell a message that comes twice, so one is sent again only where the first was certainly not taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pydantic import SecretStr

from consumers.actions.http import Http
from consumers.actions.targets.base import Asked, Means
from consumers.core.plan import Planned
from consumers.core.targets.chat import Chat
from consumers.core.targets.common import check_url
from consumers.core.targets.expect import Expect
from infra.errors import Fatal


class ChatTarget:
    """Sends what `render` makes of an action to the address of its channel."""

    idempotent = False

    def __init__(
        self, asked: Sequence[Asked], means: Means, render: Callable[[Planned], dict[str, Any]], done: Expect
    ) -> None:
        """Nothing is sent yet. Raises `Fatal` for a channel without an address."""
        self._urls = _addresses(asked, means.settings.chat_urls)
        self._http: Http = means.http
        self._render, self._done = render, done

    async def check(self) -> None:
        """A chat is asked nothing but what is to be done."""

    async def act(self, planned: Planned) -> str | None:
        """Send the message."""
        url = self._urls[cast("Chat", planned.target).channel]
        body = json.dumps(self._render(planned)).encode()
        return (await self._http.post(url, body, {"content-type": "application/json"}, self._done)).reference

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _addresses(asked: Sequence[Asked], urls: Mapping[str, SecretStr]) -> dict[str, str]:
    found = {}
    for one in asked:
        channel = cast("Chat", one.wanted).channel
        setting = f"BURNLINE_ACTIONS__CHAT_URLS__{channel.upper()}"
        secret = urls.get(channel)
        if secret is None:
            raise Fatal(
                f"the policy rule {one.rule} writes to {channel}, which has no address", remedy=f"set {setting}"
            )
        try:
            check_url(secret.get_secret_value())
        except ValueError as error:
            raise Fatal(f"{setting}: {error}", remedy="copy the webhook's address from the chat") from None
        found[channel] = secret.get_secret_value()
    return found
