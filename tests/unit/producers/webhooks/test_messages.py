"""From a signed payload to an event: what each type of message means, what is refused, and what senders are told in docs/webhooks.md."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import PoisonMessage
from producers.core.messages import KINDS, TABLES, Origin, table_of
from producers.webhooks.messages import parse_message
from schemas import codec

NOW = datetime(2026, 3, 13, 9, 0, tzinfo=UTC)
MOMENT = "2026-03-12T23:30:00.000001+01:00"
AT = datetime(2026, 3, 12, 22, 30, 0, 1, tzinfo=UTC)
CAUSE = "0b6f9c7e-6a55-5b0f-8a63-9f1d2f2f5a10"
PAGE = Path(__file__).resolve().parents[4] / "docs" / "webhooks.md"

SIGNED = {"contract_id": 41}
PAID = {"payment_id": 77, "direction": "inbound", "amount": "1500.00", "currency": "EUR"}
ASKED = {"reference": "APP-7", "title": "12 %", "category": "discount"}
SINCE = {"requested_at": "2026-03-10T08:00:00Z"}
RAISED = {"reference": "CR-3", "title": "A second language"}
LONG = {"raised_at": "2026-03-10T08:00:00Z"}
TEN = datetime(2026, 3, 10, 8, tzinfo=UTC)


def message(kind: str, data: dict[str, Any], **changed: Any) -> bytes:
    return json.dumps({"type": kind, "timestamp": MOMENT, "data": data, **changed}).encode()


def event(body: bytes, now: datetime = NOW) -> dict[str, Any]:
    told = parse_message(body)
    return table_of(told.type).event(told, Origin("flow", "firm", now, CAUSE))


@pytest.mark.parametrize(
    ("kind", "data", "event_type", "subject", "expected"),
    [
        pytest.param(
            "contract.signed",
            SIGNED,
            "sales.contract.signed.v1",
            "odoo:firm:sale.order:41",
            {"id": 41, "signed_at": AT, "status": "unknown", "amount": None},
            id="an e-signature service knows order and moment alone",
        ),
        pytest.param(
            "payment.settled",
            PAID | {"invoice_ids": [9, 3, 9]},
            "finance.payment.settled.v1",
            "odoo:firm:account.payment:77",
            {"status": "paid", "amount": Decimal(1500), "date": date(2026, 3, 12), "invoice_ids": [3, 9]},
            id="a bank settles, on the day of its clock",
        ),
        pytest.param(
            "payment.rejected",
            PAID | {"date": "2026-03-09"},
            "finance.payment.rejected.v1",
            "odoo:firm:account.payment:77",
            {"status": "rejected", "date": date(2026, 3, 9)},
            id="a bank rejects, on the day it names",
        ),
        pytest.param("payment.registered", PAID, "finance.payment.registered.v1", "odoo:firm:account.payment:77", {"status": "in_process"}, id="a bank has an order"),
        pytest.param("payment.cancelled", PAID, "finance.payment.cancelled.v1", "odoo:firm:account.payment:77", {"status": "cancelled"}, id="an order is called off"),
        pytest.param(
            "approval.requested",
            ASKED,
            "governance.approval.requested.v1",
            "flow:approval:APP-7",
            {"status": "requested", "requested_at": AT, "decided_at": None},
            id="asked at the moment of the message",
        ),
        pytest.param(
            "approval.delegated",
            ASKED | SINCE | {"delegated_from_id": 4, "approver_id": 5},
            "governance.approval.delegated.v1",
            "flow:approval:APP-7",
            {"status": "requested", "requested_at": TEN, "delegated_from_id": 4, "decided_at": None},
            id="somebody else is asked, the status stays",
        ),
        pytest.param(
            "approval.approved",
            ASKED | SINCE | {"decided_by_id": 5},
            "governance.approval.approved.v1",
            "flow:approval:APP-7",
            {"status": "approved", "decided_at": AT, "decided_by_id": 5},
            id="decided at the moment of the message",
        ),
        pytest.param("approval.rejected", ASKED | SINCE, "governance.approval.rejected.v1", "flow:approval:APP-7", {"status": "rejected"}, id="refused"),
        pytest.param("approval.expired", ASKED | SINCE, "governance.approval.expired.v1", "flow:approval:APP-7", {"status": "expired"}, id="nobody decided"),
        pytest.param("approval.cancelled", ASKED | SINCE, "governance.approval.cancelled.v1", "flow:approval:APP-7", {"status": "cancelled"}, id="called off"),
        pytest.param(
            "change-request.raised",
            RAISED | {"amount": "-400.00", "currency": "EUR", "minutes": -60},
            "delivery.change-request.raised.v1",
            "flow:change-request:CR-3",
            {"kind": "external", "status": "raised", "raised_at": AT, "amount": Decimal(-400), "minutes": -60},
            id="a change may cost less",
        ),
        pytest.param("change-request.changed", RAISED | LONG, "delivery.change-request.changed.v1", "flow:change-request:CR-3", {"status": "raised", "raised_at": TEN}, id="it is another change now"),
        pytest.param("change-request.approved", RAISED | LONG, "delivery.change-request.approved.v1", "flow:change-request:CR-3", {"status": "approved", "decided_at": AT}, id="agreed"),
        pytest.param("change-request.rejected", RAISED | LONG, "delivery.change-request.rejected.v1", "flow:change-request:CR-3", {"status": "rejected", "decided_at": AT}, id="not agreed"),
        pytest.param("change-request.withdrawn", RAISED | LONG, "delivery.change-request.withdrawn.v1", "flow:change-request:CR-3", {"status": "withdrawn", "decided_at": AT}, id="not asked for any more"),
    ],
)  # fmt: skip
def test_each_type_means_its_event(kind, data, event_type, subject, expected):
    made = event(message(kind, data))
    said = made["meta"]
    assert (said["event_type"], said["subject"], said["source"], said["mode"]) == (
        event_type,
        subject,
        "flow",
        "webhook",
    )
    assert (said["occurred_at"], said["recorded_at"], said["causation_id"]) == (AT, NOW, CAUSE)
    assert said["version"] == int(AT.timestamp()) * 1_000_000 + 1
    assert {name: made["current"][name] for name in expected} == expected
    assert codec.decode(codec.encode(table_of(kind).topic.record, made)).value == made


def test_every_type_is_named_like_its_event_and_its_topic_lets_webhooks_publish():
    for table in TABLES:
        stem = table.topic.name.removesuffix(".v1").partition(".")[2]
        assert {f"{stem}.{row.verb}" for row in table.rows.values()} == set(table.rows)
        assert all(table.topic.event_type(row.verb) for row in table.rows.values())
        assert "webhooks" in table.topic.publishers


def test_every_type_may_be_told_by_somebody():
    assert {table.topic.name for tables in KINDS.values() for table in tables} == {t.topic.name for t in TABLES}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param(message("contract.cancelled", SIGNED), "contract.cancelled", id="a type that means no event"),
        pytest.param(message("contract.signed", SIGNED | {"amount": "1"}), "data.amount", id="what an e-signature service cannot know"),
        pytest.param(message("contract.signed", {"contract_id": -1}), "contract_id", id="no order"),
        pytest.param(message("contract.signed", SIGNED, timestamp="2026-03-12T10:00:00"), "UTC offset", id="a moment that could be any of 24"),
        pytest.param(message("contract.signed", SIGNED, timestamp="0001-01-01T00:00:00+14:00"), "years 1 to 9999", id="before the first moment of UTC"),
        pytest.param(message("approval.requested", ASKED | {"due_at": "9999-12-31T23:59:59-05:00"}), "due_at lies outside", id="after the last moment of UTC"),
        pytest.param(message("change-request.raised", RAISED | {"raised_at": "0001-01-01T00:00:00+14:00"}), "raised_at lies outside", id="raised before the first moment"),
        pytest.param(message("contract.signed", SIGNED, timestamp="2026-03-13T10:00:01Z"), "future", id="a version that would hide all later ones"),
        pytest.param(message("payment.settled", PAID | {"direction": "sideways"}), "data.direction", id="a direction money has not"),
        pytest.param(message("payment.settled", PAID | {"amount": "-5"}), "amount", id="the direction says the sign"),
        pytest.param(message("payment.settled", PAID | {"invoice_ids": [0]}), "invoice_ids", id="no invoice"),
        pytest.param(message("approval.approved", ASKED), "requested_at", id="decided, and nobody knows when it was asked"),
        pytest.param(message("approval.approved", ASKED | {"requested_at": "2026-03-13T00:00:00Z"}), "requested_at", id="decided before it was asked"),
        pytest.param(message("approval.requested", ASKED | {"decided_by_id": 5}), "decided_by_id", id="asked and decided at once"),
        pytest.param(message("approval.delegated", ASKED | SINCE), "delegated_from_id", id="delegated by nobody"),
        pytest.param(message("approval.requested", ASKED | {"reference": "a b"}), "reference", id="a reference that is no part of a key"),
        pytest.param(message("approval.requested", ASKED | {"title": ""}), "title", id="nothing to decide"),
        pytest.param(message("approval.requested", ASKED | {"subject": "order 7"}), "subject", id="a subject that is no key"),
        pytest.param(message("approval.requested", ASKED | {"due_at": "2026-03-14T10:00:00"}), "due_at", id="a deadline that could be any of 24"),
        pytest.param(message("change-request.approved", RAISED), "raised_at", id="agreed, and never raised"),
        pytest.param(message("change-request.changed", RAISED | LONG | {"decided_by_id": 5}), "decided_by_id", id="decided, and still open"),
        pytest.param(message("change-request.raised", RAISED | {"minutes": 10**12}), "minutes", id="more than anybody works"),
        pytest.param(message("change-request.raised", RAISED | {"amount": "5"}), "currency", id="money of no currency"),
    ],
)  # fmt: skip
def test_what_means_no_event_is_refused_with_its_place(body, place):
    with pytest.raises(PoisonMessage, match=place) as refused:
        event(body)
    assert refused.value.remedy


@given(
    st.timedeltas(timedelta(), timedelta(days=30)),
    st.sampled_from([("contract.signed", SIGNED), ("approval.requested", ASKED)]),
)
def test_the_same_message_has_the_same_id_whenever_it_comes(later, told):
    assert event(message(*told))["meta"]["event_id"] == event(message(*told), NOW + later)["meta"]["event_id"]


def test_what_the_page_for_senders_shows_is_taken():
    later = datetime(2026, 4, 1, tzinfo=UTC)
    shown = [event(body.encode(), later) for body in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]
    assert {made["meta"]["event_type"].split(".")[1] for made in shown} == {t.topic.name.split(".")[1] for t in TABLES}


def test_the_page_for_senders_names_every_kind_and_every_type():
    text = PAGE.read_text()
    for kind, tables in KINDS.items():
        (row,) = re.findall(rf"^\| `{kind}` \|.*$", text, re.MULTILINE)
        shown = tables if kind != "n8n" else [t for t in tables if "change-request" in t.topic.name]
        for table in shown:
            stem = next(iter(table.rows)).partition(".")[0]
            named = re.findall(r"`([a-z.-]+)`", row)
            assert {name if name.startswith(stem) else stem + name for name in named if "." in name} == set(table.rows)
