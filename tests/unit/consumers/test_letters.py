"""Which action a letter is about, whether it says so or is of a release that did not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consumers.core.action_events import action_event
from consumers.core.letters import abandonment, is_about, owned
from consumers.core.plan import plan
from consumers.core.policy import Policy
from infra.dead_letters import parked
from tests.support.governing import START, raised, rule

AT = datetime(2026, 3, 30, 8, tzinfo=UTC)
[PLANNED] = plan(raised(), Policy((rule(),)))
OTHER = replace(PLANNED, action_id="3f2a91c0-6c1e-5f2b-9d52-7a2f0f0d1c11")


def letter_about(planned, offset=4):
    error = abandonment(planned, "HTTP 500")
    made = parked(
        "governance.alert.v1", 0, offset, key=b"odoo:firm:project.project:7", value=b"v", headers=None, error=error,
        stage="actions", at=AT,
    )  # fmt: skip
    return owned(made, planned, 3)


def of_an_older_release(letter):
    letter["current"]["action_id"] = None
    return letter


@pytest.mark.parametrize(
    ("letter", "expected"),
    [
        pytest.param(letter_about(PLANNED), True, id="it names the action"),
        pytest.param(letter_about(OTHER), False, id="it names another"),
        pytest.param(of_an_older_release(letter_about(PLANNED)), True, id="it names none, and its id is made from the action's"),
        pytest.param(of_an_older_release(letter_about(PLANNED, offset=900)), True, id="wherever its alert stood"),
        pytest.param(of_an_older_release(letter_about(OTHER)), False, id="its id is made from another's"),
    ],
)  # fmt: skip
def test_which_action_a_letter_is_about(letter, expected):
    assert is_about(letter, action_event(PLANNED, "abandoned", 3, START)) is expected
