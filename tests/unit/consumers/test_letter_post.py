"""What of a refused delivery is posted, and where: all of it, to the server itself, whatever that listens on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from consumers.core.letter_queue import Letter
from consumers.core.reentry import Refusal
from consumers.letter_post import address_of, post
from infra.dead_letters import EXCERPT, LIMIT, parked
from infra.errors import PoisonMessage
from infra.settings import WebhookSettings

AT = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        pytest.param("127.0.0.1", "http://127.0.0.1:8787", id="as it is by default"),
        pytest.param("webhooks.internal", "http://webhooks.internal:8787", id="a name"),
        pytest.param("::1", "http://[::1]:8787", id="version 6 stands in brackets"),
        pytest.param("0.0.0.0", "http://127.0.0.1:8787", id="all addresses are none to call"),  # noqa: S104  it is not listened to
        pytest.param("::", "http://[::1]:8787", id="all addresses of version 6"),
        pytest.param("", "http://127.0.0.1:8787", id="all addresses, said by nothing"),
    ],
)
def test_the_address_of_the_server(host: str, address: str) -> None:
    assert address_of(WebhookSettings(host=host)) == address


def test_a_part_of_a_body_is_not_posted_for_the_whole() -> None:
    error, body = PoisonMessage("broken", remedy="mend it"), b"x" * (LIMIT + 1)
    event = parked("/odoo", -1, -1, key=b"k", value=body, headers=None, error=error, stage="webhooks", at=AT)
    held = event["current"]["value"]
    assert held is not None
    refused = post(WebhookSettings(), Letter(event["meta"]["event_id"], event), held, AT)
    assert isinstance(refused, Refusal)
    assert refused.why == f"the letter holds the first {EXCERPT} of {LIMIT + 1} bytes"
