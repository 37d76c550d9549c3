"""What can go wrong between us and Odoo, classified: `Fatal` needs a person, `Transient` may pass by itself.

An error that Odoo itself reports keeps its sentence; passwords never stand in one. What no rule knows is `Refused`: Odoo
answered, and said no to this very call. `Sick` is what a circuit breaker counts: no answer, or none that Odoo made.
"""

from __future__ import annotations

import email.utils
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from infra.errors import BurnlineError, Fatal, Transient

PASSING = (
    "psycopg2.errors.SerializationFailure",
    "psycopg2.errors.LockNotAvailable",
    "psycopg2.errors.DeadlockDetected",
    "psycopg2.errors.AdminShutdown",
    "psycopg2.InterfaceError",
    "psycopg2.OperationalError",
    "psycopg2.pool.PoolError",
)
SESSION_ENDED = "odoo.http.SessionExpiredException"
DENIED = "odoo.exceptions.AccessDenied"
NO_ACCESS = "odoo.exceptions.AccessError"
MISSING = "odoo.exceptions.MissingError"
UNKNOWN = "is the module installed that defines it?"
UNKNOWN_FIELD = (
    "is the module installed that defines it, or did an upgrade rename it? `burnline doctor` says what lacks now"
)
LIMITED_WAIT = 5.0
"""Seconds to wait where a rate limit names none."""
LONGEST_LIMITED = 300.0
"""Seconds waited at the most: a page of maintenance that names a day may be gone in a minute."""


class Refused(Fatal):
    """Odoo answered with an error of its own; `kind` is the class it names."""

    def __init__(self, message: str, *, remedy: str, kind: str) -> None:
        """Keep the sentence, what to do, and the name of Odoo's exception."""
        super().__init__(message, remedy=remedy)
        self.kind = kind


class Sick(Transient):
    """Odoo gave no answer, or something before it gave one that is not Odoo's."""


class Limited(Sick):
    """Too many requests: none is welcome before `wait` seconds are over."""

    def __init__(self, message: str, *, remedy: str, wait: float) -> None:
        """Keep how long to wait."""
        super().__init__(message, remedy=remedy)
        self.wait = wait


class SessionEnded(Transient):
    """The session ended: log in again, once."""


def answered(kind: str, message: str, *, url: str, database: str, call: str) -> BurnlineError:
    """The failure in an error that Odoo reported: the class it names, and its sentence."""
    message = message.strip().partition("\n")[0]
    if "database" in message and "does not exist" in message:
        return Fatal(
            f"Odoo at {url} has no database {database}", remedy="correct ODOO_DB; `burnline doctor` lists what it has"
        )
    if kind == DENIED or message == "Wrong login ID or password":
        return Fatal(
            f"Odoo at {url} refused the user or the password",
            remedy="correct ODOO_USER and ODOO_PASSWORD; an API key may have expired: make a new one",
        )
    if kind == SESSION_ENDED:
        return SessionEnded(f"the session ended during {call}", remedy="it is renewed; look at Odoo's log")
    if kind in PASSING:
        return Transient(f"Odoo could not finish {call}: {message}", remedy="it is tried again; look at Odoo's log")
    remedies = {
        NO_ACCESS: "give the user of ODOO_USER the right to read it",
        MISSING: "the record was deleted meanwhile: read it again",
    }
    return Refused(
        f"Odoo refused {call}: {message}",
        remedy=remedies.get(kind, UNKNOWN_FIELD if "Invalid field" in message else UNKNOWN),
        kind=kind,
    )


def status(code: int, headers: Mapping[str, str], *, url: str, now: datetime | None = None) -> BurnlineError:
    """The failure in an HTTP status with a body that is not Odoo's. `headers` are looked up in lower case."""
    if code == HTTPStatus.TOO_MANY_REQUESTS or (code == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" in headers):
        wait = retry_after(headers.get("retry-after", ""), now or datetime.now(UTC))
        return Limited(
            f"{url} answered HTTP {code}: it wants no request for {wait:.0f} s",
            remedy="it is waited for; BURNLINE_ODOO__REQUESTS_PER_SECOND sets a lower rate",
            wait=wait,
        )
    if code < HTTPStatus.INTERNAL_SERVER_ERROR and code != HTTPStatus.REQUEST_TIMEOUT:
        return Fatal(
            f"{url} answered HTTP {code}: this is no Odoo, or it hides its RPC",
            remedy="correct ODOO_URL; it names the server, without a path",
        )
    return Sick(f"{url} answered HTTP {code}", remedy="look at the log of Odoo, or of the proxy before it")


def retry_after(value: str, now: datetime) -> float:
    """The seconds that a `Retry-After` header asks for, written as a number or as a date, and `LONGEST_LIMITED` at the most."""
    if value.strip().isdecimal():
        return min(float(value), LONGEST_LIMITED)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return LIMITED_WAIT
    left = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return min(max(0.0, left), LONGEST_LIMITED)


def no_json(*, url: str, call: str) -> Sick:
    """A page where JSON should be."""
    return Sick(
        f"{url} answered {call} with a page instead of JSON",
        remedy="does ODOO_URL name the Odoo server itself, or a proxy whose server is down?",
    )


def timed_out(*, url: str, call: str) -> Sick:
    """No answer in time."""
    return Sick(
        f"Odoo at {url} did not answer {call} in time",
        remedy="is it overloaded? BURNLINE_ODOO__TIMEOUT sets how long to wait",
    )


def unreachable(reason: object, *, url: str) -> Sick:
    """No connection, or one that broke."""
    cause = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return Sick(f"no Odoo answers at {url}: {cause}", remedy="start it, or correct ODOO_URL")


def untrusted(reason: ssl.SSLError | str, *, url: str) -> Fatal:
    """TLS failed."""
    return Fatal(
        f"{url} does not speak TLS that can be trusted: {reason}", remedy="correct ODOO_URL, or its certificate"
    )


def is_no_access(error: BurnlineError) -> bool:
    """Whether Odoo refused because the user lacks a right."""
    return isinstance(error, Refused) and error.kind == NO_ACCESS


def is_missing(error: BurnlineError) -> bool:
    """Whether Odoo refused because a record is not there."""
    return isinstance(error, Refused) and error.kind == MISSING


def is_unknown_model(error: BurnlineError) -> bool:
    """Whether Odoo refused because it has no such model."""
    said = str(error)
    return isinstance(error, Refused) and ("doesn't exist" in said or ("the model '" in said and "not exist" in said))
