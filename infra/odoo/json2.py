"""Odoo's JSON-2: `POST /json/2/<model>/<method>` with a bearer key and named arguments, since Odoo 19.

Rules
- An answer of Odoo is JSON, with a class and a sentence where it refuses; whatever else comes is from something before it.
- There is no session: a key that expires is refused with 401 at the next call, and only a person can mend that.
- A redirect is not followed: it would hand the key to whoever it names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx

from infra.errors import BurnlineError, Fatal
from infra.odoo import failures
from infra.odoo.transport import address, secret_of, the_only
from infra.settings import OdooSettings

_NOT_HERE = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
)


class Json2:
    """A transport over httpx, which keeps its connections."""

    name = "json2"

    def __init__(self, settings: OdooSettings) -> None:
        """Nothing is sent yet."""
        self._at = address(settings.url)
        self.database = settings.db or ""
        headers = {"Authorization": f"bearer {secret_of(settings)}"}
        self._http = httpx.Client(base_url=self._at.url, headers=headers, timeout=settings.timeout)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def accepted(self) -> bool:
        """Whether the server speaks JSON-2 and takes our secret as its key. Raises `Sick` where it says neither."""
        answer = self._post("/json/2/res.users/context_get", {}, "context_get")
        if answer.status_code in _NOT_HERE or answer.is_redirect:
            return False
        if answer.is_success:
            return isinstance(_json(answer), dict)
        raise self._failure(answer, "context_get")

    def open(self) -> None:
        """Make sure that the key is taken."""
        if not self.database:
            self.database = the_only(self.databases(), self._at.url)
        self.call("res.users", "context_get", None, {})

    def version(self) -> str:
        """The server's version."""
        told = self._answer(self._get("/web/version", "version"), "version")
        return str(told["version"])

    def databases(self) -> list[str]:
        """The server's databases; there is no JSON-2 for it."""
        call = {"jsonrpc": "2.0", "method": "call", "params": {"service": "db", "method": "list", "args": []}}
        answer = self._post("/jsonrpc", call, "db.list")
        if answer.status_code in _NOT_HERE:
            return []
        told = self._answer(answer, "db.list")
        return [str(name) for name in told.get("result", ())]

    def call(self, model: str, method: str, ids: Sequence[int] | None, named: Mapping[str, Any]) -> Any:
        """Call a method."""
        words = dict(named) if ids is None else {"ids": list(ids), **named}
        called = f"{model}.{method}"
        return self._answer(self._post(f"/json/2/{model}/{method}", words, called), called)

    def _get(self, path: str, call: str) -> httpx.Response:
        return self._sent("GET", path, None, call)

    def _post(self, path: str, words: Mapping[str, Any], call: str) -> httpx.Response:
        return self._sent("POST", path, words, call)

    def _sent(self, verb: str, path: str, words: Mapping[str, Any] | None, call: str) -> httpx.Response:
        headers = {"X-Odoo-Database": self.database} if self.database else {}
        try:
            return self._http.request(verb, path, json=words, headers=headers)
        except httpx.TimeoutException:
            raise failures.timed_out(url=self._at.url, call=call) from None
        except httpx.RequestError as error:  # an answer that cannot be unpacked is one, too
            if "CERTIFICATE" in str(error) or "SSL" in str(error):
                raise failures.untrusted(str(error), url=self._at.url) from None
            raise failures.unreachable(error, url=self._at.url) from None

    def _answer(self, answer: httpx.Response, call: str) -> Any:
        if not answer.is_success:
            raise self._failure(answer, call)
        try:
            return answer.json()
        except ValueError:
            raise failures.no_json(url=self._at.url, call=call) from None

    def _failure(self, answer: httpx.Response, call: str) -> BurnlineError:
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            return Fatal(
                f"Odoo at {self._at.url} refused the API key: it is wrong, was removed, or has expired",
                remedy="make a new one in Odoo (Preferences, Account Security, New API Key) and set ODOO_PASSWORD to it",
            )
        told = _json(answer)
        if (
            isinstance(told, dict)
            and isinstance(told.get("name"), str)
            and answer.status_code != HTTPStatus.TOO_MANY_REQUESTS
        ):
            message = str(told.get("message") or told["name"])
            return failures.answered(told["name"], message, url=self._at.url, database=self.database, call=call)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return Fatal(
                f"{self._at.url} has no JSON-2 for the database {self.database}: HTTP 404",
                remedy="correct ODOO_URL and ODOO_DB; JSON-2 is there since Odoo 19",
            )
        return failures.status(answer.status_code, answer.headers, url=self._at.url)


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
