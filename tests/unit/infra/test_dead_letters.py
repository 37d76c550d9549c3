"""A dead letter answers four questions: what failed, where, which process is affected, who owns the remedy."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.dead_letters import DEAD_LETTERS, EXCERPT, HEADERS, LIMIT, parked
from infra.errors import PoisonMessage
from infra.kafka.limits import refuse_large
from schemas import codec
from schemas.events import cloudevents_headers

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


@pytest.mark.parametrize(
    ("offset", "where"),
    [
        pytest.param(7, "at its topic and offset", id="on a topic"),
        pytest.param(-1, "only where it came from", id="on none"),
    ],
)
def test_of_a_value_too_large_to_travel_the_beginning_does_and_the_letter_says_so(offset, where):
    value = bytes(range(256)) * 40_000
    current = letter(value=value, offset=offset)["current"]
    assert current["value"] == value[:EXCERPT]
    assert current["value_size"] == len(value) == 10_240_000
    assert current["value_sha256"] == hashlib.sha256(value).hexdigest()
    assert f"{len(value)} bytes" in current["remedy"]
    assert where in current["remedy"]


@pytest.mark.parametrize("value", [pytest.param(b"v", id="some"), pytest.param(b"x" * LIMIT, id="as much as travels")])
def test_a_value_that_travels_whole_says_so_by_its_size(value):
    current = letter(value=value)["current"]
    assert current["value"] == value
    assert current["value_size"] == len(value)
    assert current["value_sha256"] == hashlib.sha256(value).hexdigest()


def test_no_value_has_no_size():
    current = letter(value=None)["current"]
    assert (current["value"], current["value_size"], current["value_sha256"]) == (None, None, None)


def test_a_letter_about_the_largest_of_everything_fits_into_a_record():
    much = b"x" * 10_000_000
    made = letter(
        key=much,
        value=much,
        headers=[(f"h{n}", b"y" * 10_000) for n in range(1000)],
        error=PoisonMessage("e" * 10**6, remedy="r" * 10**6),
    )
    most = letter(key=b"k" * EXCERPT, value=b"x" * LIMIT, headers=[("h", b"y" * (HEADERS - 1))])
    for one in (made, most):
        data = codec.encode(DEAD_LETTERS.record, one)
        subject = one["meta"]["subject"].encode()
        refuse_large(DEAD_LETTERS.name, subject, data, cloudevents_headers(DEAD_LETTERS, one["meta"]), 1_000_000)
    assert made["meta"]["subject"] == "delivery.timesheet.v1:2:7"
    assert len(made["current"]["headers"]) == 4


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(ERROR, "rejected", id="a rule refused it"),
        pytest.param(PoisonMessage("x", reason="truncated"), "truncated", id="a reason of its own"),
        pytest.param(ZeroDivisionError("x"), "unknown", id="a failure that is not ours"),
    ],
)
def test_it_says_why_as_a_word_of_a_closed_list(error, reason):
    assert letter(error=error)["current"]["reason"] == reason


@pytest.mark.parametrize(
    ("topic", "offset", "where"),
    [
        pytest.param(
            "people.consultant.v1", 7, "still at its topic and offset", id="of a topic that a tombstone erases"
        ),
        pytest.param("people.consultant.v1", -1, "only where it came from", id="of a row that became no record"),
        pytest.param("internal.utilization-state.v1", 7, "still at its topic", id="of a row of state"),
    ],
)
def test_a_record_about_a_person_that_can_be_erased_does_not_travel(topic, offset, where):
    headers = {"ce_id": "1", "sender": "Ada Example"}
    made = letter(topic, offset=offset, value=b"Ada Example", headers=headers, error=ValueError("no Ada Example"))

    assert b"Ada Example" not in codec.encode(DEAD_LETTERS.record, made)
    current = made["current"]
    assert (current["value"], current["value_size"], current["headers"]) == (None, 11, {"ce_id": b"1"})
    assert current["value_sha256"] == hashlib.sha256(b"Ada Example").hexdigest()
    assert current["error"] == "ValueError"
    assert where in current["remedy"]
    assert "about a person" in current["remedy"]


def test_a_record_of_a_topic_that_keeps_its_history_travels():
    assert letter("delivery.timesheet.v1", value=b"v", headers={"a": b"1"})["current"]["value"] == b"v"


IDENTITY, CHAIN = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.mark.parametrize(
    ("headers", "correlation", "cause"),
    [
        pytest.param({"ce_id": IDENTITY, "ce_correlationid": CHAIN}, CHAIN, IDENTITY, id="of an event that says both"),
        pytest.param({"ce_id": IDENTITY}, IDENTITY, IDENTITY, id="of one that says only itself"),
        pytest.param({"ce_id": "7", "ce_correlationid": "x"}, None, None, id="what is no id is not believed"),
        pytest.param(None, None, None, id="without headers it begins a chain"),
    ],
)
def test_it_stands_in_the_chain_that_the_record_s_headers_name(headers, correlation, cause):
    meta = letter(headers=headers)["meta"]
    assert meta["causation_id"] == cause
    assert meta["correlation_id"] == (correlation or meta["event_id"])
