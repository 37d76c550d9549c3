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
    ("data", "says", "reason"),
    [
        pytest.param(b"", "too short", "empty", id="nothing at all"),
        pytest.param(b"\x00\x00", "too short", "truncated", id="a header cut in two"),
        pytest.param(b"{" + GOOD[1:], "byte is 123, not the 0", "wrong_magic", id="JSON, or Avro without a registry"),
        pytest.param(b"\xff" + GOOD[1:], "byte is 255, not the 0", "wrong_magic", id="not even text"),
        pytest.param(
            b"\x00" + struct.pack(">I", 999_999) + GOOD[5:], "999999 is unknown", "unknown_schema", id="from the future"
        ),
        pytest.param(GOOD[:-9], "cannot be read: .*ends", "truncated", id="a payload cut short"),
        pytest.param(GOOD[:5], "cannot be read: .*ends", "truncated", id="a header and nothing else"),
        pytest.param(
            GOOD + b"\x00", "1 bytes that belong to nothing", "malformed", id="a longer record under a shorter number"
        ),
        pytest.param(
            GOOD.replace(b"\x04\x08firm", b"\x7e\x08firm"),
            "Mode has no such symbol",
            "unknown_symbol",
            id="a new symbol",
        ),
    ],
)
@pytest.mark.parametrize("decode", [codec.decode, codec.decode_wire])
def test_what_cannot_be_decoded_says_why_and_what_to_do(decode, data, says, reason):
    with pytest.raises(PoisonMessage, match=says) as caught:
        decode(data)
    assert caught.value.reason == reason
    assert caught.value.remedy


def without(state, name):
    return {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ("broken", "says", "reason"),
    [
        pytest.param(
            timesheet(minutes="two hours"),
            "minutes: holds a str where int is due",
            "breaks_schema",
            id="text for a number",
        ),
        pytest.param(timesheet(minutes=1.5), "minutes: holds a float", "breaks_schema", id="half a minute"),
        pytest.param(timesheet(minutes=2**31), "minutes: is beyond the range of int", "breaks_schema", id="too many"),
        pytest.param(timesheet(id=2**63), "id: is beyond the range of long", "breaks_schema", id="far too many"),
        pytest.param(timesheet(billable="no"), "billable: holds a str", "breaks_schema", id="text for yes or no"),
        pytest.param(timesheet(currency=b"EUR"), "currency: holds a bytes", "breaks_schema", id="bytes for text"),
        pytest.param(
            timesheet(currency="\ud800"), "currency: holds half a character", "breaks_schema", id="half a character"
        ),
        pytest.param(
            timesheet(date="2026-03-05"), "date: holds a str where date", "breaks_schema", id="text for a day"
        ),
        pytest.param(
            timesheet(status="invented"), "status: 'invented' is no symbol", "unknown_symbol", id="an undeclared symbol"
        ),
        pytest.param(
            timesheet(status=["x"]), "status: a list is no symbol", "unknown_symbol", id="a list for a symbol"
        ),
        pytest.param(
            without(timesheet(), "date"), "date: is missing, and has no default", "missing_default", id="no value"
        ),
        pytest.param(
            timesheet(cost=Decimal("1.00001")),
            r"cost: has 5 decimals, decimal\(20, 4\) takes 4",
            "wrong_scale",
            id="scale",
        ),
        pytest.param(
            timesheet(cost=Decimal(10**16)), "cost: has more than the 16 digits", "wrong_scale", id="too much money"
        ),
        pytest.param(
            timesheet(cost=Decimal(1) + Decimal(10) ** -27), "cost: has 27 decimals", "wrong_scale", id="a long tail"
        ),
        pytest.param(timesheet(cost=Decimal("NaN")), "cost: is NaN", "wrong_scale", id="no number at all"),
        pytest.param(timesheet(cost=Decimal("Infinity")), "cost: is Infinity", "wrong_scale", id="infinite"),
        pytest.param(
            timesheet(cost=Decimal("1E+999999")), "cost: has more", "wrong_scale", id="a number with a million digits"
        ),
        pytest.param(timesheet(cost=1.5), "cost: holds a float where decimal", "breaks_schema", id="money as a float"),
        pytest.param("nothing", "holds a str where the record Timesheet is due", "breaks_schema", id="no state at all"),
    ],
)
def test_a_record_that_breaks_its_schema_is_not_written_and_the_field_is_named(broken, says, reason):
    with pytest.raises(PoisonMessage, match=f"TimesheetEvent breaks its schema: current(\\.|: ){says}") as caught:
        codec.encode(NAME, event(broken))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(
            {"changed": "minutes"}, "changed: holds a str where list of string is due", id="text is no list of letters"
        ),
        pytest.param({"changed": ["minutes", 7]}, r"changed\[1\]: holds a int", id="an item in a list"),
        pytest.param(
            {"meta": None}, "meta: holds a NoneType where the record Meta is due", id="null where something must be"
        ),
        pytest.param(
            {"meta": {**event()["meta"], "occurred_at": NOW.replace(tzinfo=None)}},
            "meta.occurred_at: is a time without a time zone",
            id="nobody knows which zone was meant",
        ),
    ],
)
def test_a_breach_anywhere_in_an_event_is_named(change, says):
    with pytest.raises(PoisonMessage, match=says):
        codec.encode(NAME, event() | change)


