"""The server as a process: ready line, controls over HTTP, endings of every kind."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import odoorpc
import pytest

pytestmark = pytest.mark.drill


class Process:
    """A running server and its ready line."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        assert popen.stdout
        self.popen = popen
        self.ready: dict[str, str] = json.loads(popen.stdout.readline())

    def firm(self, verb: str, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = httpx.request(verb, f"{self.ready['url']}/firm/{what}", json=body or {}, timeout=30)
        told: dict[str, Any] = answer.json()
        return told | {"status_code": answer.status_code}

    def after_changes(self, count: int) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while (status := self.firm("GET", "status"))["changes"] < count:
            assert time.monotonic() < deadline, status
            time.sleep(0.05)
        return status


@contextmanager
def server(data: Path, *options: str) -> Iterator[Process]:
    command = [sys.executable, "-m", "infra.embedded_odoo", "--data", str(data), "--lifeline", *options]
    popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Process(popen)
    finally:
        popen.kill()
        popen.communicate()


def test_the_ready_line_is_all_a_client_needs(tmp_path: Path) -> None:
    with server(tmp_path / "firm.db", "--rate", "0") as process:
        ready = process.ready
        rpc = odoorpc.ODOO("127.0.0.1", port=int(ready["url"].rpartition(":")[2]))
        rpc.login(ready["db"], ready["user"], ready["password"])
        assert rpc.env["hr.employee"].search_count([]) == 30
        assert process.firm("GET", "status")["per_second"] == 0.0


def test_a_kill_loses_nothing_committed_and_the_firm_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "firm.db"
    with server(data, "--rate", "200") as process:
        process.after_changes(50)
        rpc = odoorpc.ODOO("127.0.0.1", port=int(process.ready["url"].rpartition(":")[2]))
        rpc.login(process.ready["db"], "admin", "admin")
        kept = rpc.env["res.partner"].create({"name": "kept"})
        process.popen.send_signal(signal.SIGKILL)
        process.popen.wait(10)
    with server(data, "--rate", "200") as process:
        rpc = odoorpc.ODOO("127.0.0.1", port=int(process.ready["url"].rpartition(":")[2]))
        rpc.login(process.ready["db"], "admin", "admin")
        assert rpc.env["res.partner"].search([("name", "=", "kept")]) == [kept]
        assert rpc.env["hr.employee"].search_count([]) == 30
        assert process.after_changes(50)["refused"] == 0


def test_controls_pause_and_set_the_pace(tmp_path: Path) -> None:
    with server(tmp_path / "firm.db", "--rate", "100") as process:
        process.after_changes(5)
        paused = process.firm("POST", "pause")
        assert (paused["running"], paused["late_in_flight"]) == (False, 0)
        assert process.firm("POST", "rate", {"per_second": 400})["per_second"] == 400.0
        assert process.firm("GET", "status")["changes"] == paused["changes"]
        process.firm("POST", "resume")
        process.after_changes(paused["changes"] + 1)
        refused = process.firm("POST", "rate", {"per_second": "fast"})
        assert (refused["status_code"], "changes per second" in refused["error"]) == (400, True)


@pytest.mark.parametrize("ending", ["SIGTERM", "SIGINT", "standard input closes"])
def test_it_ends_cleanly(tmp_path: Path, ending: str) -> None:
    with server(tmp_path / "firm.db", "--rate", "100") as process:
        process.after_changes(1)
        if ending.startswith("SIG"):
            process.popen.send_signal(signal.Signals[ending])
        else:
            assert process.popen.stdin
            process.popen.stdin.close()
            process.popen.stdin = None
        assert process.popen.wait(10) == 0
    assert not (tmp_path / "firm.db-wal").exists()


def test_an_impossible_rate_is_one_clear_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.embedded_odoo", "--data", str(tmp_path / "firm.db"), "--rate", "9999"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert "changes per second from 0 to 500" in done.stderr
    assert "Traceback" not in done.stderr
