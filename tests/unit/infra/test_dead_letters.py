"""A dead letter answers four questions: what failed, where, which process is affected, who owns the remedy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.dead_letters import DEAD_LETTERS, LIMIT, parked
from infra.errors import PoisonMessage
from schemas import codec

AT = datetime(2026, 3, 30, 12, tzinfo=UTC)
ERROR = PoisonMessage("it is no timesheet", remedy="mend the capture")


def letter(topic: str = "delivery.timesheet.v1", partition: int = 2, offset: int = 7, **more: Any) -> Any:
    given: dict[str, Any] = {"key": b"k", "value": b"v", "headers": None, "error": ERROR, "stage": "s", "at": AT}
    return parked(topic, partition, offset, **given | more)


def test_it_says_what_failed_where_and_whose_it_is():
    current = letter(stage="streams.decode")["current"]
    assert (current["error_class"], current["error"]) == ("PoisonMessage", "it is no timesheet")
    assert (current["topic"], current["partition"], current["offset"]) == ("delivery.timesheet.v1", 2, 7)
    assert (current["owner"], current["business_process"]) == ("delivery-operations", "resource-to-timesheet")
    assert (current["stage"], current["remedy"]) == ("streams.decode", "mend the capture")


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(letter(), id="of a record"),
        pytest.param(letter("/odoo/hook", -1, -1, key=None, value=None), id="of what never was on a topic"),
        pytest.param(letter(key=b"\xff\xfe"), id="of a key that is no text"),
        pytest.param(letter(error=ZeroDivisionError("x")), id="of a failure that is not ours"),
        pytest.param(letter(headers={"a": None, "b": "text"}), id="with headers of every kind"),
    ],
)
def test_it_fits_its_schema(made):
    assert codec.decode(codec.encode(DEAD_LETTERS.record, made)).value == made


def test_the_same_record_is_the_same_letter_and_another_is_another():
    ids = {letter(at=AT)["meta"]["event_id"], letter(at=AT.replace(hour=13))["meta"]["event_id"]}
    others = {letter(offset=8)["meta"]["event_id"], letter(partition=3)["meta"]["event_id"]}
    assert (len(ids), len(ids | others)) == (1, 3)


def test_letters_of_what_never_was_on_a_topic_differ_by_their_time():
    one, other = (letter("/hook", -1, -1, at=AT.replace(second=n))["meta"]["event_id"] for n in (1, 2))
    assert one != other


def test_secrets_stay_behind():
    headers = [("Webhook-Signature", b"v1,x"), ("x-api-key", b"k"), ("Authorization", "Bearer x"), ("ce_id", b"7")]
    assert letter(headers=headers)["current"]["headers"] == {"ce_id": b"7"}


def test_a_value_too_large_to_travel_stays_where_it_is_and_the_letter_says_so():
    current = letter(value=b"x" * (LIMIT + 1))["current"]
    assert current["value"] is None
    assert f"{LIMIT + 1} bytes" in current["remedy"]
