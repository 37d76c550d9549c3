"""What a firm may configure, and what is refused."""

from typing import Any

import pytest

from infra.config import section
from infra.errors import Fatal
from producers.core.policy import CapturePolicy


def test_nothing_configured_is_the_default() -> None:
    assert section({}, "capture", CapturePolicy) == CapturePolicy()


def test_everything_can_be_configured() -> None:
    given = {
        "approved": {"field": "x_state", "values": ["ok"], "submitted": ["sent"]},
        "dispute": {"blocked": False, "state_field": "x_claim", "states": {"klage": "open"}},
        "cost_budget_field": "x_budget",
    }
    policy = section({"capture": given}, "capture", CapturePolicy)
    assert policy.approved.values == ("ok",)
    assert policy.dispute.word("klage") == "open"
    assert policy.cost_budget_field == "x_budget"


@pytest.mark.parametrize(
    ("given", "place"),
    [
        pytest.param({"aproved": {}}, "capture.aproved", id="an unknown key is no silent default"),
        pytest.param({"approved": {"feild": "x"}}, "capture.approved.feild", id="nor is one further in"),
        pytest.param({"approved": {"field": "not a name"}}, "approved.field", id="a field must be a name"),
        pytest.param(
            {"approved": {"values": ["a"], "submitted": ["a"]}}, "must not share", id="one value cannot mean both"
        ),
        pytest.param({"dispute": {"states": {"x": "angry"}}}, "angry", id="a word no dispute knows"),
        pytest.param({"cost_budget_field": ""}, "cost_budget_field", id="an empty name"),
    ],
)
def test_a_mistake_is_named(given: dict[str, Any], place: str) -> None:
    with pytest.raises(Fatal, match=place):
        section({"capture": given}, "capture", CapturePolicy)
