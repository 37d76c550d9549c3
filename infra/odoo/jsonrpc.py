"""Odoo over odoorpc: `/jsonrpc` with user and password, every Odoo up to and including 19.

Many proxies and Odoo itself answer here with HTTP 200 whatever happened; what odoorpc raises is told as ours.
"""

from __future__ import annotations

import http.client
import json
import logging
import ssl
import urllib.error
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import odoorpc
import odoorpc.error

from infra.errors import BurnlineError
from infra.odoo import failures
from infra.odoo.transport import address, secret_of, the_only
from infra.settings import OdooSettings

T = TypeVar("T")
logging.getLogger("odoorpc").setLevel(logging.INFO)  # its debug lines hold the arguments, the password among them


class JsonRpc:
    """A transport over odoorpc."""

    name = "jsonrpc"

    def __init__(self, settings: OdooSettings) -> None:
        """Nothing is sent until `open`."""
        self._at = address(settings.url)
        self._settings = settings
        self._odoo: Any = None
        self.database = settings.db or ""

    def open(self) -> None:
        """Log in."""
        self._told("login", self._log_in)

    def _log_in(self) -> None:
        protocol = "jsonrpc+ssl" if self._at.tls else "jsonrpc"
        odoo = odoorpc.ODOO(self._at.host, protocol, self._at.port, timeout=self._settings.timeout)
        if not self.database:
            self.database = the_only(odoo.db.list(), self._at.url)
        odoo.login(self.database, self._settings.user, secret_of(self._settings))
        self._odoo = odoo

    def version(self) -> str:
        """The server's version."""
        return str(self._odoo.version)

    def databases(self) -> list[str]:
        """The server's databases."""
        try:
            return [str(name) for name in self._told("db.list", self._odoo.db.list)]
        except failures.Refused:
            return []

    def call(self, model: str, method: str, ids: Sequence[int] | None, named: Mapping[str, Any]) -> Any:
        """Call a method. Odoo looks at the first argument of `create` by its position, whatever its name."""
        words = dict(named)
        arguments: list[Any] = [] if ids is None else [list(ids)]
        if method == "create":
            arguments.append(words.pop("vals_list"))
        return self._told(f"{model}.{method}", lambda: self._odoo.execute_kw(model, method, arguments, words))

    def _told(self, call: str, do: Callable[[], T]) -> T:
        try:
            return do()
        except BurnlineError:
            raise
        except Exception as error:  # noqa: BLE001  told as one of ours, or raised again as it is
            raise self._failure(error, call) from None  # the library's traceback would show the arguments

    def _failure(self, error: Exception, call: str) -> BurnlineError:
        url = self._at.url
        if isinstance(error, odoorpc.error.RPCError):
            info: dict[str, Any] = error.info if isinstance(error.info, dict) else {}
            kind = str(info.get("data", {}).get("name", ""))
            return failures.answered(kind, str(error), url=url, database=self.database, call=call)
        if isinstance(error, urllib.error.HTTPError):
            headers = {name.lower(): value for name, value in error.headers.items()}
            return failures.status(error.code, headers, url=url)
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLError):
            return failures.untrusted(reason, url=url)
        if isinstance(reason, TimeoutError):
            return failures.timed_out(url=url, call=call)
        if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
            return failures.no_json(url=url, call=call)
        if isinstance(reason, OSError | http.client.HTTPException):
            return failures.unreachable(reason, url=url)
        raise error
