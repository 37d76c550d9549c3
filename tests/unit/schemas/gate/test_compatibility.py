"""Which changes of a record which readers survive: the table is the promise."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.freezing import parsed
from schemas.gate.compatibility import Direction, Kind, clashes
from schemas.gate.flaws import flaws

BACKWARD, FORWARD = Direction.BACKWARD, Direction.FORWARD
BOTH = {BACKWARD, FORWARD}
NEVER: set[Direction] = set()


def record(*fields, name="shop.Order", **more):
    return {"type": "record", "name": name, "fields": list(fields), **more}


def of(kind, **more):
    """A record with one field `f` of this type."""
    return record({"name": "f", "type": kind, **more})


def decimal(precision, scale):
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def enum(*symbols, name="shop.Status", **more):
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def logical(base, name):
    return {"type": base, "logicalType": name}


def listed(kind):
    return {"type": "array", "items": kind}


def inner(kind, name="shop.Line", **more):
    return record({"name": "g", "type": kind}, name=name, **more)


TREE: Any = record({"name": "size", "type": "int"}, {"name": "below", "type": listed("shop.Tree")}, name="shop.Tree")
BIG_TREE: Any = record(
    {"name": "size", "type": "long"}, {"name": "below", "type": listed("shop.Tree")}, name="shop.Tree"
)
NOTE = {"name": "note", "type": "string"}

CASES = [
    pytest.param(of("int"), of("int"), NEVER, None, id="nothing changed"),
    pytest.param(of("int", doc="a"), of("int", doc="b"), NEVER, None, id="words changed"),
    pytest.param(of("int"), record({"name": "f", "type": "int"}, NOTE), {BACKWARD}, Kind.REQUIRED_FIELD, id="new required field"),
    pytest.param(
        of("int"), record({"name": "f", "type": "int"}, {**NOTE, "default": ""}), NEVER, None, id="new field with a default"
    ),
    pytest.param(record(NOTE, *of("int")["fields"]), of("int"), {FORWARD}, Kind.REMOVED_FIELD, id="removed field"),
    pytest.param(
        record({**NOTE, "default": ""}, *of("int")["fields"]), of("int"), NEVER, None, id="removed field that had a default"
    ),
    pytest.param(
        record(NOTE, *of("int")["fields"]), record(*of("int")["fields"], NOTE), NEVER, None, id="fields in another order"
    ),
    pytest.param(
        of("int"), record({"name": "g", "type": "int", "aliases": ["f"]}), {FORWARD}, Kind.REMOVED_FIELD,
        id="renamed field with an alias: only new readers know it",
    ),
    pytest.param(
        record({"name": "f", "type": "int", "default": 0}, {"name": "g", "type": "int"}),
        record({"name": "g", "type": "int", "aliases": ["f"]}), {BACKWARD}, Kind.ALIAS, id="an alias that makes one field of two",
    ),
    pytest.param(of("int"), of("long"), {FORWARD}, Kind.TYPE, id="a wider number: old readers cannot hold it"),
    pytest.param(of("long"), of("int"), {BACKWARD}, Kind.TYPE, id="a narrower number: old data does not fit"),
    pytest.param(of("int"), of("double"), {FORWARD}, Kind.TYPE, id="int fits into double"),
    pytest.param(of("long"), of("double"), BOTH, Kind.TYPE, id="long loses digits in double, which Avro allows"),
    pytest.param(of("int"), of("float"), BOTH, Kind.TYPE, id="int loses digits in float, which Avro allows"),
    pytest.param(of("string"), of("bytes"), {FORWARD}, Kind.TYPE, id="bytes are not always text, which Avro overlooks"),
    pytest.param(of("string"), of("int"), BOTH, Kind.TYPE, id="changed type"),
    pytest.param(of("string"), of(enum("a", default="a")), BOTH, Kind.TYPE, id="text becomes an enum"),
    pytest.param(of("string"), of(inner("string")), BOTH, Kind.TYPE, id="text becomes a record"),
    pytest.param(of(listed("int")), of(listed("string")), BOTH, Kind.TYPE, id="changed type inside a list"),
    pytest.param(
        of({"type": "map", "values": "int"}), of({"type": "map", "values": "long"}), {FORWARD}, Kind.TYPE, id="inside a map"
    ),
    pytest.param(of(inner("int")), of(inner("string")), BOTH, Kind.TYPE, id="changed type inside a record"),
    pytest.param(of("int"), of(["null", "int"]), {FORWARD}, Kind.NULL, id="may now be null"),
    pytest.param(of(["null", "int"]), of("int"), {BACKWARD}, Kind.NULL, id="may no longer be null"),
    pytest.param(of(["null", "int"]), of(["null", "long"]), {FORWARD}, Kind.TYPE, id="wider, and null as before"),
    pytest.param(of(["null", "int"]), of(["int", "null"]), NEVER, None, id="null last instead of first"),
    pytest.param(of(["int", "string"]), of(["int", "string", "boolean"]), {FORWARD}, Kind.MEMBER, id="a union grows"),
    pytest.param(of(["int", "string", "boolean"]), of(["int", "string"]), {BACKWARD}, Kind.MEMBER, id="a union shrinks"),
    pytest.param(of(["int", "string"]), of(["long", "string"]), {FORWARD}, Kind.MEMBER, id="one member becomes wider"),
    pytest.param(
        of(["string", inner("int"), inner("int", "shop.Other")]),
        of(["string", inner("long"), inner("int", "shop.Other")]), {FORWARD}, Kind.TYPE, id="inside one record of a union",
    ),
    pytest.param(
        of(enum("a", "b", default="a")), of(enum("a", "b", "c", default="a")), NEVER, None,
        id="a new symbol, which old readers take for the default",
    ),
    pytest.param(of(enum("a", "b")), of(enum("a", "b", "c")), {FORWARD}, Kind.NEW_SYMBOL, id="a new symbol without a default"),
    pytest.param(
        of(enum("a", "b", default="a")), of(enum("a", default="a")), {BACKWARD}, Kind.SYMBOL,
        id="removed symbol: Avro would quietly read it as the default",
    ),
    pytest.param(
        of(enum("a", "b", default="a")), of(enum("a", "c", default="a")), {BACKWARD}, Kind.SYMBOL, id="renamed enum symbol"
    ),
    pytest.param(of(enum("a", "b", default="a")), of(enum("b", "a", default="a")), NEVER, None, id="symbols in another order"),
    pytest.param(of(enum("a")), of(enum("a", name="shop.State")), BOTH, Kind.NAME, id="renamed enum"),
    pytest.param(
        of(enum("a")), of(enum("a", name="shop.State", aliases=["Status"])), {FORWARD}, Kind.NAME,
        id="renamed enum with an alias: only new readers know it",
    ),
    pytest.param(of(inner("int")), of(inner("int", "office.Line")), BOTH, Kind.NAME, id="a record moves to another namespace"),
    pytest.param(of(decimal(20, 4)), of(decimal(20, 2)), BOTH, Kind.SCALE, id="changed scale"),
    pytest.param(of(decimal(20, 4)), of(decimal(38, 4)), BOTH, Kind.SCALE, id="changed precision: Avro asks for the same"),
    pytest.param(of(decimal(20, 4)), of("bytes"), BOTH, Kind.LOGICAL_TYPE, id="money becomes bytes"),
    pytest.param(of("int"), of(logical("int", "date")), BOTH, Kind.LOGICAL_TYPE, id="a number becomes a date"),
    pytest.param(of("string"), of(logical("string", "uuid")), BOTH, Kind.LOGICAL_TYPE, id="text becomes an id"),
    pytest.param(
        of(logical("long", "timestamp-millis")), of(logical("long", "timestamp-micros")), BOTH, Kind.LOGICAL_TYPE,
        id="milliseconds become microseconds",
    ),
    pytest.param(of(logical("int", "date")), of("long"), BOTH, Kind.TYPE, id="a date becomes a long, which Avro would widen"),
    pytest.param(
        of(["null", decimal(20, 4)]), of(["null", decimal(20, 2)]), BOTH, Kind.SCALE, id="changed scale of what may be null"
    ),
    pytest.param(
        of({"type": "fixed", "name": "H", "size": 4}), of({"type": "fixed", "name": "H", "size": 8}), BOTH, Kind.SIZE,
        id="changed size",
    ),
    pytest.param(TREE, BIG_TREE, {FORWARD}, Kind.TYPE, id="a record that holds itself"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "broken", "kind"), CASES)
def test_a_change_breaks_these_readers_and_no_others(old, new, broken, kind):
    found = {direction: clashes(parsed(old), parsed(new), direction) for direction in Direction}
    assert {direction for direction in found if found[direction]} == broken
    assert {clash.kind for several in found.values() for clash in several} <= {kind}
    assert all(len(several) <= 1 for several in found.values()), "told once"


def test_a_clash_is_told_in_words_that_name_the_field_the_harm_and_the_cure():
    (clash,) = clashes(parsed(of(decimal(20, 4))), parsed(of(decimal(20, 2))), BACKWARD)
    assert clash.where == "Order.f"
    assert clash.change == "`Order.f` changed its scale from 4 to 2"
    assert clash.harm == "would misread"
    assert "add another field" in clash.fix


@pytest.mark.parametrize(
    ("schema", "flaw"),
    [
        pytest.param(of("int", default=3), None, id="a good default"),
        pytest.param(of(["null", "int"], default=None), None, id="null first, null as the default"),
        pytest.param(of(decimal(20, 4), default="\x00"), None, id="money as the text of its bytes"),
        pytest.param(of(listed(inner("int")), default=[{"g": 1}]), None, id="a list of records as a default"),
        pytest.param(of(listed("int"), default=["x"]), "does not fit", id="a default that is wrong further in"),
        pytest.param(of(inner("int"), default={}), "does not fit", id="a default that lacks a field"),
        pytest.param(of(enum("a"), default="z"), "does not fit", id="a default that is no symbol"),
        pytest.param(of(["int", "double"]), "take the one for the other", id="two numbers in a union"),
        pytest.param(of(["int", logical("int", "date")]), "take the one for the other", id="a number twice, once as a date"),
        pytest.param(of(listed(["null", "bytes", "string"])), "take the one for the other", id="bytes or text, in a list"),
        pytest.param(
            of([inner("int", "a.Line"), inner("int", "b.Line")]), "take the one for the other", id="two records of one short name"
        ),
        pytest.param(of(["null", inner("int", "a.Line"), inner("int", "a.Other")]), None, id="two records"),
        pytest.param(of(listed("null")), "takes no bytes", id="a list of nothing: its number is all there is"),
        pytest.param(of(["null", listed(listed(inner("null")))]), "takes no bytes", id="a list of records of nothing, further in"),
        pytest.param(of(listed(["null", "int"])), None, id="a list in which something may be missing has a byte for each"),
    ],
)  # fmt: skip
def test_a_schema_that_readers_understand_differently_is_flawed(schema, flaw):
    found = list(flaws(parsed(schema)))
    assert len(found) == (flaw is not None)
    assert all(flaw in sentence and fix for sentence, fix in found)
