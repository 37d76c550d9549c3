"""The command line as a user calls it: examples in every help, two clear lines for every failure, statuses that mean something."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

COMMANDS = [
    "demo", "doctor", "capture", "webhooks", "streams", "clock", "actions", "run", "show", "tail", "lag", "audit",
    "status", "streams rebuild", "streams rules", "snapshot start", "snapshot status", "snapshot pause", "snapshot resume", "snapshot stop",
    "broker start", "broker stop", "broker status", "topics plan", "topics apply", "topics carry-over", "dlq list",
    "dlq show", "dlq retry", "dlq discard", "dlq edit", "dlq watch", "privacy erase",
    "trail keep", "trail list", "trail export", "trail verify", "trace",
    "policy check", "policy try", "worklist", "override", "governor", "assist",
    "schemas check", "schemas release", "schemas list", "schemas publish", "odoo install-webhooks", "odoo log-connector",
]  # fmt: skip


def burnline(*arguments, **environment):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BURNLINE_", "ODOO_"))}
    return subprocess.run(
        [sys.executable, "-m", "burnline", *arguments],
        env={**kept, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def closed():
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command):
    done = burnline(*command.split(), "--help")
    assert done.returncode == 0
    assert "Example:" in done.stdout


def test_without_a_broker_it_says_what_to_do(tmp_path):
    done = burnline("show", "utilization", BURNLINE_BROKER__DATA_DIR=str(tmp_path))
    assert done.returncode == 2
    assert "no Kafka broker is configured" in done.stderr
    assert "burnline broker start" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_misspelt_setting_is_named():
    done = burnline("lag", BURNLINE_KAFKA__BOOTSTRAP="x:1")
    assert done.returncode == 2
    assert "BURNLINE_KAFKA__BOOTSTRAP" in done.stderr


@pytest.mark.parametrize("command", [["topics", "plan"], ["streams"], ["clock"], ["lag"]], ids=" ".join)
def test_kafka_down_is_a_failure_that_may_pass_and_names_the_address(command, closed):
    done = burnline(*command, BURNLINE_KAFKA__BOOTSTRAP_SERVERS=closed, BURNLINE_STREAMS__WEB_PORT="0")
    assert done.returncode == 3, done.stderr
    assert closed in done.stderr
    assert "Traceback" not in done.stderr


def test_a_negative_threshold_stops_a_worker_before_it_does_harm(kafka_bootstrap, tmp_path):
    config = tmp_path / "firm.yaml"
    config.write_text("measures: {budget_burn: {levels: [-50]}}")
    done = burnline("streams", BURNLINE_KAFKA__BOOTSTRAP_SERVERS=kafka_bootstrap, BURNLINE_CONFIG=str(config))
    assert done.returncode == 2, done.stderr
    assert "measures.budget_burn" in done.stderr


def test_topics_are_planned_applied_and_then_as_they_should_be(kafka_bootstrap):
    at = {"BURNLINE_KAFKA__BOOTSTRAP_SERVERS": kafka_bootstrap}
    assert burnline("topics", "apply", "--yes", **at).returncode == 0
    assert burnline("topics", "plan", **at).returncode == 0


def test_doctor_finds_what_is_wrong_and_says_what_to_do(kafka_bootstrap, closed):
    at = {"BURNLINE_KAFKA__BOOTSTRAP_SERVERS": kafka_bootstrap}
    burnline("topics", "apply", "--yes", **at)
    done = burnline("doctor", "--json", **at, ODOO_URL=f"http://{closed}", ODOO_DB="firm", ODOO_PASSWORD="x")
    findings = {one["check"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert {name: findings[name]["verdict"] for name in ("settings", "schemas", "configuration", "kafka", "topics", "odoo")} == {
        "settings": "ok", "schemas": "ok", "configuration": "ok", "kafka": "ok", "topics": "ok", "odoo": "failed",
    }  # fmt: skip
    assert closed in findings["odoo"]["detail"]
    assert findings["odoo"]["remedy"]


@pytest.mark.odoo
def test_doctor_on_a_real_odoo(kafka_bootstrap, real_odoo):
    at = {
        "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": kafka_bootstrap,
        "ODOO_URL": real_odoo.url,
        "ODOO_DB": real_odoo.db,
        "ODOO_USER": real_odoo.user,
    }
    burnline("topics", "apply", "--yes", **at)
    well = burnline("doctor", "--json", **at, ODOO_PASSWORD=real_odoo.password)
    assert well.returncode == 0, well.stdout
    wrong = burnline("doctor", "--json", **at, ODOO_PASSWORD="guess")
    last = json.loads(wrong.stdout.splitlines()[-1])
    assert wrong.returncode == 1
    assert (last["check"], last["verdict"]) == ("odoo", "failed")
    assert "guess" not in wrong.stdout + wrong.stderr
