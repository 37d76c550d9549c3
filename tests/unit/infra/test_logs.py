"""Logs mask secrets, and what is about people, by the class of the field; whoever logs it, and however deep."""

from __future__ import annotations

import io
import json
import sys

import pytest
import structlog

from infra import logs
from infra.logs import MASK, redact


@pytest.mark.parametrize(
    ("logged", "shown"),
    [
        pytest.param({"name": "Ada Example"}, {"name": MASK}, id="a name"),
        pytest.param({"hourly_cost": 80}, {"hourly_cost": MASK}, id="a field of class personal, by its name"),
        pytest.param({"webhook_secret": "s"}, {"webhook_secret": MASK}, id="a secret"),
        pytest.param({"body": "{}"}, {"body": MASK}, id="what others said"),
        pytest.param({"topic": "t", "offset": 1}, {"topic": "t", "offset": 1}, id="a place is no secret"),
        pytest.param(
            {"event": "row_parked", "level": "info", "timestamp": "t"},
            {"event": "row_parked", "level": "info", "timestamp": "t"},
            id="the level of a line is no level of a skill",
        ),
        pytest.param(
            {"record": {"id": 7, "current": {"name": "Ada", "level": "B2"}}},
            {"record": {"id": 7, "current": {"name": MASK, "level": MASK}}},
            id="a record that is logged whole",
        ),
        pytest.param({"rows": [{"minutes": 60, "id": 1}]}, {"rows": [{"minutes": MASK, "id": 1}]}, id="a list of them"),
    ],
)
def test_what_is_masked_and_what_is_not(logged, shown):
    assert redact(None, "info", dict(logged)) == shown


@pytest.fixture
def restored():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_a_logger_outlives_the_stream_that_stood_in_for_standard_error(monkeypatch, restored):
    gone, now = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", gone)
    logs.configure()
    log = structlog.get_logger()
    log.info("first")
    gone.close()
    monkeypatch.setattr(sys, "stderr", now)
    log.info("second")
    assert json.loads(now.getvalue())["event"] == "second"
