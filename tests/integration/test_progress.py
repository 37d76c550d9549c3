"""Commands that read whole topics tell so, and what they print stays what it was."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from burnline.cli import app

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("doctor", id="every check"),
        pytest.param("dlq list", id="the letters"),
        pytest.param("worklist", id="four topics of governance"),
        pytest.param("show disputes", id="a measure and the names in it"),
        pytest.param("trail list", id="the trail"),
    ],
)
def test_a_person_who_waits_is_told_what_for(kafka_bootstrap, monkeypatch, command):
    monkeypatch.setattr("infra.logs.configure", lambda _level: None)  # it would log into a file that the runner closes
    monkeypatch.setenv("BURNLINE_KAFKA__BOOTSTRAP_SERVERS", kafka_bootstrap)
    monkeypatch.setenv("FORCE_COLOR", "1")  # as at a terminal
    done = CliRunner().invoke(app, [*command.split(), "--json"])
    assert done.exit_code in {0, 1}, done.exception
    assert "reading" in done.stderr or "checking" in done.stderr
    assert all(isinstance(json.loads(line), dict) for line in done.stdout.splitlines())
