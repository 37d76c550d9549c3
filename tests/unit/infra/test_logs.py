"""Logs mask secrets, and what is about people, by the class of the field; whoever logs it, and however deep."""

from __future__ import annotations

import pytest

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
