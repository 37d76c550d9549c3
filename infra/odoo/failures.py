"""What can go wrong between us and Odoo, classified: `Fatal` needs a person, `Transient` may pass by itself.

An error that Odoo itself reports keeps its sentence; passwords never stand in one. What no rule knows is `Refused`: Odoo
answered, and said no to this very call.
"""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
from typing import Any

import odoorpc.error

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


class Refused(Fatal):
    """Odoo answered with an error of its own; `kind` is the class it names."""

    def __init__(self, message: str, *, remedy: str, kind: str) -> None:
        """Keep the sentence, what to do, and the name of Odoo's exception."""
        super().__init__(message, remedy=remedy)
        self.kind = kind


def told(error: Exception, *, url: str, database: str, call: str) -> BurnlineError:
    """The failure of `call` as one of ours."""
    if isinstance(error, odoorpc.error.RPCError):
        return _answered(error, url=url, database=database, call=call)
    if isinstance(error, urllib.error.HTTPError):
        return _http(error, url=url)
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLError):
        return Fatal(
            f"{url} does not speak TLS that can be trusted: {reason}", remedy="correct ODOO_URL, or its certificate"
        )
    if isinstance(reason, TimeoutError):
        return Transient(
            f"Odoo at {url} did not answer {call} in time",
            remedy="is it overloaded? BURNLINE_ODOO__TIMEOUT sets how long to wait",
        )
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return Transient(
            f"{url} answered {call} with a page instead of JSON-RPC",
            remedy="does ODOO_URL name the Odoo server itself, or a proxy whose server is down?",
        )
    if isinstance(reason, OSError | http.client.HTTPException):
        cause = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        return Transient(f"no Odoo answers at {url}: {cause}", remedy="start it, or correct ODOO_URL")
    raise error


def _http(error: urllib.error.HTTPError, *, url: str) -> BurnlineError:
    if error.code in {401, 403, 404, 405}:
        return Fatal(
            f"{url} answered HTTP {error.code}: this is no Odoo, or it hides its RPC",
            remedy="correct ODOO_URL; it names the server, without a path",
        )
    return Transient(f"{url} answered HTTP {error.code}", remedy="look at the log of Odoo, or of the proxy before it")


def _answered(error: odoorpc.error.RPCError, *, url: str, database: str, call: str) -> BurnlineError:
    info: dict[str, Any] = error.info if isinstance(error.info, dict) else {}
    kind = str(info.get("data", {}).get("name", ""))
    message = str(error).strip().partition("\n")[0]
    if "database" in message and "does not exist" in message:
        return Fatal(
            f"Odoo at {url} has no database {database}", remedy="correct ODOO_DB; `burnline doctor` lists what it has"
        )
    if kind == DENIED or message == "Wrong login ID or password":
        return Fatal(
            f"Odoo at {url} refused the user or the password", remedy="correct ODOO_USER and ODOO_PASSWORD (or API key)"
        )
    if kind in PASSING or kind == SESSION_ENDED:
        return Transient(f"Odoo could not finish {call}: {message}", remedy="it is tried again; look at Odoo's log")
    remedies = {
        NO_ACCESS: "give the user of ODOO_USER the right to read it",
        MISSING: "the record was deleted meanwhile: read it again",
    }
    return Refused(
        f"Odoo refused {call}: {message}",
        remedy=remedies.get(kind, "is the module installed that defines it?"),
        kind=kind,
    )


def is_no_access(error: BurnlineError) -> bool:
    """Whether Odoo refused because the user lacks a right."""
    return isinstance(error, Refused) and error.kind == NO_ACCESS


def is_unknown_model(error: BurnlineError) -> bool:
    """Whether Odoo refused because it has no such model."""
    return isinstance(error, Refused) and "doesn't exist" in str(error)
