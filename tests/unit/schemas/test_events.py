"""Headers mirror the value: what they leave out does not matter, what they say otherwise does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.errors import PoisonMessage
from schemas.events import cloudevents_headers, meta, refuse_contradiction
from schemas.topics import topic

ALERTS = topic("governance.alert.v1")
NOW = datetime(2026, 3, 5, 17, 0, tzinfo=UTC)
META = meta(
    ALERTS, "raised", source="bürn", subject="odoo:firm:project.project:5", version=1, occurred_at=NOW, recorded_at=NOW,
    mode="derived", tenant="firm", company_id=None,
)  # fmt: skip
WRITTEN = cloudevents_headers(ALERTS, META)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(WRITTEN, id="as its producer wrote them"),
        pytest.param(dict(WRITTEN), id="as a mapping"),
        pytest.param([(name, value.decode()) for name, value in WRITTEN], id="as text"),
        pytest.param(WRITTEN[:1], id="most were dropped on the way"),
        pytest.param([], id="all were dropped on the way"),
        pytest.param(None, id="there never were any"),
        pytest.param([("traceparent", b"00-1"), ("ce_other", b"\xff"), ("CE_ID", b"x")], id="headers of others"),
    ],
)
def test_headers_that_agree_or_are_missing_are_fine(headers):
    refuse_contradiction(headers, META)


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source", "ce_subject"])
@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"another", id="another"),
        pytest.param("another", id="another, as text"),
        pytest.param(b"", id="nothing"),
        pytest.param(None, id="null"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"x" * 100_000, id="a great deal"),
    ],
)
def test_a_header_that_says_otherwise_is_refused_and_named(name, said):
    for headers in (
        [*WRITTEN, (name, said)],
        [(name, said), *WRITTEN],
        [(known, said if known == name else true) for known, true in WRITTEN],
        [(known, said if known == name else true) for known, true in reversed(WRITTEN)],
    ):
        with pytest.raises(PoisonMessage, match=f"the header {name} says") as caught:
            refuse_contradiction(headers, META)
        assert caught.value.reason == "headers_contradict"
        assert len(str(caught.value)) < 1000
