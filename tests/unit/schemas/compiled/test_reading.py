"""Bytes that no writer of the schema wrote are refused with their reason: none is guessed at."""

from __future__ import annotations

import pytest

from schemas.compiled import Unreadable, Unresolvable, compile_reader
from schemas.compiled.values import encoded

MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}
COLOUR = {"type": "enum", "name": "Colour", "symbols": ["unknown", "red", "green"], "default": "unknown"}
MOMENT = {"type": "long", "logicalType": "timestamp-micros"}
DAY = {"type": "int", "logicalType": "date"}


def read(schema, data, *, as_written=False):
    value, place = compile_reader(schema, as_written=as_written)(data, 0, len(data))
    assert place == len(data)
    return value


@pytest.mark.parametrize(
    ("schema", "data", "reason"),
    [
        pytest.param(COLOUR, b"\x01", "unknown_symbol", id="a symbol before the first one, which is not the last one"),
        pytest.param(COLOUR, b"\x06", "unknown_symbol", id="a symbol after the last one"),
        pytest.param(COLOUR, b"\x80\x01", "unknown_symbol", id="a symbol far after the last one"),
        pytest.param(["null", "string"], b"\x01\x02x", "malformed", id="a branch before the first one"),
        pytest.param(["null", "string"], b"\x04\x02x", "malformed", id="a branch after the last one"),
        pytest.param("boolean", b"\x02", "malformed", id="neither true nor false"),
        pytest.param("string", b"\x01abc", "malformed", id="a length below nothing"),
        pytest.param("string", b"\x06ab", "truncated", id="a text that ends before its length"),
        pytest.param("bytes", encoded(2**62) + b"ab", "truncated", id="a length beyond every machine"),
        pytest.param({"type": "array", "items": "long"}, encoded(2**62) + b"\x02", "truncated", id="more items than bytes"),
        pytest.param({"type": "array", "items": "long"}, b"\x02", "truncated", id="an item that is not there"),
        pytest.param({"type": "map", "values": "long"}, b"\x02\x01\x02\x00", "malformed", id="a key of a length below nothing"),
        pytest.param("long", b"\xff" * 11 + b"\x01", "malformed", id="a number without an end"),
        pytest.param(MONEY, b"\x06\x01\x86\xa0", "wrong_scale", id="one digit more than declared"),
        pytest.param(MONEY, encoded(500_000) + b"\x7f" * 500_000, "wrong_scale", id="a million digits"),
    ],
)  # fmt: skip
def test_what_the_schema_does_not_allow_is_refused(schema, data, reason):
    with pytest.raises(Unreadable) as caught:
        read(schema, data)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("schema", "data", "kind"),
    [
        pytest.param("string", b"\x04\xff\xfe", ValueError, id="no UTF-8"),
        pytest.param(MOMENT, encoded(2**62), OverflowError, id="a moment beyond the calendar"),
        pytest.param(DAY, encoded(2**30), ValueError, id="a day beyond the calendar"),
        pytest.param("long", b"\x80", IndexError, id="a number cut in two"),
        pytest.param({"type": "array", "items": "long"}, b"\x02\x80", IndexError, id="an item cut in two"),
    ],
)
def test_values_that_python_refuses_are_left_to_the_caller_to_tell(schema, data, kind):
    with pytest.raises(kind):
        read(schema, data)


def test_blocks_may_tell_their_size():
    assert read({"type": "array", "items": "long"}, b"\x03\x04\x02\x04\x02\x06\x00") == [1, 2, 3]
    assert read({"type": "map", "values": "long"}, b"\x01\x06\x02a\x02\x00") == {"a": 1}


def test_in_plain_form_a_moment_beyond_the_calendar_is_a_number():
    assert read(MOMENT, encoded(2**62), as_written=True) == 2**62


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(["null"] + [{"type": "enum", "name": f"E{n}", "symbols": ["a"]} for n in range(64)], id="too many"),
        pytest.param({"type": "enum", "name": "E", "symbols": [f"s{n}" for n in range(65)]}, id="more than fit a byte"),
    ],
)  # fmt: skip
def test_a_type_that_no_schema_of_ours_has_is_refused_at_once(schema):
    with pytest.raises(Unresolvable):
        compile_reader(schema, as_written=False)


def test_a_record_within_itself_is_read():
    chain = {
        "type": "record",
        "name": "Link",
        "fields": [{"name": "n", "type": "int"}, {"name": "next", "type": ["null", "Link"]}],
    }
    assert read(chain, b"\x02\x02\x04\x00") == {"n": 1, "next": {"n": 2, "next": None}}


def test_names_of_a_schema_never_become_code():
    hostile = {
        "type": "record",
        "name": "R",
        "fields": [
            {"name": "a", "type": {"type": "enum", "name": "E", "symbols": ["x"]}, "doc": "'); raise SystemExit('"},
            {"name": "end", "type": "string", "default": "\"'); import os; ('"},
        ],
    }
    assert read(hostile, b"\x00\x02y") == {"a": "x", "end": "y"}
    short = {"type": "record", "name": "R", "fields": hostile["fields"][:1]}
    value, _ = compile_reader(short, hostile, as_written=False)(b"\x00", 0, 1)
    assert value == {"a": "x", "end": "\"'); import os; ('"}
