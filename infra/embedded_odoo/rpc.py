"""JSON-RPC as Odoo speaks it: the services behind `/jsonrpc` and the session calls of the web client; and JSON-2 with a key.

Every answer is HTTP 200; a refusal is an `error` whose `data.name` is the class a real server raised. A session, once
expired, gives code 100, `Odoo Session Expired`.
"""

import secrets
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.embedded_odoo.calls import execute, of_records
from infra.embedded_odoo.database import Database
from infra.embedded_odoo.errors import OdooError, access_denied
from infra.embedded_odoo.seed import ADMIN, COMPANY, TIMEZONE

VERSION = {
    "server_version": "19.0",
    "server_version_info": [19, 0, 0, "final", 0, ""],
    "server_serie": "19.0",
    "protocol_version": 1,
}


@dataclass(frozen=True, slots=True)
class Login:
    """The one database and the one user that may log in, with a password or a key. JSON-2 takes the key alone."""

    db: str
    user: str
    password: str
    api_key: str

    def lets_in(self, secret: object) -> bool:
        """Whether the user's secret is one of the two."""
        return secret in (self.password, self.api_key)


class Rpc:
    """Answers calls; keeps the sessions of the web client."""

    def __init__(self, database: Database, login: Login, session_seconds: float = 7 * 86400.0) -> None:
        """Serve `database` to `login`; a session ends `session_seconds` after its begin."""
        self.database, self.login, self.session_seconds = database, login, session_seconds
        self._sessions: dict[str, float] = {}
        self._lock = threading.Lock()

    def call(self, params: Mapping[str, Any]) -> Any:
        """One call of `/jsonrpc`: service, method, args."""
        service, method, args = params["service"], params["method"], list(params.get("args") or [])
        if service == "common":
            return self._common(method, args)
        if service == "db":
            if method == "list":
                return [self.login.db]
            raise OdooError("builtins.Exception", f"Method not found: {method}")
        if service != "object":
            raise OdooError("builtins.KeyError", str(service))
        db, uid, password, model, name, *rest = args
        self._authorise(db, uid, password)
        if method == "execute":
            return execute(self.database, uid, model, name, rest, {})
        if method != "execute_kw":
            raise OdooError("builtins.Exception", f"Method not found: {method}")
        return execute(self.database, uid, model, name, rest[0] if rest else [], rest[1] if len(rest) > 1 else {})

    def _common(self, method: str, args: list[Any]) -> Any:
        if method == "version":
            return VERSION
        if method in {"login", "authenticate"}:
            db, user, password = args[:3]
            self._known(db)
            return ADMIN if user == self.login.user and self.login.lets_in(password) else False
        raise OdooError("builtins.Exception", f"Method not found: {method}")

    def _known(self, db: str) -> None:
        if db != self.login.db:
            raise OdooError("psycopg2.OperationalError", f'FATAL:  database "{db}" does not exist\n')

    def _authorise(self, db: str, uid: Any, password: Any) -> None:
        self._known(db)
        if uid != ADMIN or not self.login.lets_in(password):
            raise access_denied()

    def authenticate(self, params: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """A new session and what the web client learns about it."""
        if params.get("db") != self.login.db:
            raise OdooError("odoo.exceptions.AccessError", "Database not found.")
        if (params.get("login"), params.get("password")) != (self.login.user, self.login.password):
            raise access_denied()
        session = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[session] = time.monotonic() + self.session_seconds
        return session, self.session_info()

    def session_info(self) -> dict[str, Any]:
        """Who is logged in, and where."""
        context = {"lang": "en_US", "tz": TIMEZONE, "uid": ADMIN}
        return {
            "uid": ADMIN,
            "is_system": True,
            "is_admin": True,
            "user_context": context,
            "db": self.login.db,
            "server_version": VERSION["server_version"],
            "server_version_info": VERSION["server_version_info"],
            "name": "Mitchell Admin",
            "username": self.login.user,
            "user_companies": {"current_company": COMPANY},
        }

    def in_session(self, session: str) -> None:
        """Refuse what comes without a session that still lives."""
        with self._lock:
            alive = self._sessions.get(session, 0.0) > time.monotonic()
            if not alive:
                self._sessions.pop(session, None)
        if not alive:
            raise OdooError("odoo.http.SessionExpiredException", "Session expired")

    def end_session(self, session: str) -> None:
        """Log out."""
        with self._lock:
            self._sessions.pop(session, None)

    def call_in_session(self, params: Mapping[str, Any]) -> Any:
        """`/web/dataset/call_kw`: the same models and methods, for the user of the session."""
        args, kwargs = params.get("args") or [], params.get("kwargs") or {}
        return execute(self.database, ADMIN, params["model"], params["method"], args, kwargs)

    def call_json2(self, model: str, method: str, words: dict[str, Any]) -> Any:
        """`/json/2/<model>/<method>`: named arguments only, and `ids` for a method of records."""
        named = dict(words)
        arguments = [named.pop("ids", [])] if of_records(model, method) else []
        return execute(self.database, ADMIN, model, method, arguments, named)


def describe(error: Exception) -> dict[str, Any]:
    """An exception as the `error` of an answer; one that is not a refusal keeps its Python name, as with Odoo."""
    name = error.name if isinstance(error, OdooError) else f"{type(error).__module__}.{type(error).__qualname__}"
    expired = name == "odoo.http.SessionExpiredException"
    return {
        "code": 100 if expired else 0,
        "message": "Odoo Session Expired" if expired else "Odoo Server Error",
        "data": {
            "name": name,
            "message": str(error),
            "arguments": [str(error)],
            "context": {},
            "debug": "".join(traceback.format_exception(error)),
        },
    }
