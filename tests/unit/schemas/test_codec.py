"""What enters is decoded in one place, and what cannot be decoded says why."""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from schemas import codec
from schemas.errors import PoisonMessage
from schemas.events import meta
from schemas.topics import topic

NOW = datetime(2026, 3, 5, 17, 0, tzinfo=UTC)
SUBJECT = "odoo:firm:account.analytic.line:532"


def timesheet(**changes):
    state = {
        "id": 532, "employee_id": 3, "user_id": 4, "project_id": 5, "task_id": None, "company_id": 1, "date": date(2026, 3, 5),
        "minutes": 120, "billable": True, "billable_type": "billable_time", "leave": False, "approved": False, "status": "logged",
        "cost": Decimal("120.5000"), "currency": "EUR", "invoice_id": None, "order_line_id": None,
    }  # fmt: skip
    return {**state, **changes}


def event(current=None):
    head = meta(
        topic("delivery.timesheet.v1"), "logged", source="odoo:firm", subject=SUBJECT, version=1, occurred_at=NOW,
        recorded_at=NOW, mode="poll", tenant="firm", company_id=1,
    )  # fmt: skip
    return {"meta": head, "previous": None, "current": current or timesheet(), "changed": []}


NAME = "burnline.delivery.TimesheetEvent"


def test_a_record_comes_back_as_it_went():
    assert codec.decode(codec.encode(NAME, event())) == (NAME, event())


def test_on_the_wire_the_same_fields_are_plain_numbers():
    name, value = codec.decode_wire(codec.encode(NAME, event()))
    current = value["current"]
    assert name == NAME
    assert current["date"] == (date(2026, 3, 5) - date(1970, 1, 1)).days
    assert int.from_bytes(current["cost"], "big", signed=True) == 1_205_000
    assert value["meta"]["occurred_at"] == int(NOW.timestamp()) * 1_000_000
    assert codec.encode_wire(NAME, value) == codec.encode(NAME, event())


GOOD = codec.encode(NAME, event())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "too short", id="nothing at all"),
        pytest.param(b"\x00\x00", "too short", id="a header cut in two"),
        pytest.param(b"{" + GOOD[1:], "not the 0", id="somebody wrote JSON, or Avro without a registry"),
        pytest.param(
            b"\x00" + struct.pack(">I", 999_999) + GOOD[5:], "999999 is unknown", id="a schema from the future"
        ),
        pytest.param(GOOD[:-9], "cannot be read", id="a payload cut short"),
        pytest.param(GOOD + b"\x00", "belong to nothing", id="a longer record under a shorter schema's number"),
    ],
)
@pytest.mark.parametrize("decode", [codec.decode, codec.decode_wire])
def test_what_cannot_be_decoded_says_why_and_what_to_do(decode, data, reason):
    with pytest.raises(PoisonMessage, match=reason) as caught:
        decode(data)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(timesheet(minutes="two hours"), id="text where a number is due"),
        pytest.param(timesheet(status="invented"), id="an enum symbol that is not declared"),
        pytest.param({k: v for k, v in timesheet().items() if k != "date"}, id="a field without a default is missing"),
        pytest.param(timesheet(minutes=2**40), id="a number too large for its type"),
        pytest.param(timesheet(cost=Decimal("1.00001")), id="money with more decimals than its scale"),
    ],
)
def test_a_record_that_breaks_its_schema_is_not_written(broken):
    with pytest.raises(PoisonMessage, match="TimesheetEvent breaks its schema"):
        codec.encode(NAME, event(broken))


FRAME = "burnline.internal.Frame"
TICK = ("burnline.internal.TickEntry", {"at": 1_772_000_000_000_000})
COST = (
    "burnline.internal.CostEntry",
    {
        "subject": "odoo:firm:project.project:5", "record": "odoo:firm:hr.expense:1", "version": 2**40, "present": True,
        "event_id": "5f0f9a7e-6f6f-5c62-9d47-7f5f8d0f3c11", "recorded_at": -1, "actual": 10, "committed": 0,
    },
)  # fmt: skip


@pytest.mark.parametrize(
    "entries", [[], [TICK], [TICK, COST, TICK], [COST] * 300], ids=["none", "one", "mixed", "many"]
)
def test_items_come_with_the_bytes_of_a_record_of_their_own(entries):
    name, items = codec.decode_items(codec.encode_wire(FRAME, {"entries": entries}))
    assert name == FRAME
    assert [(item.name, item.value) for item in items] == entries
    assert [item.data for item in items] == [codec.encode_wire(*entry) for entry in entries]


FRAMED = codec.encode_wire(FRAME, {"entries": [TICK, COST]})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(FRAMED[:-9], "cannot be read", id="a frame cut short"),
        pytest.param(FRAMED + b"\x00", "belong to nothing", id="bytes after the last block"),
        pytest.param(FRAMED[:6] + b"\x7f" + FRAMED[7:], "cannot be read", id="a member that the union does not have"),
        pytest.param(GOOD, "no list of records", id="a record of another shape"),
    ],
)
def test_a_frame_that_cannot_be_read_says_why(data, reason):
    with pytest.raises(PoisonMessage, match=reason):
        codec.decode_items(data)
