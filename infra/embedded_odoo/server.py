"""The HTTP face on loopback: Odoo's JSON calls, and the firm's controls.

A thread per connection; what they share (store, sessions, firm) guards itself. A control is a function of the request's
JSON, so that the server knows nothing about the firm.
"""

import json
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.embedded_odoo.rpc import VERSION, Rpc, describe
from infra.errors import Fatal

Controls = Mapping[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]]
LOOPBACK = "127.0.0.1"
_STATUSES = {
    "odoo.exceptions.UserError": HTTPStatus.UNPROCESSABLE_ENTITY,
    "odoo.exceptions.ValidationError": HTTPStatus.UNPROCESSABLE_ENTITY,
    "odoo.exceptions.AccessError": HTTPStatus.FORBIDDEN,
    "odoo.exceptions.MissingError": HTTPStatus.NOT_FOUND,
}
"""How JSON-2 answers for a class of errors; anything else is a 500."""


class Server(ThreadingHTTPServer):
    """Listens on loopback; `port` 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, rpc: Rpc) -> None:
        """Bind; Fatal when the port is taken."""
        self.rpc = rpc
        self.controls: Controls = {}
        try:
            super().__init__((LOOPBACK, port), Handler)
        except OSError as error:
            raise Fatal(
                f"The embedded Odoo cannot listen on port {port} of {LOOPBACK}: {error.strerror}.",
                remedy="Stop what uses the port, or choose another with --port (0 takes a free one).",
            ) from error

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the server; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "Werkzeug"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    def do_GET(self) -> None:
        """Health and the firm's status."""
        if self.path == "/web/health":
            self._answer(HTTPStatus.OK, {"status": "pass"})
        elif self.path == "/web/version":
            self._answer(
                HTTPStatus.OK, {"version_info": VERSION["server_version_info"], "version": VERSION["server_version"]}
            )
        else:
            self._control({})

    def do_POST(self) -> None:
        """A JSON call or a control."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            request = json.loads(body or b"{}")
        except ValueError:
            request = None
        if not isinstance(request, dict):
            self._answer(HTTPStatus.BAD_REQUEST, {"error": "the body must be a JSON object"})
        elif self.path.startswith("/firm/"):
            self._control(request)
        elif self.path.startswith("/json/2/"):
            self._json2(request)
        else:
            self._rpc(request)

    def _control(self, request: dict[str, Any]) -> None:
        control = self.server.controls.get((self.command, self.path))
        if control is None:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"nothing at {self.path}"})
            return
        try:
            self._answer(HTTPStatus.OK, control(request))
        except ValueError as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    def _json2(self, request: dict[str, Any]) -> None:
        """JSON-2: the answer as it is, or what was refused under a status of its own."""
        login = self.server.rpc.login
        if self.headers.get("Authorization", "").partition(" ")[2] != login.api_key:
            self._answer(
                HTTPStatus.UNAUTHORIZED, {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}
            )
            return
        if self.headers.get("X-Odoo-Database", login.db) != login.db:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "no such database"})
            return
        model, _, method = self.path.removeprefix("/json/2/").partition("/")
        try:
            self._answer(HTTPStatus.OK, self.server.rpc.call_json2(model, method, request))
        except Exception as error:  # noqa: BLE001  as with Odoo, whatever goes wrong is told to the caller
            told = describe(error)["data"]
            self._answer(_STATUSES.get(told["name"], HTTPStatus.INTERNAL_SERVER_ERROR), told)

    def _rpc(self, request: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request.get("id")}
        headers: dict[str, str] = {}
        try:
            result = self._dispatch(request.get("params") or {}, headers)
        except LookupError as unknown:
            if unknown.args != (self.path,):
                answer["error"] = describe(unknown)
            else:
                self._answer(HTTPStatus.NOT_FOUND, {"error": f"nothing at {self.path}"})
                return
        except Exception as error:  # noqa: BLE001  as with Odoo, whatever goes wrong is told to the caller
            answer["error"] = describe(error)
        else:
            if result is not None:
                answer["result"] = result
        self._answer(HTTPStatus.OK, answer, headers)

    def _dispatch(self, params: dict[str, Any], headers: dict[str, str]) -> Any:
        rpc = self.server.rpc
        if self.path == "/jsonrpc":
            return rpc.call(params)
        if self.path == "/web/webclient/version_info":
            return VERSION
        if self.path == "/web/session/authenticate":
            session, info = rpc.authenticate(params)
            headers["Set-Cookie"] = f"session_id={session}; HttpOnly; Path=/"
            return info
        if self.path == "/web/session/destroy":
            rpc.in_session(self._session())
            return rpc.end_session(self._session())
        if self.path == "/web/session/get_session_info":
            rpc.in_session(self._session())
            return rpc.session_info()
        if self.path.startswith("/web/dataset/call_kw"):
            rpc.in_session(self._session())
            return rpc.call_in_session(params)
        raise LookupError(self.path)

    def _session(self) -> str:
        morsel = SimpleCookie(self.headers.get("Cookie", "")).get("session_id")
        return morsel.value if morsel else ""

    def _answer(self, status: HTTPStatus, body: Any, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """One line a request is nobody's need here."""
