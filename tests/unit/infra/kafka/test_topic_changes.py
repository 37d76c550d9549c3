"""What a topic has otherwise than declared, and which of it may be changed without asking."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.kafka.topics import differences
from schemas.topics import TOPICS

EVENTS = TOPICS["delivery.timesheet.v1"]
CLOCK = TOPICS["ops.clock.v1"]
STATE = TOPICS["internal.budget-burn-state.v1"]


@pytest.mark.parametrize(
    ("topic", "partitions", "config", "expected"),
    [
        pytest.param(EVENTS, 6, {"cleanup.policy": "delete", "retention.ms": "-1"}, [], id="as declared"),
        pytest.param(
            EVENTS,
            6,
            {"cleanup.policy": "delete", "retention.ms": "604800000"},
            ["alter"],
            id="history is kept for longer: nothing is lost",
        ),
        pytest.param(
            CLOCK,
            6,
            {"cleanup.policy": "delete", "retention.ms": "-1"},
            ["differs"],
            id="history is kept for shorter: the broker would delete it",
        ),
        pytest.param(
            STATE,
            6,
            {"cleanup.policy": "delete"},
            ["differs"],
            id="compaction would delete all but the last of each key",
        ),
        pytest.param(STATE, 12, {"cleanup.policy": "compact"}, ["differs"], id="keys have moved with the partitions"),
        pytest.param(
            replace(EVENTS, extra={"segment.ms": "1"}),
            6,
            {"cleanup.policy": "delete", "retention.ms": "-1"},
            ["alter"],
            id="a setting that is not there at all",
        ),
    ],
)
def test_differences(topic, partitions, config, expected):
    changes = differences(topic, partitions, config)
    assert [change.kind for change in changes] == expected
    assert all(bool(change.why) == (change.kind == "differs") for change in changes)
    assert all(topic.name in str(change) for change in changes)
