"""Around and instead of a registry: a gateway that can be down, locked or slow, and a small one that lets its numbers be chosen.

The small one does what Confluent's own does in IMPORT mode, as far as Burnline uses it. It is no measure of anything else.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self
from urllib.parse import unquote

import httpx

from tests.support.ports import free_port

Answer = tuple[int, Any]


class Served(Protocol):
    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer: ...


class Gateway:
    """Serves on loopback, and can be stopped and started again at the same address. `asked` is every request so far."""

    def __init__(self, served: Served, tls: ssl.SSLContext | None = None) -> None:
        self._served, self._tls, self._port = served, tls, free_port()
        self._server: ThreadingHTTPServer | None = None
        self.asked: list[str] = []
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        gateway = self

        class Handler(BaseHTTPRequestHandler):  # one request a connection, so that a stop leaves none open
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                gateway.asked.append(f"{self.command} {self.path}")
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, said = gateway._served.answer(self.command, self.path, headers, body)
                content = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815  the library's names

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class Forwarding:
    """Passes requests on to a registry, and answers with what that says."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        passed = {"content-type": headers["content-type"]} if "content-type" in headers else {}
        said = self._http.request(method, path.lstrip("/"), content=body, headers=passed)
        return said.status_code, said.content


class Locked:
    """Lets in who knows user and password."""

    def __init__(self, served: Served, user: str, password: str) -> None:
        self._served = served
        self._key = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if headers.get("authorization") != self._key:
            return 401, {"error_code": 401, "message": "who are you?"}
        return self._served.answer(method, path, headers, body)


class Saying:
    """Says the same to everybody, after a while."""

    def __init__(self, status: int, said: Any, *, after: float = 0.0) -> None:
        self._answer, self._after = (status, said), after

    def answer(self, *_: object) -> Answer:
        time.sleep(self._after)
        return self._answer


class Choosing:
    """A registry in memory that lets numbers be chosen in IMPORT mode, unless it is told not to.

    `schemas` is by number, `versions` by subject the numbers in order.
    """

    def __init__(self, *, modes: bool = True) -> None:
        self._modes = modes
        self.schemas: dict[int, str] = {}
        self.versions: dict[str, list[int]] = {}
        self.levels: dict[str, str] = {}
        self.importing: set[str] = set()
        self._lock = threading.Lock()

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        what, *rest = [unquote(part) for part in path.partition("?")[0].strip("/").split("/")]
        said = json.loads(body) if body else {}
        known = {
            "config": self._config,
            "mode": self._mode,
            "compatibility": self._compatibility,
            "schemas": self._schemas,
            "subjects": self._subjects,
        }
        if what not in known:
            return 404, {"error_code": 404, "message": "no such path"}
        with self._lock:
            return known[what](method, *rest, **said)

    def _config(self, method: str, subject: str, compatibility: str = "") -> Answer:
        if method == "PUT":
            self.levels[subject] = compatibility
            return 200, {"compatibility": compatibility}
        level = self.levels.get(subject)
        return (200, {"compatibilityLevel": level}) if level else (404, {"error_code": 40408, "message": "not set"})

    def _mode(self, method: str, subject: str, mode: str = "") -> Answer:
        if not self._modes:
            return 422, {"error_code": 42205, "message": "modes cannot be changed"}
        self.importing.add(subject) if method == "PUT" else self.importing.discard(subject)
        return 200, {"mode": mode or "IMPORT"}

    def _compatibility(self, _method: str, _subjects: str, subject: str, _versions: str, **_: str) -> Answer:
        if subject not in self.versions:
            return 404, {"error_code": 40401, "message": "no such subject"}
        return 200, {"is_compatible": True}

    def _schemas(self, _method: str, _ids: str, number: str) -> Answer:
        found = self.schemas.get(int(number))
        return (200, {"schema": found}) if found else (404, {"error_code": 40403, "message": "no such schema"})

    def _subjects(
        self,
        _method: str,
        subject: str,
        versions: str = "",
        *,
        schema: str,
        id: int | None = None,  # noqa: A002  the API's
    ) -> Answer:
        present = self.versions.get(subject, [])
        if not versions:
            for version, number in enumerate(present, 1):
                if self.schemas[number] == schema:
                    return 200, {"subject": subject, "id": number, "version": version, "schema": schema}
            return 404, {"error_code": 40403, "message": "no such schema"}
        if (subject in self.importing) is (id is None):
            return 422, {"error_code": 42205, "message": "not in this mode"}
        if id is not None and self.schemas.get(id, schema) != schema:
            return 422, {"error_code": 42205, "message": f"another schema has the id {id}"}
        known = next((number for number, text in self.schemas.items() if text == schema), None)
        number = id or known or max(self.schemas, default=0) + 1
        self.schemas[number] = schema
        self.versions.setdefault(subject, []).append(number)
        return 200, {"id": number}
