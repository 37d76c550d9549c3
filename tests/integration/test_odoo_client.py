"""What stands between us and Odoo misbehaves: pages, limits, time-outs, broken connections. Real HTTP, both transports."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.errors import Fatal, Transient
from infra.odoo import failures
from infra.odoo.breaker import LIMIT, Paused
from infra.odoo.client import Odoo
from infra.odoo.json2 import Json2
from infra.odoo.jsonrpc import JsonRpc
from infra.settings import OdooSettings

VERSION = {"server_version": "19.0", "server_version_info": [19, 0, 0, "final", 0, ""]}
Answer = tuple[int, dict[str, str], bytes]


class Proxy(http.server.BaseHTTPRequestHandler):
    """Lets the log-in pass, and answers every call with the next of its script; when that is over, as Odoo does."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, headers, body = self._answer(asked)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, asked: dict[str, Any]) -> Answer:
        if self.path == "/web/webclient/version_info":
            return self._result(VERSION)
        params = asked.get("params", {})
        if params.get("service") == "common":
            return self._result(2 if params.get("method") == "login" else VERSION)
        if "context_get" in (*params.get("args", ()), *self.path.split("/")):
            return self._result({"lang": "en_US", "uid": 2})
        server: Any = self.server
        server.calls.append(time.monotonic())
        if server.script:
            step = server.script.pop(0)
            return step() if callable(step) else step
        return self._result([1])

    def _result(self, result: Any) -> Answer:
        told = result if self.path.startswith("/json/2/") else {"jsonrpc": "2.0", "id": 1, "result": result}
        return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()

    def log_message(self, *_: Any) -> None:
        return


class Before:
    """The server, and a client behind it."""

    def __init__(self, server: Any, client: Odoo) -> None:
        self.server, self.client = server, client

    def will(self, *script: Answer | Callable[[], Answer]) -> None:
        self.server.script[:] = script

    @property
    def calls(self) -> int:
        return len(self.server.calls)

    def search(self) -> Any:
        """A call that is made once."""
        return self.client.call("res.company", "search", domain=[])


@pytest.fixture(params=["jsonrpc", "json2"])
def before(request: pytest.FixtureRequest) -> Iterator[Before]:
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.script, server.calls = [], []
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    settings = OdooSettings(url=url, db="firm", password="secret-key", timeout=0.5)  # type: ignore[arg-type]
    transport = JsonRpc(settings) if request.param == "jsonrpc" else Json2(settings)
    transport.open()
    server.calls.clear()
    yield Before(server, Odoo(settings, transport))
    server.shutdown()
    server.server_close()
    thread.join()


def answer(status: int, body: bytes = b"<html>Bad gateway</html>", **headers: str) -> Answer:
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, body


def never() -> Answer:
    time.sleep(1.0)  # longer than the client waits
    return answer(504)


@pytest.mark.parametrize(
    ("script", "kind", "says"),
    [
        pytest.param(answer(200, b"<html>Log in</html>"), failures.Sick, "a page instead of JSON", id="HTML for JSON"),
        pytest.param(answer(502), failures.Sick, "HTTP 502", id="a proxy whose server is down"),
        pytest.param(answer(503), failures.Sick, "HTTP 503", id="maintenance"),
        pytest.param(answer(429, Retry_After="120"), failures.Limited, "no request for 120 s", id="a rate limit"),
        pytest.param(never, failures.Sick, "did not answer .* in time", id="a time-out"),
        pytest.param(answer(403, b"<html>Forbidden</html>"), Fatal, "HTTP 403", id="a proxy that forbids it"),
    ],
)
def test_what_a_proxy_does_is_told(before: Before, script: Any, kind: type[Exception], says: str) -> None:
    before.will(script)
    with pytest.raises(kind, match=says) as told:
        before.search()
    assert told.value.remedy  # type: ignore[attr-defined]
    assert "secret-key" not in f"{told.value} {told.value.remedy}"  # type: ignore[attr-defined]
    assert before.calls == 1, "a call that may write is made once"


def test_a_reading_is_tried_again_with_pauses(before: Before) -> None:
    before.will(answer(502), answer(200, b"<html>"), never)
    assert before.client.search("res.company", []) == [1]
    gaps = [after - at for at, after in zip(before.server.calls, before.server.calls[1:], strict=False)]
    assert len(gaps) == 3
    assert min(gaps) >= 0.15
    assert before.client.breaker.trouble is None


def test_a_short_rate_limit_is_waited_for(before: Before) -> None:
    before.will(answer(429, Retry_After="1"))
    begun = time.monotonic()
    assert before.client.search("res.company", []) == [1]
    assert time.monotonic() - begun >= 1.0


def test_a_sick_odoo_is_left_alone_and_asked_again_by_one_call(before: Before) -> None:
    before.will(*[answer(502)] * (LIMIT + 1))
    for _ in range(LIMIT):
        with pytest.raises(failures.Sick):
            before.search()
    trouble = before.client.breaker.trouble
    assert trouble is not None
    assert (trouble.open, trouble.failures) == (True, LIMIT)
    assert "HTTP 502" in trouble.why
    for _ in range(20):
        with pytest.raises(Paused, match="left alone since") as paused:
            before.search()
    assert before.calls == LIMIT, "no request is made meanwhile"
    before.will()
    time.sleep(paused.value.wait + 0.05)
    assert before.search() == [1]
    assert before.client.breaker.trouble is None
    assert isinstance(paused.value, Transient)
