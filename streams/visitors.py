"""Who may see measures, looked up or as they pass by: they are about people, and the port is that of `/metrics`, which a monitor reaches from elsewhere.

Rules, in this order; the first that holds decides
1. who has the token may look, from anywhere
2. on this machine: a peer and a Host that are loopback, and no proxy that speaks for another, may look without one. The Host is asked,
   since a page in somebody's browser can have a name of its own lead to 127.0.0.1
3. nobody else may
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from infra.errors import Fatal

SETTING = "BURNLINE_STREAMS__STATE_TOKEN"
LEAST_TOKEN = 32
PROXIED = ("forwarded", "x-forwarded-for")
SCHEME = "bearer"


class Refused(NamedTuple):
    """The HTTP status, why, and what to do."""

    status: int
    error: str
    hint: str


def tokens(given: SecretStr | None) -> tuple[bytes, ...]:
    """The tokens in force; apart by a space, while one replaces another. Raises `Fatal` for one that could be guessed."""
    found = tuple(word.encode() for word in given.get_secret_value().split()) if given else ()
    if given is not None and (not found or any(len(one) < LEAST_TOKEN for one in found)):
        raise Fatal(
            f"{SETTING} has fewer than {LEAST_TOKEN} characters",
            remedy="make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return found


def why_not(peer: str | None, headers: Mapping[str, str], held: tuple[bytes, ...]) -> Refused | None:
    """Why this request is turned away; None where it may look. `peer` is the address it came from; header names are in any case that `headers` takes."""
    scheme, _, word = headers.get("authorization", "").partition(" ")
    given = word.strip().encode() if scheme.lower() == SCHEME else b""
    if any([hmac.compare_digest(given, one) for one in held]):  # noqa: C419  all are compared: no early end to time
        return None
    proxied = any(name in headers for name in PROXIED)
    if not given and not proxied and _is_loopback(peer or "") and _is_here(headers.get("host", "")):
        return None
    if not held:
        return Refused(
            403, "states are shown on this machine alone", f"set {SETTING} here, and send it as a bearer token"
        )
    return Refused(401, "a bearer token is needed", f"send `Authorization: Bearer …` with the token in {SETTING}")


def _is_here(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or _is_loopback(name)


def _is_loopback(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
