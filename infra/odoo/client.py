"""One small interface to Odoo, and its implementation over odoorpc (JSON-RPC).

Rules
- The transport can be exchanged: `/jsonrpc` goes in a later Odoo, its successor takes the same words.
- Only `Transient` failures are tried again, a bounded number of times, with backoff and jitter. Calls that write are tried
  again only by those who know them to be idempotent (`retry=False` is the default of `execute`).
- A session that ended is renewed once, silently. The password is never logged, not even by the library in debug mode.
- Archived records are read too, many2one values come as bare ids: half of Odoo's work for a read is to make up names.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import odoorpc
import odoorpc.error
import stamina
from prometheus_client import Counter

from infra.errors import BurnlineError, Fatal, Transient
from infra.odoo import failures
from infra.settings import OdooSettings

Row = dict[str, Any]
Domain = Sequence[Any]
T = TypeVar("T")
ATTEMPTS = 4
EVERYTHING = {"active_test": False}
REQUESTS = Counter(
    "burnline_odoo_requests", "Calls to Odoo, by model, method and outcome", ("model", "method", "outcome")
)

logging.getLogger("odoorpc").setLevel(logging.INFO)  # its debug lines hold the arguments, the password among them


class OdooClient(Protocol):
    """What Burnline asks of an Odoo. Every method raises `Transient` or `Fatal` with a remedy."""

    url: str
    database: str

    def version(self) -> str:
        """The server's version, for example 19.0."""

    def databases(self) -> list[str]:
        """The databases the server tells of; none where listing is forbidden."""

    def search_read(
        self, model: str, domain: Domain, fields: Sequence[str], *, limit: int | None = None, order: str = "id"
    ) -> list[Row]:
        """Records, archived ones too; many2one as an id or False."""

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[Row]:
        """The records of these ids that exist, archived ones too, by ascending id."""

    def search(self, model: str, domain: Domain, *, limit: int | None = None, order: str = "id") -> list[int]:
        """Ids, of archived records too."""

    def fields_get(self, model: str) -> dict[str, Row]:
        """The fields this user may see, with their `type`, `store`, `required` and `selection`."""

    def execute(self, model: str, method: str, *args: Any, retry: bool = False, **kwargs: Any) -> Any:
        """Any method. With `retry`, transient failures are tried again: for idempotent calls only."""


def connect(settings: OdooSettings) -> OdooRpc:
    """A client that is logged in. Raises `Fatal` for what a person must correct, `Transient` when no Odoo answers."""
    if not settings.url:
        raise Fatal("no Odoo is configured", remedy="set ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD")
    client = OdooRpc(settings)
    client.log_in()
    return client


class OdooRpc:
    """Odoo over odoorpc. May be shared by threads: a call holds no state beyond itself."""

    def __init__(self, settings: OdooSettings) -> None:
        """Nothing is sent until `log_in`."""
        parts = urlsplit(settings.url or "")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Fatal(f"ODOO_URL is no address: {settings.url}", remedy="write it like https://odoo.example.com")
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self.database = settings.db or ""
        self._settings = settings
        self._host, self._tls = parts.hostname, parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._odoo: Any = None

    def log_in(self) -> None:
        """Open a session. The only database of a server is taken where none is configured."""
        _persist(lambda: self._told("login", self._open), retry=True)

    def _open(self) -> None:
        settings = self._settings
        protocol = "jsonrpc+ssl" if self._tls else "jsonrpc"
        odoo = odoorpc.ODOO(self._host, protocol, self._port, timeout=settings.timeout)
        if not self.database:
            self.database = _the_only(odoo.db.list(), self.url)
        if settings.password is None:
            raise Fatal("no password for Odoo is configured", remedy="set ODOO_PASSWORD (an API key will do)")
        odoo.login(self.database, settings.user, settings.password.get_secret_value())
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

    def search_read(
        self, model: str, domain: Domain, fields: Sequence[str], *, limit: int | None = None, order: str = "id"
    ) -> list[Row]:
        """Records of a domain."""
        wanted: dict[str, Any] = {"fields": list(fields), "order": order, "load": None, "context": EVERYTHING}
        if limit is not None:
            wanted["limit"] = limit
        found: list[Row] = self.execute(model, "search_read", list(domain), retry=True, **wanted)
        return found

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[Row]:
        """Records of these ids; a search, since `read` fails when one of them is gone."""
        return self.search_read(model, [("id", "in", list(ids))], fields) if ids else []

    def search(self, model: str, domain: Domain, *, limit: int | None = None, order: str = "id") -> list[int]:
        """Ids of a domain."""
        wanted: dict[str, Any] = {"order": order, "context": EVERYTHING}
        if limit is not None:
            wanted["limit"] = limit
        found: list[int] = self.execute(model, "search", list(domain), retry=True, **wanted)
        return found

    def fields_get(self, model: str) -> dict[str, Row]:
        """Fields of a model."""
        attributes = ["type", "store", "required", "selection"]
        found: dict[str, Row] = self.execute(model, "fields_get", retry=True, attributes=attributes)
        return found

    def execute(self, model: str, method: str, *args: Any, retry: bool = False, **kwargs: Any) -> Any:
        """Call a method."""

        def call() -> Any:
            return self._told(f"{model}.{method}", lambda: self._odoo.execute_kw(model, method, list(args), kwargs))

        def attempt() -> Any:
            try:
                result = call()
            except _SessionEndedError:
                self._told("login", self._open)
                result = call()
            except BurnlineError as error:
                REQUESTS.labels(model, method, type(error).__name__).inc()
                raise
            REQUESTS.labels(model, method, "ok").inc()
            return result

        return _persist(attempt, retry=retry)

    def _told(self, call: str, do: Callable[[], T]) -> T:
        try:
            return do()
        except BurnlineError:
            raise
        except Exception as error:  # noqa: BLE001  told as one of ours, or raised again as it is
            failure = failures.told(error, url=self.url, database=self.database, call=call)
            if isinstance(error, odoorpc.error.RPCError) and _kind(error) == failures.SESSION_ENDED:
                raise _SessionEndedError(str(failure), remedy=failure.remedy) from None
            raise failure from None  # the library's traceback would show the arguments


class _SessionEndedError(Transient):
    """The session ended: log in again, once."""


def _persist(do: Callable[[], T], *, retry: bool) -> T:
    for attempt in stamina.retry_context(
        on=Transient, attempts=ATTEMPTS if retry else 1, wait_initial=0.2, wait_max=3.0
    ):
        with attempt:
            return do()
    raise AssertionError("stamina ends with a result or an exception")


def _kind(error: odoorpc.error.RPCError) -> str:
    return str(error.info["data"]["name"]) if isinstance(error.info, dict) else ""


def _the_only(names: list[str], url: str) -> str:
    if len(names) != 1:
        raise Fatal(f"{url} has {len(names)} databases: {', '.join(names)}", remedy="name one of them in ODOO_DB")
    return names[0]
