"""HTTP to addresses that a policy names: guarded, verified, limited.

Rules
- The address that a connection is really made to is checked, at the moment it is made: a name that resolves to another one a moment later
  gains nothing by it, nor does a redirect, since none is followed.
- Certificates are verified; proxies of the environment are not used, since they would be the ones to resolve.
- Of an answer no more than `READ` bytes are read, and no longer than the time-out.
- What failed before there was a connection was not done; of what failed after, nobody knows.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import aiohttp

from consumers.actions.targets.failed import TargetFailed
from consumers.core.addresses import why_not_called
from consumers.core.retry import Failure, refused
from consumers.core.targets.expect import READ, Expect, why_not_done
from infra.settings import ActionSettings

IDLE = 2.0
"""Seconds that an unused connection is kept: less than servers do, so that a call rarely meets one that they just closed."""


class AddressRefused(Exception):  # noqa: N818  the guard refused it
    """The guard lets nobody call this address."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that means success, and whether it was longer than what is read."""

    status: int
    body: bytes
    cut: bool

    @property
    def reference(self) -> str:
        """What is recorded of it."""
        return f"HTTP {self.status}" + (f", an answer of more than {READ} bytes" if self.cut else "")


class Http:
    """Posts. Connections are kept for a moment, and belong to one event loop: the one that first posts."""

    def __init__(self, settings: ActionSettings) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], expect: Expect) -> Reply:
        """Deliver the body. Raises `TargetFailed` unless the answer means success."""
        progress = SimpleNamespace(connected=False)
        limit = self._settings.timeout
        try:
            async with (
                asyncio.timeout(limit),
                self._session(url.lower().startswith("https:")).post(
                    url, data=body, headers=headers, allow_redirects=False, trace_request_ctx=progress
                ) as answer,
            ):
                if not expect.accepts(answer.status):
                    answer.close()  # whatever else it says is not read
                    raise TargetFailed(refused(answer.status, answer.headers.get("retry-after"), datetime.now(UTC)))
                content = await _beginning(answer)
        except TimeoutError:
            raise TargetFailed(Failure(f"no answer within {limit:g} s", uncertain=progress.connected)) from None
        except AddressRefused as error:
            raise TargetFailed(Failure(f"{error}; {REMEDY}", final=True)) from None
        except aiohttp.ClientConnectorCertificateError as error:
            reason = f"the certificate of {error.host} is not valid: {error.certificate_error}"
            raise TargetFailed(Failure(reason)) from None
        except aiohttp.ClientConnectorDNSError as error:
            raise TargetFailed(Failure(f"{error.host} has no address: {error.os_error.strerror}")) from None
        except aiohttp.InvalidURL:
            raise TargetFailed(Failure("the address is none that can be called", final=True)) from None
        except aiohttp.ClientResponseError as error:  # its own words hold the address, which may be a secret
            raise TargetFailed(Failure(f"the answer is no HTTP: {error.message}", uncertain=True)) from None
        except (aiohttp.ClientError, OSError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise TargetFailed(Failure(reason, uncertain=progress.connected)) from None
        reply = Reply(answer.status, content[:READ], len(content) > READ)
        problem = why_not_done(expect, reply.status, answer.content_type, reply.body)
        if problem is not None:
            raise TargetFailed(Failure(problem, uncertain=True))
        return reply

    async def close(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            await session.close()

    def _session(self, encrypted: bool) -> aiohttp.ClientSession:
        if encrypted not in self._sessions:
            tracing = aiohttp.TraceConfig()
            tracing.on_connection_create_end.append(_connected)
            tracing.on_connection_reuseconn.append(_connected)
            self._sessions[encrypted] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,  # the gates limit what is under way
                    ssl=_context(self._settings),
                    socket_factory=self._guarded(encrypted=encrypted),
                    happy_eyeballs_delay=None,
                    keepalive_timeout=IDLE,
                    use_dns_cache=False,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                trace_configs=[tracing],
                auto_decompress=False,
            )
        return self._sessions[encrypted]

    def _guarded(self, *, encrypted: bool) -> Any:
        networks = self._settings.allowed_networks

        def connecting(address: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
            family, kind, protocol, _, place = address
            problem = why_not_called(place[0], networks, encrypted=encrypted)
            if problem is not None:
                raise AddressRefused(problem)
            return socket.socket(family, kind, protocol)

        return connecting


REMEDY = "use https and a public address, or name its network in BURNLINE_ACTIONS__ALLOWED_NETWORKS"


async def _connected(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    context.trace_request_ctx.connected = True


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """As much of the answer as is read, and a byte more where there is one; a longer one is hung up on."""
    content = b""
    while len(content) <= READ and (chunk := await answer.content.read(READ + 1 - len(content))):
        content += chunk
    if len(content) > READ:
        answer.close()
    return content


def _context(settings: ActionSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.ssl_ca_location is not None:
        context.load_verify_locations(settings.ssl_ca_location)
    return context
