"""The whole product in one go: the demo proves itself, survives the death of each of its processes, and its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime

import psutil
import pytest

from infra.odoo.client import connect
from infra.settings import OdooSettings

PARTS = {
    "webhooks": "burnline webhooks",
    "capture": "burnline capture",
    "streams": "burnline streams",
    "actions": "burnline actions",
    "clock": "burnline clock",
    "odoo": "infra.embedded_odoo",
    "broker": "kafka.Kafka",
}
MEASURES = {"utilization", "budget_burn", "dispute_aging"}


@pytest.fixture
def environment(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BURNLINE_", "ODOO_"))}
    return {
        **kept,
        "BURNLINE_BROKER__DATA_DIR": str(tmp_path / "kafka"),
        "BURNLINE_BROKER__PORT": str(port),
        "BURNLINE_DEMO__DATA_DIR": str(tmp_path / "demo"),
        "BURNLINE_STREAMS__DATA_DIR": str(tmp_path / "streams"),
    }


def begin(environment, seconds, *, rate=20):
    command = [sys.executable, "-m", "burnline", "demo", "--json", "--seconds", str(seconds), "--rate", str(rate)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(demo, logs):
    out, err = demo.communicate(timeout=240)
    tails = "\n".join(f"--- {log.name}\n{log.read_text()[-1500:]}" for log in sorted(logs.glob("*.log")))
    assert demo.returncode == 0, f"{out}\n{err}\n{tails}"
    found = json.loads(out)
    assert set(found["proof"]) == MEASURES
    assert all(verdict["compared"] > 0 and verdict["different"] == 0 for verdict in found["proof"].values())
    return found


def running(demo):
    """Name to process of each part of this demo that runs now."""
    parts = {}
    for process in psutil.Process(demo.pid).children(recursive=True):
        try:
            line = " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        parts |= {name: process for name, mark in PARTS.items() if mark in line and "sh" not in process.name()}
    return parts


def kill_and_wait(demo, name):
    """Kill a part and wait until another process has taken its place."""
    before = running(demo)[name]
    before.send_signal(signal.SIGKILL)
    wait_for(lambda: running(demo).get(name, before).pid != before.pid, 60, f"{name} running again")


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.1)


@pytest.mark.kafka
@pytest.mark.timeout(400)
def test_the_demo_proves_every_measure(environment, tmp_path):
    found = end(begin(environment, 15), tmp_path / "demo" / "logs")
    assert found["broker"] == {"kind": "embedded", "version": "4.1.1"}
    assert found["odoo"]["kind"] == "embedded"
    assert found["events"]["delivery.timesheet.v1"] > 5000
    assert found["events"]["ops.webhook.v1"] > 0
    assert found["measures"]["utilization"] >= 30
    assert found["alerts"]
    assert found["actions"]["succeeded"] > 0
    assert found["actions"]["failed"] == 0
    assert found["dead_letters"] == 0
    assert found["latency_ms"]["p50"] is not None


@pytest.mark.kafka
@pytest.mark.drill
@pytest.mark.timeout(600)
def test_any_process_may_be_killed_in_mid_demo(environment, tmp_path):
    demo = begin(environment, 75)
    try:
        wait_for(lambda: set(running(demo)) == set(PARTS), 120, "every part running")
        for name in PARTS:
            kill_and_wait(demo, name)
            time.sleep(1)  # let it do some work before the next one dies
        end(demo, tmp_path / "demo" / "logs")
    finally:
        if demo.poll() is None:
            demo.kill()


@pytest.mark.kafka
@pytest.mark.drill
@pytest.mark.timeout(600)
def test_the_demo_itself_may_be_killed_and_leaves_nothing_running(environment, tmp_path):
    demo = begin(environment, 60)
    wait_for(lambda: set(running(demo)) == set(PARTS), 120, "every part running")
    parts = list(running(demo).values())
    demo.kill()
    demo.communicate()
    _, alive = psutil.wait_procs(parts, timeout=30)
    assert alive == []
    end(begin(environment, 5), tmp_path / "demo" / "logs")


@pytest.mark.kafka
@pytest.mark.alone
@pytest.mark.timeout(400)
def test_the_demo_runs_against_a_real_odoo(environment, tmp_path, real_odoo):
    at = {
        "ODOO_URL": real_odoo.url,
        "ODOO_DB": real_odoo.db,
        "ODOO_USER": real_odoo.user,
        "ODOO_PASSWORD": real_odoo.password,
    }
    demo = begin({**environment, **at}, 25)
    wait_for(lambda: "clock" in running(demo), 150, "the clock running")
    odoo = connect(OdooSettings(url=real_odoo.url, db=real_odoo.db, user=real_odoo.user, password=real_odoo.password))
    values = {"name": "Demo drill", "allocated_hours": 10.0, "allow_timesheets": True}
    (project,) = odoo.call("project.project", "create", vals_list=[values])
    employee = odoo.search("hr.employee", [("user_id", "!=", False)], limit=1)[0]
    line = {
        "name": "work",
        "project_id": project,
        "employee_id": employee,
        "unit_amount": 9.5,
        "date": str(datetime.now(UTC).date()),
    }
    (first,) = odoo.call("account.analytic.line", "create", vals_list=[line])
    try:
        for tenths in range(10):  # work goes on for a while: latency is told of what begins while everything runs
            odoo.call("account.analytic.line", "write", [first], vals={"unit_amount": 9.5 + tenths / 10})
            time.sleep(1.5)
        found = end(demo, tmp_path / "demo" / "logs")
    finally:
        odoo.call("account.analytic.line", "unlink", [first])
        odoo.call("project.project", "unlink", [project])
    assert found["odoo"] == {"kind": "configured", "version": "19.0"}
    assert found["alerts"]["budget_burn.hours"] >= 1
    assert found["actions"]["succeeded"] > 0
    assert found["latency_ms"]["p50"] is not None
