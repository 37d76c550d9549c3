"""One small interface to Odoo, over whichever transport the server speaks.

Rules
- Only `Transient` failures are tried again, a bounded number of times, with backoff and jitter. Calls that write are tried
  again only by those who know them to be idempotent (`retry=False` is the default of `call`).
- A session that ended is renewed once, silently. The password is never logged, not even by the library in debug mode.
- A circuit breaker and a throttle stand before every call; logging in again counts, too.
- Archived records are read too, many2one values come as bare ids: half of Odoo's work for a read is to make up names.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import stamina
from prometheus_client import Counter

from infra.errors import BurnlineError, Fatal, Transient
from infra.odoo import failures
from infra.odoo.breaker import Breaker, Paused
from infra.odoo.throttle import Throttle
from infra.odoo.transport import Transport, address, opened
from infra.settings import OdooSettings

Row = dict[str, Any]
Domain = Sequence[Any]
T = TypeVar("T")
ATTEMPTS = 4
LONGEST_WAIT = 10.0
EVERYTHING = {"active_test": False}
BARE = {"load": None}
WITHOUT_LOAD = frozenset({"project.tags"})
"""Models whose search_read is their own, and takes no `load`: references come as pairs, which are made bare ids here."""
REQUESTS = Counter(
    "burnline_odoo_requests", "Calls to Odoo, by model, method and outcome", ("model", "method", "outcome")
)


class OdooClient(Protocol):
    """What Burnline asks of an Odoo. Every method raises `Transient` or `Fatal` with a remedy."""

    url: str
    database: str
    breaker: Breaker

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

    def count(self, model: str, domain: Domain) -> int:
        """How many records, archived ones too."""

    def fields_get(self, model: str) -> dict[str, Row]:
        """The fields this user may see, with their `type`, `store`, `required`, `selection` and `relation`."""

    def call(
        self, model: str, method: str, ids: Sequence[int] | None = None, *, retry: bool = False, **named: Any
    ) -> Any:
        """Any method, on these records or on the model. With `retry`, transient failures are tried again: for idempotent calls only."""


def connect(settings: OdooSettings) -> Odoo:
    """A client that is logged in. Raises `Fatal` for what a person must correct, `Transient` when no Odoo answers."""
    if not settings.url:
        raise Fatal("no Odoo is configured", remedy="set ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD")
    return Odoo(settings, _persist(lambda: opened(settings), retry=True))


class Odoo:
    """Odoo over an open transport. May be shared by threads: a call holds no state beyond itself."""

    def __init__(self, settings: OdooSettings, transport: Transport) -> None:
        """Call through `transport`."""
        self.url = address(settings.url).url
        self.database = transport.database
        self.transport = transport
        self.breaker = Breaker()
        self._throttle = Throttle(settings.requests_per_second, settings.share)

    def version(self) -> str:
        """The server's version."""
        return self.transport.version()

    def databases(self) -> list[str]:
        """The server's databases."""
        return self.transport.databases()

    def search_read(
        self, model: str, domain: Domain, fields: Sequence[str], *, limit: int | None = None, order: str = "id"
    ) -> list[Row]:
        """Records of a domain."""
        found: list[Row] = self.call(
            model,
            "search_read",
            retry=True,
            domain=list(domain),
            fields=list(fields),
            order=order,
            limit=limit,
            context=EVERYTHING,
            **({} if model in WITHOUT_LOAD else BARE),
        )
        return [_bare(row) for row in found] if model in WITHOUT_LOAD else found

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[Row]:
        """Records of these ids; a search, since `read` fails when one of them is gone."""
        return self.search_read(model, [("id", "in", list(ids))], fields) if ids else []

    def search(self, model: str, domain: Domain, *, limit: int | None = None, order: str = "id") -> list[int]:
        """Ids of a domain."""
        found: list[int] = self.call(
            model, "search", retry=True, domain=list(domain), order=order, limit=limit, context=EVERYTHING
        )
        return found

    def count(self, model: str, domain: Domain) -> int:
        """Size of a domain."""
        return int(self.call(model, "search_count", retry=True, domain=list(domain), context=EVERYTHING))

    def fields_get(self, model: str) -> dict[str, Row]:
        """Fields of a model."""
        attributes = ["type", "store", "required", "selection", "relation"]
        found: dict[str, Row] = self.call(model, "fields_get", retry=True, attributes=attributes)
        return found

    def call(
        self, model: str, method: str, ids: Sequence[int] | None = None, *, retry: bool = False, **named: Any
    ) -> Any:
        """Call a method."""

        def attempt() -> Any:
            try:
                result = self._guarded(lambda: self._in_session(model, method, ids, named))
            except BurnlineError as error:
                REQUESTS.labels(model, method, type(error).__name__).inc()
                raise
            REQUESTS.labels(model, method, "ok").inc()
            return result

        return _persist(attempt, retry=retry)

    def _in_session(self, model: str, method: str, ids: Sequence[int] | None, named: dict[str, Any]) -> Any:
        try:
            return self.transport.call(model, method, ids, named)
        except failures.SessionEnded:
            self.transport.open()
            return self.transport.call(model, method, ids, named)

    def _guarded(self, do: Callable[[], T]) -> T:
        """Do it if the breaker lets it, in its turn, and tell the breaker how it went."""
        self.breaker.admit()
        try:
            with self._throttle.turn():
                result = do()
        except failures.Sick as error:
            self.breaker.failed(error)
            raise
        except BaseException:
            self.breaker.passed()  # Odoo said no, which is an answer
            raise
        self.breaker.passed()
        return result


def _bare(row: Row) -> Row:
    return {
        name: value[0] if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str) else value
        for name, value in row.items()
    }


def _persist(do: Callable[[], T], *, retry: bool) -> T:
    for attempt in stamina.retry_context(on=_again, attempts=ATTEMPTS if retry else 1, wait_initial=0.2, wait_max=3.0):
        with attempt:
            return do()
    raise AssertionError("stamina ends with a result or an exception")


def _again(error: Exception) -> bool | float:
    """Whether to try again here and now, or after how many seconds; a long wait is left to the caller."""
    if isinstance(error, failures.Limited):
        return error.wait * (1 + random.random() / 4) + 0.05 if error.wait <= LONGEST_WAIT else False  # noqa: S311  no secret
    return isinstance(error, Transient) and not isinstance(error, Paused)
