"""What is let in and means nothing, or cannot be sent, is parked beside the raw delivery: the sender is told why."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.errors import PoisonMessage
from producers.webhooks.intake import Intake
from schemas import codec

NOW = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)


class Outbox:
    """Encodes as the real one does, and keeps what it was given; refuses what it is told to."""

    def __init__(self, refused: str | None = None) -> None:
        self.refused, self.sent = refused, []

    async def publish(self, records: Any) -> None:
        for record in records:
            if record.topic.name == self.refused:
                raise PoisonMessage("larger than it takes", remedy="shorten it", reason="too_large")
            codec.encode(record.topic.record, record.event)
        self.sent += records


def body(**data: Any) -> bytes:
    data = {"invoice_id": 7, "opened_on": "2026-03-01", **data}
    return json.dumps({"type": "dispute.opened", "timestamp": NOW.isoformat(), "data": data}).encode()


@pytest.mark.parametrize(
    ("refused", "content", "status", "topics", "reason"),
    [
        pytest.param(None, body(), 202, ["ops.webhook.v1", "finance.dispute.v1"], None, id="a dispute"),
        pytest.param(None, b"{", 422, ["ops.webhook.v1", "ops.dead-letter.v1"], "rejected", id="no JSON"),
        pytest.param(
            "finance.dispute.v1",
            body(),
            422,
            ["ops.webhook.v1", "ops.dead-letter.v1"],
            "too_large",
            id="too large to send",
        ),
    ],
)
def test_a_delivery_is_sent_or_parked_never_lost(refused, content, status, topics, reason):
    outbox = Outbox(refused)
    answer = asyncio.run(Intake(outbox, "firm").signed("helpdesk", "d1", content, NOW))
    assert answer.status == status
    assert [record.topic.name for record in outbox.sent] == topics
    last = outbox.sent[-1].event["current"]
    if reason is not None:
        assert (last["reason"], last["value"], last["owner"]) == (reason, content, "finance-operations")
