"""How deliveries and hints are recorded."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import PoisonMessage
from producers.core.webhook_records import DELIVERIES, Hint, delivery_event, hint, hint_event
from schemas import codec

NOW = datetime(2026, 3, 13, 9, 0, tzinfo=UTC)
POST = {"_action": "tell(#12)", "_id": 532, "_model": "account.analytic.line", "id": 532, "unit_amount": 2.0}


def delivery(at=NOW, body=b"{}"):
    return delivery_event(
        source="n8n", delivery_id="msg_1", database="firm", received_at=at, content_type="application/json", body=body
    )


@given(st.timedeltas(timedelta(), timedelta(days=30)))
def test_a_delivery_sent_again_after_a_restart_is_the_same_event(later):
    assert delivery()["meta"]["event_id"] == delivery(NOW + later)["meta"]["event_id"]


@given(st.binary(max_size=2000))
def test_a_delivery_is_kept_byte_for_byte(body):
    made = delivery(body=body)

    assert codec.decode(codec.encode(DELIVERIES.record, made)).value == made
    assert made["current"]["body"] == body
    assert made["current"]["verified"]
    assert made["meta"]["subject"] == "n8n:delivery:msg_1"


def test_a_hint_goes_under_the_key_of_its_record_and_is_not_believed():
    made = hint_event(
        hint(POST), delivery_id="u", database="firm", received_at=NOW, content_type="application/json", body=b"x"
    )

    assert made["meta"]["subject"] == "odoo:firm:account.analytic.line:532"
    assert made["meta"]["mode"] == "hint"
    assert not made["current"]["verified"]
    assert (made["current"]["model"], made["current"]["record_id"]) == ("account.analytic.line", 532)
    assert codec.decode(codec.encode(DELIVERIES.record, made)).value == made


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param(POST, Hint("account.analytic.line", 532, "tell(#12)"), id="as Odoo sends it"),
        pytest.param(
            POST | {"_action": None}, Hint("account.analytic.line", 532, None), id="the name of the rule is no matter"
        ),
        pytest.param(
            POST | {"_action": "x" * 300}, Hint("account.analytic.line", 532, "x" * 200), id="a long name is shortened"
        ),
        pytest.param(
            POST | {"_model": "x_custom_thing"},
            Hint("x_custom_thing", 532, "tell(#12)"),
            id="a model of the firm's own",
        ),
    ],
)
def test_hints_are_read(content, found):
    assert hint(content) == found


@pytest.mark.parametrize(
    ("content", "place"),
    [
        pytest.param([], "object", id="no object"),
        pytest.param({}, "_model", id="nothing"),
        pytest.param(POST | {"_model": "a:b"}, "_model", id="a model that would break the key"),
        pytest.param(POST | {"_model": 5}, "_model", id="a model that is no text"),
        pytest.param(POST | {"_id": "532"}, "_id", id="an id as text"),
        pytest.param(POST | {"_id": True}, "_id", id="an id that is a truth"),
        pytest.param(POST | {"_id": 0}, "_id", id="no record has the id 0"),
        pytest.param(POST | {"_id": 1 << 40}, "_id", id="beyond Odoo's integers"),
    ],
)
def test_what_names_no_record_is_refused(content, place):
    with pytest.raises(PoisonMessage, match=place):
        hint(content)
