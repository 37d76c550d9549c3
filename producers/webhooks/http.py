"""As much of HTTP as two doors and two windows need, straight on ASGI.

Why no framework: routing, middleware and request objects of the smallest one cost a third of what a post costs in all, and a post is what this
server is for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from producers.core.webhook_admission import Reject, too_large

READ_TIMEOUT = 10.0

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Request(NamedTuple):
    """A request whose body is still to be read. Header names are in lower case; of one that is given twice the first counts."""

    peer: str | None
    headers: dict[str, str]
    forwarded: list[str]
    receive: Receive


class Response(NamedTuple):
    """A status, and what a person or a program reads; nothing for None."""

    status: int
    content: Any = None
    retry_after: int | None = None


def request(scope: Scope, receive: Receive) -> Request:
    """What a scope says."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    forwarded = [value for name, value in headers if name == "x-forwarded-for"]
    peer = scope["client"]
    return Request(peer[0] if peer else None, dict(reversed(headers)), forwarded, receive)


async def body(receive: Receive, limit: int) -> bytes | Reject:
    """The body, counted while it is read."""
    found: bytes = b""
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return Reject(400, "the sender hung up")
                found += message.get("body", b"")
                if len(found) > limit:
                    return too_large(limit)
                if not message.get("more_body"):
                    return found
    except TimeoutError:
        return Reject(408, f"the body did not arrive within {READ_TIMEOUT:.0f} s")


async def respond(send: Send, response: Response) -> None:
    """Send an answer."""
    content = b"" if response.content is None else json.dumps(response.content).encode()
    headers: list[Sequence[bytes]] = [(b"content-length", str(len(content)).encode())]
    if content:
        headers.append((b"content-type", b"application/json"))
    if response.retry_after is not None:
        headers.append((b"retry-after", str(response.retry_after).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
