"""What is let in and means nothing, or cannot be sent, is parked beside the raw delivery: the sender is told why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from producers.core.messages import KINDS
from producers.core.webhook_depth import deeper_than
from producers.webhooks.intake import Intake
from schemas import codec

NOW = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)


def intake() -> Intake:
    return Intake("firm", models={"project.task"}, max_depth=8)


def body(**data: Any) -> bytes:
    data = {"invoice_id": 7, "opened_on": "2026-03-01", **data}
    return json.dumps({"type": "dispute.opened", "timestamp": NOW.isoformat(), "data": data}).encode()


@pytest.mark.parametrize(
    ("content", "status", "topics"),
    [
        pytest.param(body(), 202, ["ops.webhook.v1", "finance.dispute.v1"], id="a dispute"),
        pytest.param(b"{", 400, ["ops.webhook.v1", "ops.dead-letter.v1"], id="no JSON"),
        pytest.param(
            body(reason="é").replace(b"\\u00e9", b"\xe9"), 400, ["ops.webhook.v1", "ops.dead-letter.v1"], id="no UTF-8"
        ),
        pytest.param(b"[" * 9, 400, ["ops.webhook.v1", "ops.dead-letter.v1"], id="nested too deeply"),
        pytest.param(body(invoice_id="7"), 422, ["ops.webhook.v1", "ops.dead-letter.v1"], id="of another shape"),
    ],
)
def test_a_delivery_is_sent_or_parked_never_lost(content: bytes, status: int, topics: list[str]) -> None:
    entry = intake().signed("helpdesk", KINDS["helpdesk"], "d1", content, NOW)
    assert entry.answer.status == status
    assert [record.topic for record in entry.records] == topics
    assert codec.decode(entry.records[0].value).value["current"]["body"] == content
    if status != 202:
        letter = codec.decode(entry.records[-1].value).value["current"]
        assert (letter["reason"], letter["value"], letter["owner"]) == ("rejected", content, "finance-operations")
        assert letter["error"] == entry.answer.reason


@pytest.mark.parametrize(
    ("kind", "owner"),
    [
        pytest.param("bank", "finance-operations", id="a source of one entity: who owns that"),
        pytest.param("n8n", "platform", id="a source of many: who runs the workflows"),
    ],
)
def test_a_letter_goes_to_who_owns_the_remedy(kind: str, owner: str) -> None:
    entry = intake().signed(kind, KINDS[kind], "d1", b"{}", NOW)
    assert codec.decode(entry.records[-1].value).value["current"]["owner"] == owner


def test_what_a_source_may_not_speak_of_is_parked_and_told() -> None:
    entry = intake().signed("bank", KINDS["bank"], "d1", body(), NOW)
    assert entry.answer.status == 403
    assert [record.topic for record in entry.records] == ["ops.webhook.v1", "ops.dead-letter.v1"]
    assert intake().signed("flow", KINDS["n8n"], "d1", body(), NOW).answer.status == 202


def test_the_same_delivery_is_the_same_to_the_last_byte() -> None:
    first, second = (intake().signed("helpdesk", KINDS["helpdesk"], "d1", body(), NOW) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(b'{"_model": "project.task", "_id": 3}', 202, id="a hint"),
        pytest.param(b'{"_model": "project.task"', 400, id="cut off"),
        pytest.param(b"[" * 300, 400, id="nested too deeply for any parser"),
        pytest.param(b'{"_model": "mail.message", "_id": 3}', 422, id="of a model that nothing is captured of"),
        pytest.param(b'{"_model": "project.task"}', 422, id="it names no record"),
    ],
)
def test_a_post_of_odoos_is_a_hint_or_parked(content: bytes, status: int) -> None:
    entry = intake().unsigned(content, NOW)
    assert entry.answer.status == status
    assert entry.delivery is None
    assert [record.topic for record in entry.records] == ["ops.webhook.v1" if status == 202 else "ops.dead-letter.v1"]


@pytest.mark.parametrize(
    ("text", "deeper"),
    [
        pytest.param(b"[[[]]]", False, id="as deep as may be"),
        pytest.param(b'{"a": [[[]]]}', True, id="one deeper"),
        pytest.param(b"[[]], [[]], [[]]", False, id="broad is not deep"),
        pytest.param(b'{"a": "[[[[[[", "b": "{{{{"}', False, id="brackets in texts are text"),
        pytest.param(b'{"a": "\\"[[[[", "b": [[[["x"]]]]}', True, id="a quote may be escaped in a text"),
        pytest.param(b'["' + b'\\"' * 100_000, False, id="a text that never ends costs no more than its length"),
    ],
)
def test_depth_is_told_before_anything_parses(text: bytes, deeper: bool) -> None:
    assert deeper_than(3, text) is deeper