@pytest.mark.parametrize("cost", [Decimal("1.5"), Decimal("1.50000000"), Decimal("15E-1"), Decimal(-0)])
def test_money_is_written_however_its_zeros_are(cost):
    assert codec.decode(codec.encode(NAME, event(timesheet(cost=cost)))).value["current"]["cost"] == cost


def test_what_a_record_holds_is_not_told_when_it_breaks_its_schema():
    with pytest.raises(PoisonMessage) as caught:
        codec.encode(NAME, event(timesheet(minutes="Ada was ill")))
    assert "Ada" not in str(caught.value)


def test_a_record_where_another_is_due_is_refused():
    assert codec.decode_as(NAME, GOOD) == event()
    with pytest.raises(PoisonMessage, match=r"TimesheetEvent stands where a burnline\.ops\.TickEvent") as caught:
        codec.decode_as("burnline.ops.TickEvent", GOOD)
    assert caught.value.reason == "wrong_record"


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([{"at": 1}], id="fields without their record's name"),
        pytest.param([("burnline.internal.Frame", {})], id="a record that is no member"),
        pytest.param([("a", "b", "c")], id="no pair"),
    ],
)
def test_a_member_of_a_union_of_records_must_say_its_name(entries):
    with pytest.raises(PoisonMessage, match=r"entries\[0\]: is no pair"):
        codec.encode_wire("burnline.internal.Frame", {"entries": entries})


FRAME = "burnline.internal.Frame"
TICK = ("burnline.internal.TickEntry", {"at": 1_772_000_000_000_000})
COST = (
    "burnline.internal.CostEntry",
    {
        "subject": "odoo:firm:project.project:5", "record": "odoo:firm:hr.expense:1", "version": 2**40, "present": True,
        "event_id": "5f0f9a7e-6f6f-5c62-9d47-7f5f8d0f3c11", "recorded_at": -1, "actual": 10, "committed": 0,
        "committed_minutes": 0, "currency": "",
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


def test_a_decoder_of_some_fields_passes_over_the_others():
    partly = codec.decoder(
        {NAME: {"meta", "current"}, "burnline.Meta": {"subject"}, "burnline.delivery.Timesheet": {"minutes", "cost"}}
    )
    value = codec.encode(NAME, event())
    whole = codec.decode_wire(value).value["current"]
    expected = {"meta": {"subject": SUBJECT}, "current": {"minutes": 120, "cost": whole["cost"]}}
    assert partly(value) == (NAME, expected)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[:-3], id="cut short within a field that is passed over"),
        pytest.param(lambda data: data + b"\0", id="followed by a byte that belongs to nothing"),
    ],
)
def test_a_decoder_of_some_fields_refuses_what_has_another_length(spoil):
    with pytest.raises(PoisonMessage):
        codec.decoder({NAME: {"meta"}})(spoil(codec.encode(NAME, event())))


@pytest.mark.parametrize(
    "subject", [pytest.param("s", id="short"), pytest.param("é" * 5000, id="a length of two bytes")]
)
@pytest.mark.parametrize("other", [pytest.param("t", id="to short"), pytest.param("x" * 100, id="to long")])
def test_another_first_text_is_all_that_changes(subject, other):
    name, fields = "burnline.internal.TimeEntry", {
        "record": "r", "version": 1, "present": True, "event_id": "e", "recorded_at": 0, "day": 0, "minutes": 0, "billable": False,
        "approved": False, "cost": 0, "employee_id": 0, "currency": "",
    }  # fmt: skip
    data = codec.encode_wire(name, {"subject": subject, **fields})
    assert codec.with_first_text(data, other) == codec.encode_wire(name, {"subject": other, **fields})
