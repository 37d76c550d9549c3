"""A record written with an earlier or a later schema is read as this program's: what changed is filled in, left, or refused."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import catalogue
from schemas.compiled import Unreadable, Unresolvable, compile_reader
from tests.support import avro

MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 4}
MOMENT = {"type": "long", "logicalType": "timestamp-micros"}
DAY = {"type": "int", "logicalType": "date"}


def enum(*symbols, **more):
    return {"type": "enum", "name": "burnline.Status", "symbols": list(symbols), **more}


def record(*fields):
    return {"type": "record", "name": "burnline.Thing", "fields": [dict(field) for field in fields]}


def field(name, kind, **more):
    return {"name": name, "type": kind, **more}


def resolved(writer, reader, value, *, as_written=False):
    data = avro.written(avro.parsed(writer, plain=as_written), value)
    found, place = compile_reader(writer, reader, as_written=as_written)(data, 0, len(data))
    assert place == len(data)
    return found


ID = field("id", "long")
LATER = enum("unknown", "open", "paused", default="unknown")
NOW = enum("unknown", "open", default="unknown")


@pytest.mark.parametrize(
    ("writer", "reader", "wrote", "wanted"),
    [
        pytest.param(
            record(ID, field("status", LATER)),
            record(ID, field("status", NOW)),
            {"id": 1, "status": "paused"},
            {"id": 1, "status": "unknown"},
            id="a symbol from the future is the default symbol",
        ),
        pytest.param(
            record(field("status", enum("open", "unknown", default="unknown"))),
            record(field("status", NOW)),
            {"status": "open"},
            {"status": "open"},
            id="symbols are known by name, whatever their number",
        ),
        pytest.param(
            record(field("new", MONEY), ID, field("list", {"type": "array", "items": LATER})),
            record(ID),
            {"new": Decimal("1.5"), "id": 1, "list": ["paused", "open"]},
            {"id": 1},
            id="what a later release added is passed over",
        ),
        pytest.param(
            record(ID, field("later", ["null", record(field("deep", NOW)) | {"name": "burnline.Inner"}])),
            record(ID),
            {"id": 1, "later": {"deep": "open"}},
            {"id": 1},
            id="records that the reader has never heard of, too",
        ),
        pytest.param(
            record(ID, field("a", "string")),
            record(field("a", "string"), ID),
            {"id": 1, "a": "x"},
            {"a": "x", "id": 1},
            id="fields are known by name, whatever their order",
        ),
        pytest.param(
            record(field("x", "string")),
            record(field("x", ["null", "string"], default=None)),
            {"x": "y"},
            {"x": "y"},
            id="what must be there may be there",
        ),
        pytest.param(
            record(field("x", ["null", "string"])),
            record(field("x", "string")),
            {"x": "y"},
            {"x": "y"},
            id="what may be there is there",
        ),
        pytest.param(
            record(field("former", "string"), ID),
            record(ID, field("name", "string", aliases=["former"])),
            {"former": "x", "id": 1},
            {"id": 1, "name": "x"},
            id="a field by its former name",
        ),
        pytest.param(
            record(field("count", "int"), field("text", "string")),
            record(field("count", ["null", "long"]), field("text", "bytes")),
            {"count": 7, "text": "é"},
            {"count": 7, "text": "é".encode()},
            id="a type as a wider one",
        ),
        pytest.param(
            record(field("count", "int"), field("share", "float")),
            record(field("count", ["float", "long"]), field("share", "double")),
            {"count": 7, "share": 0.5},
            {"count": 7.0, "share": 0.5},
            id="a number as the first branch that may hold it",
        ),
        pytest.param(
            record(field("hash", {"type": "fixed", "name": "burnline.Hash", "size": 2})),
            record(field("hash", {"type": "fixed", "name": "burnline.Hash", "size": 2})),
            {"hash": b"ab"},
            {"hash": b"ab"},
            id="bytes of a fixed length",
        ),
        pytest.param(
            record(field("x", ["null", "string"])),
            record(field("x", ["string", "long", "null"])),
            {"x": None},
            {"x": None},
            id="branches are known by type, whatever their number",
        ),
    ],
)
@pytest.mark.parametrize("plain", [False, True], ids=["typed", "plain"])
def test_what_changed_compatibly_is_read(writer, reader, wrote, wanted, plain):
    if plain:
        wrote = {key: b"\x3a\x98" if isinstance(value, Decimal) else value for key, value in wrote.items()}
    found = resolved(writer, reader, wrote, as_written=plain)
    assert found == wanted
    assert list(found) == list(wanted)


DEFAULTS = [
    pytest.param("long", 7, 7, 7, id="a number"),
    pytest.param("string", "é", "é", "é", id="text"),
    pytest.param("boolean", False, False, False, id="a boolean"),
    pytest.param("bytes", "\xff", b"\xff", b"\xff", id="bytes, which JSON gives as letters"),
    pytest.param(NOW, "open", "open", "open", id="a symbol"),
    pytest.param(["null", MONEY], None, None, None, id="null"),
    pytest.param(MONEY, "\x30\x39", Decimal("1.2345"), b"\x30\x39", id="money"),
    pytest.param(DAY, 1, date(1970, 1, 2), 1, id="a day"),
    pytest.param(MOMENT, 1, datetime(1970, 1, 1, 0, 0, 0, 1, UTC), 1, id="a moment"),
    pytest.param({"type": "array", "items": DAY}, [1], [date(1970, 1, 2)], [1], id="a list"),
    pytest.param({"type": "map", "values": MONEY}, {"a": "\x01"}, {"a": Decimal("0.0001")}, {"a": b"\x01"}, id="a map"),
    pytest.param(
        {"type": "record", "name": "burnline.Inner", "fields": [field("d", DAY), field("n", "long", default=3)]},
        {"d": 1},
        {"d": date(1970, 1, 2), "n": 3},
        {"d": 1, "n": 3},
        id="a record, itself with a default",
    ),
]


@pytest.mark.parametrize(("kind", "default", "typed", "plain"), DEFAULTS)
def test_a_field_that_was_not_written_has_its_default_as_a_value_of_its_type(kind, default, typed, plain):
    reader = record(ID, field("new", kind, default=default))
    assert resolved(record(ID), reader, {"id": 1}) == {"id": 1, "new": typed}
    assert resolved(record(ID), reader, {"id": 1}, as_written=True) == {"id": 1, "new": plain}


def test_no_two_records_share_a_default():
    read = compile_reader(
        record(ID), record(ID, field("new", {"type": "array", "items": "long"}, default=[1])), as_written=False
    )
    first, second = (read(b"\x02", 0, 1)[0] for _ in range(2))
    first["new"].append(2)
    assert second["new"] == [1]


@pytest.mark.parametrize(
    ("writer", "reader", "reason", "says"),
    [
        pytest.param(
            record(ID), record(ID, field("new", "long")), "missing_default", "new was not written", id="no default"
        ),
        pytest.param(
            record(field("cost", MONEY)),
            record(field("cost", MONEY | {"scale": 2})),
            "wrong_scale",
            r"cost: decimal\(20, 4\) in bytes cannot be read as decimal\(20, 2\)",
            id="money of another scale is another sum",
        ),
        pytest.param(
            record(field("cost", ["null", MONEY])),
            record(field("cost", MONEY | {"scale": 2})),
            None,
            "",
            id="money of another scale, where it may be null: known when it comes",
        ),
        pytest.param(
            record(field("at", MOMENT)), record(field("at", "long")), "malformed", "at: timestamp-micros", id="a moment"
        ),
        pytest.param(
            record(field("x", "long")), record(field("x", "string")), "malformed", "x: long", id="another type"
        ),
        pytest.param(
            record(field("x", "long")), record(field("x", ["null", "string"])), "malformed", "no branch", id="no branch"
        ),
        pytest.param(
            record(field("x", "long")), record(field("x", "int")), "malformed", "x: long", id="a narrower type"
        ),
        pytest.param(
            record(field("x", {"type": "fixed", "name": "burnline.Hash", "size": 2})),
            record(field("x", {"type": "fixed", "name": "burnline.Hash", "size": 3})),
            "malformed",
            "x: the fixed Hash",
            id="another length",
        ),
        pytest.param(record(ID), NOW, "malformed", "Thing", id="no record at all"),
        pytest.param(
            record(ID), record(ID) | {"name": "burnline.Other"}, "malformed", "Other", id="a record of another name"
        ),
    ],
)
def test_what_changed_incompatibly_is_refused_before_any_record_comes(writer, reader, reason, says):
    if reason is None:
        assert compile_reader(writer, reader, as_written=False)
        return
    with pytest.raises(Unresolvable, match=says) as caught:
        compile_reader(writer, reader, as_written=False)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("writer", "reader", "value", "reason"),
    [
        pytest.param(
            record(field("x", ["null", "string"])),
            record(field("x", "string")),
            {"x": None},
            "malformed",
            id="null where something must be",
        ),
        pytest.param(
            record(field("cost", ["null", MONEY])),
            record(field("cost", ["null", MONEY | {"scale": 2}])),
            {"cost": Decimal(1)},
            "wrong_scale",
            id="money of another scale",
        ),
        pytest.param(
            record(field("status", enum("a", "b"))),
            record(field("status", enum("a"))),
            {"status": "b"},
            "unknown_symbol",
            id="a symbol from the future, and no default symbol",
        ),
    ],
)
def test_what_only_some_records_hold_is_refused_when_it_comes(writer, reader, value, reason):
    with pytest.raises(Unreadable) as caught:
        resolved(writer, reader, value)
    assert caught.value.reason == reason


NAME = "burnline.delivery.TimesheetEvent"


def later_timesheet():
    """The schema of a later release: one more symbol, one more field, in the state."""
    schema = copy.deepcopy(avro.without(catalogue.load(NAME), frozenset()))
    (state,) = (branch for branch in schema["fields"][1]["type"] if isinstance(branch, dict))
    (status,) = (f["type"] for f in state["fields"] if f["name"] == "status")
    status["symbols"].append("paused")
    state["fields"].append(field("weather", ["null", "string"], default=None))
    return schema


@given(st.data())
def test_events_of_a_later_release_are_read_as_fastavro_reads_them(data):
    later = later_timesheet()
    value = data.draw(avro.values(later))
    body = avro.written(avro.parsed(later), value)
    found, place = compile_reader(later, catalogue.load(NAME), as_written=False)(body, 0, len(body))
    assert place == len(body)
    assert found == avro.read(body, avro.parsed(later), avro.parsed_record(NAME))


def test_what_cannot_be_read_says_where_and_why():
    former = copy.deepcopy(avro.without(catalogue.load(NAME), frozenset()))
    former["fields"][0]["type"]["fields"] = [f for f in former["fields"][0]["type"]["fields"] if f["name"] != "version"]
    with pytest.raises(Unresolvable, match="meta: version was not written") as caught:
        compile_reader(former, catalogue.load(NAME), as_written=False)
    assert caught.value.reason == "missing_default"
