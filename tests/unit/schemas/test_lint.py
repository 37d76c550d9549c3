"""Each rule of the contracts, broken once: the finding names the file, the field and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.lint import findings

MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 4}
MOMENT = {"type": "long", "logicalType": "timestamp-micros"}
DAY = {"type": "int", "logicalType": "date"}
UUID = {"type": "string", "logicalType": "uuid"}
STATUS = {"type": "enum", "name": "Status", "symbols": ["unknown", "open"], "default": "unknown", "doc": "Open or not."}


def field(name: str, type_: Any, unit: str = "", **changed: Any) -> dict[str, Any]:
    """A field that breaks no rule, but for what is changed."""
    nullable = isinstance(type_, list)
    doc = f"What it means. {f'Unit: {unit}. ' if unit else ''}Source: `sale.order.{name}`. "
    doc += "Null: the order has none." if nullable else "Never null."
    made = {"name": name, "type": type_, "doc": doc, "dataClass": "internal", "systemOfRecord": "odoo"}
    made |= {"default": None} if nullable else {}
    return {key: value for key, value in (made | changed).items() if value is not ...}


def schema(*fields: dict[str, Any], namespace: str = "burnline.sales") -> dict[str, Any]:
    return {"type": "record", "name": "Order", "namespace": namespace, "doc": "An order.", "fields": list(fields)}


CURRENCY = field("currency", ["null", "string"])

GOOD = [
    pytest.param(field("id", "long"), id="an id needs no unit"),
    pytest.param(field("partner_id", ["null", "long"]), id="a reference that may be missing"),
    pytest.param(field("event_id", UUID), id="an id that is a uuid"),
    pytest.param(field("line_ids", {"type": "array", "items": "long"}), id="a list of ids"),
    pytest.param(field("delivery_id", "string"), id="another system's own text"),
    pytest.param(field("amount", MONEY, "amount in `currency`"), id="money with the field that holds its currency"),
    pytest.param(field("closed_at", ["null", MOMENT], "moment in UTC"), id="a moment"),
    pytest.param(field("due_on", DAY, "calendar day"), id="a day"),
    pytest.param(field("planned_minutes", "long", "minutes"), id="a duration"),
    pytest.param(field("share", MONEY | {"precision": 18, "scale": 9}, "fraction, 1 is 100 %"), id="a share"),
    pytest.param(field("status", STATUS), id="an enum that bears symbols of the future"),
    pytest.param(field("note", "string", systemOfRecord="burnline", doc="A. Source: us. Never null."), id="our own"),
    pytest.param(field("current", "burnline.sales.Deal", doc="A. Source: b. Never null."), id="a record elsewhere"),
]


@pytest.mark.parametrize("good", GOOD)
def test_a_lawful_field_has_no_findings(good):
    assert findings(schema(good, CURRENCY)) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        pytest.param(field("Total", "string"), "lowercase", id="a name in another style"),
        pytest.param(field("note", "string", doc=...), "begin its doc with a sentence", id="no doc at all"),
        pytest.param(
            field("note", "string", doc="A. Never null."), "add `Source:", id="nobody knows where it comes from"
        ),
        pytest.param(
            field("note", "string", doc="A. Source: `a.b`."), "with `Never null.`", id="cannot be missing, unsaid"
        ),
        pytest.param(
            field("note", ["null", "string"], doc="A. Source: `a.b`."),
            "`Null: <when",
            id="may be missing, nobody says why",
        ),
        pytest.param(
            field("note", ["null", "string"], doc="A. Source: `a.b`. Never null."),
            "`Null: <when",
            id="doc and type differ",
        ),
        pytest.param(
            field("note", ["string", "null"]), 'put "null" first', id="null is no default where it is not first"
        ),
        pytest.param(
            field("note", ["null", "string"], default=...), '"default": null', id="older writers lack the field"
        ),
        pytest.param(field("minutes", "long"), "add `Unit:", id="a number of what"),
        pytest.param(field("people", {"type": "array", "items": "int"}), "add `Unit:", id="a list of numbers of what"),
        pytest.param(field("planned_minutes", "long", "hours"), "'minutes'", id="unit and name differ"),
        pytest.param(field("amount", MONEY, "euros"), "'amount'", id="money without its currency's field"),
        pytest.param(
            field("amount", MONEY, "amount in `kurrency`"),
            "kurrency, which is no field",
            id="a currency's field not there",
        ),
        pytest.param(field("closed_at", MOMENT, "local time"), "'UTC'", id="a moment of an unknown zone"),
        pytest.param(field("closed_at", "string"), "timestamp-micros", id="a moment as text"),
        pytest.param(field("closed_at", DAY, "day"), "timestamp-micros", id="a moment that is a day"),
        pytest.param(field("due_on", "string"), "logical type date", id="a day as text"),
        pytest.param(field("as_of", "int", "day"), "logical type date", id="a day as a bare number"),
        pytest.param(field("amount", "double", "amount in `currency`"), "floating-point", id="money as a float"),
        pytest.param(
            field("rates", {"type": "array", "items": "double"}, "x"), "floating-point", id="floats in a list"
        ),
        pytest.param(
            field("unit_price", "long", "amount in `currency`"), "named like money", id="money as a bare number"
        ),
        pytest.param(
            field("share", MONEY | {"scale": 2}, "fraction"), "decimal of its own shape", id="a decimal nobody else has"
        ),
        pytest.param(
            field("opened", MOMENT | {"logicalType": "timestamp-millis"}, "UTC"),
            "timestamp-millis; use",
            id="other moments",
        ),
        pytest.param(field("partner_id", "string"), "is an id and is neither", id="an id as text of no form"),
        pytest.param(
            field("line_ids", {"type": "array", "items": "string"}), "is an id and is neither", id="ids as text"
        ),
        pytest.param(field("note", "string", dataClass=...), "public, internal", id="nobody knows who may see it"),
        pytest.param(field("note", "string", dataClass="secret"), "public, internal", id="a class nobody declared"),
        pytest.param(field("note", "string", systemOfRecord=...), "odoo, webhook", id="nobody knows who is right"),
        pytest.param(
            field("note", "string", doc="A. Source: the order. Never null."), "put `model.field`", id="Odoo's, unnamed"
        ),
        pytest.param(
            field("status", STATUS | {"default": "open"}), '"default": "unknown"', id="a default that means something"
        ),
        pytest.param(
            field("status", {k: v for k, v in STATUS.items() if k != "default"}),
            '"default": "unknown"',
            id="no default",
        ),
        pytest.param(
            field("status", ["null", STATUS | {"doc": ""}]), "enum Status without a doc", id="an enum unexplained"
        ),
    ],
)
def test_a_broken_rule_is_found_and_the_remedy_named(broken, said):
    found = findings(schema(broken, CURRENCY))
    assert len(found) >= 1
    assert all(sentence.startswith(f"burnline.sales.Order.avsc: the field {broken['name']} ") for sentence in found)
    assert any(said in sentence for sentence in found)


def test_a_record_inside_a_list_is_looked_at_and_may_name_the_currency_beside_the_list():
    line = {
        "type": "record",
        "name": "Line",
        "doc": "A line.",
        "fields": [field("price", MONEY, "amount in `currency`")],
    }
    lines = field("lines", {"type": "array", "items": line})
    assert findings(schema(lines, CURRENCY)) == []
    del line["fields"][0]["dataClass"]
    (found,) = findings(schema(lines, CURRENCY))
    assert found.startswith("burnline.sales.Order.avsc: the field lines.price has no lawful dataClass")


def test_a_record_without_a_doc_is_found():
    (found,) = findings(schema(CURRENCY) | {"doc": ""})
    assert (
        found == "burnline.sales.Order.avsc: the record Order has no doc; add a sentence that says what it stands for"
    )


def test_the_engines_own_rows_hold_money_unscaled():
    scaled = field("cost", "long", "ten-thousandths of the company's currency")
    assert findings(schema(scaled, namespace="burnline.internal")) == []
    (found,) = findings(schema(field("cost", "long", "cents"), namespace="burnline.internal"))
    assert "'ten-thousandths'" in found
