"""How calls get to Odoo: one small interface, and the choice among those who serve it, made by asking the server.

`/jsonrpc` is deprecated in Odoo 19 and goes in a later release. Its successor JSON-2 takes the same words with an API key. So
`auto` asks whether the server takes our secret as a JSON-2 key, and uses JSON-RPC where it does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from infra.errors import Fatal
from infra.settings import OdooSettings


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, without the name and password that an address may hold."""

    url: str
    host: str
    port: int
    tls: bool


class Transport(Protocol):
    """One way to call. May be shared by threads. Every method raises `Transient` or `Fatal` with a remedy."""

    name: str
    database: str

    def open(self) -> None:
        """Log in, or make sure that the key is taken; find the only database of a server where none is configured."""

    def version(self) -> str:
        """The server's version, for example 19.0."""

    def databases(self) -> list[str]:
        """The databases the server tells of; none where listing is forbidden."""

    def call(self, model: str, method: str, ids: Sequence[int] | None, named: Mapping[str, Any]) -> Any:
        """The answer of a method, on records or (`ids` None) on the model. Raises `SessionEnded` where logging in again helps."""


def address(url: str | None) -> Address:
    """The parts of ODOO_URL. Raises `Fatal` for what is no address."""
    try:
        parts = urlsplit(url or "")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in {"http", "https"}:
        told = (url or "").rpartition("@")[2]  # what stands before may be a password
        raise Fatal(f"ODOO_URL is no address: {told}", remedy="write it like https://odoo.example.com")
    tls = parts.scheme == "https"
    bare = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return Address(bare, host, port or (443 if tls else 80), tls)


def secret_of(settings: OdooSettings) -> str:
    """The password or API key. Raises `Fatal` where there is none."""
    if settings.password is None:
        raise Fatal("no password for Odoo is configured", remedy="set ODOO_PASSWORD (an API key will do)")
    return settings.password.get_secret_value()


def the_only(names: list[str], url: str) -> str:
    """The one database there is. Raises `Fatal` where there are others, or where the server tells of none."""
    if len(names) != 1:
        raise Fatal(f"{url} has {len(names)} databases: {', '.join(names)}", remedy="name one of them in ODOO_DB")
    return names[0]


def opened(settings: OdooSettings) -> Transport:
    """A transport that is logged in, the one configured or the one the server speaks with us."""
    from infra.odoo.json2 import Json2  # noqa: PLC0415  each process imports the client that it uses
    from infra.odoo.jsonrpc import JsonRpc  # noqa: PLC0415  as above

    if settings.transport != "jsonrpc":
        json2 = Json2(settings)
        if settings.transport == "json2" or json2.accepted():
            json2.open()
            return json2
        json2.close()
    jsonrpc = JsonRpc(settings)
    jsonrpc.open()
    return jsonrpc
