"""From a signed payload to a dispute event: what each message type means, and what is refused with the place named."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import PoisonMessage
from producers.core.messages import Origin
from producers.core.messages.helpdesk import DISPUTES
from producers.webhooks.messages import parse_message
from schemas import codec

NOW = datetime(2026, 3, 13, 9, 0, tzinfo=UTC)
MARCH_10, MARCH_12 = date(2026, 3, 10), date(2026, 3, 12)
SINCE = {"opened_on": "2026-03-10"}
MOMENT = "2026-03-12T23:30:00.000001+01:00"


def message(kind="dispute.opened", *, timestamp=MOMENT, without=(), **data):
    content = {"invoice_id": 7} | data
    whole = {"type": kind, "timestamp": timestamp, "data": content}
    return json.dumps({key: value for key, value in whole.items() if key not in without}).encode()


def event(body, now=NOW):
    return DISPUTES.event(parse_message(body), Origin("helpdesk", "firm", now, "c" * 36))


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        pytest.param(
            "dispute.opened", {}, ("opened", "open", MARCH_12, None), id="opens on the day of its sender's clock"
        ),
        pytest.param("dispute.opened", SINCE, ("opened", "open", MARCH_10, None), id="told later than it was opened"),
        pytest.param(
            "dispute.opened",
            {"status": "awaiting_customer"},
            ("opened", "awaiting_customer", MARCH_12, None),
            id="opened with a question back",
        ),
        pytest.param(
            "dispute.updated",
            SINCE | {"status": "awaiting_customer"},
            ("updated", "awaiting_customer", MARCH_10, None),
            id="the clock of the service level stops",
        ),
        pytest.param(
            "dispute.updated",
            SINCE,
            ("updated", "open", MARCH_10, None),
            id="an update means open where it says nothing else",
        ),
        pytest.param("dispute.escalated", SINCE, ("escalated", "escalated", MARCH_10, None), id="escalated"),
        pytest.param(
            "dispute.resolved",
            SINCE,
            ("resolved", "resolved", MARCH_10, MARCH_12),
            id="closed on the day of the message",
        ),
        pytest.param(
            "dispute.resolved",
            SINCE | {"closed_on": "2026-03-11"},
            ("resolved", "resolved", MARCH_10, date(2026, 3, 11)),
            id="closed on the day it names",
        ),
        pytest.param("dispute.withdrawn", SINCE, ("withdrawn", "withdrawn", MARCH_10, MARCH_12), id="withdrawn"),
        pytest.param("dispute.reopened", {}, ("reopened", "open", MARCH_12, None), id="reopened"),
    ],
)
def test_each_type_means_its_event(kind, data, expected):
    verb, *current = expected
    made = event(message(kind, **data))

    assert made["meta"]["event_type"] == f"finance.dispute.{verb}.v1"
    assert made["meta"]["subject"] == "odoo:firm:account.move:7"
    assert made["meta"]["source"] == "helpdesk"
    assert made["meta"]["mode"] == "webhook"
    assert [made["current"][name] for name in ("status", "opened_on", "closed_on")] == current
    assert codec.decode(codec.encode(DISPUTES.topic.record, made)).value == made


def test_the_version_is_the_moment_in_microseconds_so_that_events_are_ordered_by_when_they_happened():
    assert (
        event(message())["meta"]["version"]
        == int(datetime(2026, 3, 12, 22, 30, tzinfo=UTC).timestamp()) * 1_000_000 + 1
    )


@given(st.timedeltas(timedelta(), timedelta(days=30)))
def test_the_same_message_has_the_same_id_whenever_it_comes(later):
    assert event(message())["meta"]["event_id"] == event(message(), NOW + later)["meta"]["event_id"]


@given(st.decimals(0, 10**14, allow_nan=False, places=4))
def test_money_comes_through_to_the_last_digit(amount):
    assert event(message(amount=f"{amount:f}", currency="EUR"))["current"]["amount"] == Decimal(f"{amount:f}")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param(b"", "the body", id="empty"),
        pytest.param(b"{", "the body", id="cut off"),
        pytest.param(b"[]", "the body", id="no object"),
        pytest.param(b"\xff", "the body", id="no text"),
        pytest.param(message("invoice.paid"), "type", id="a type that means no event"),
        pytest.param(message(without=["timestamp"]), "timestamp", id="no moment"),
        pytest.param(message(timestamp="2026-03-12T10:00:00"), "UTC offset", id="a moment that could be any of 24"),
        pytest.param(message(timestamp=1773309600), "timestamp", id="a moment as a number"),
        pytest.param(
            message(timestamp="2026-03-13T10:00:01+00:00"), "future", id="a version that would hide all later ones"
        ),
        pytest.param(message(without=["data"]), "data", id="no data"),
        pytest.param(message(surprise=1), "data.surprise", id="an unknown key is a misunderstanding"),
        pytest.param(message(invoice_id="7"), "data.invoice_id", id="an id as text"),
        pytest.param(message(invoice_id=True), "data.invoice_id", id="an id that is a truth"),
        pytest.param(message(invoice_id=0), "invoice_id", id="no record has the id 0"),
        pytest.param(message(invoice_id=1 << 31), "invoice_id", id="beyond Odoo's integers"),
        pytest.param(message(amount=12.5, currency="EUR"), "data.amount", id="money as a float"),
        pytest.param(message(amount="-1", currency="EUR"), "amount", id="negative money"),
        pytest.param(message(amount="1e3", currency="EUR"), "amount", id="money with an exponent"),
        pytest.param(message(amount="1.00001", currency="EUR"), "amount", id="more decimals than the contract keeps"),
        pytest.param(message(amount="1"), "currency", id="money of no currency"),
        pytest.param(message(currency="Euro"), "currency", id="no ISO 4217 code"),
        pytest.param(message(status="resolved"), "data.status", id="a status this type cannot have"),
        pytest.param(
            message("dispute.opened", status="escalated"), "contradicts", id="a status that contradicts its type"
        ),
        pytest.param(message("dispute.resolved"), "opened_on", id="an end without a beginning"),
        pytest.param(message(closed_on="2026-03-12"), "closed_on", id="a beginning with an end"),
        pytest.param(
            message("dispute.resolved", opened_on="2026-03-13"),
            "opened_on",
            id="opened after the moment of the message",
        ),
        pytest.param(
            message("dispute.resolved", opened_on="2026-03-10", closed_on="2026-03-09"),
            "opened_on",
            id="closed before it was opened",
        ),
        pytest.param(message(reason="x" * 2001), "reason", id="a novel"),
    ],
)
def test_what_means_no_event_is_refused_with_its_place(body, place):
    with pytest.raises(PoisonMessage, match=place) as refused:
        event(body)
    assert refused.value.remedy


@given(
    st.binary(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "timestamp", "data", "x"]), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_nothing_a_sender_can_write_ends_in_anything_but_an_event_or_a_poison_message(body):
    with pytest.raises(PoisonMessage):
        event(body)
