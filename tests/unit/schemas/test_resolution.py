"""A record of an old release is read by the schema it was written with, and becomes what the current schema says."""

from __future__ import annotations

import io
import uuid
from datetime import date
from decimal import Decimal

import fastavro
import pytest

from schemas import codec, released, resolution
from schemas.errors import Fatal, PoisonMessage
from schemas.freezing import parsed
from schemas.topics import DataClass, Process, Topic
from tests.support.contracts import MONEY, Contracts

MEMBERS = ("Sold", "Returned")


def item(name, namespace, *fields):
    return {"type": "record", "name": name, "namespace": namespace, "fields": [{"name": "id", "type": "long"}, *fields]}


@pytest.fixture
def shop(tmp_path):
    namespace = f"shop{uuid.uuid4().hex}"
    basket = {
        "type": "record", "name": "Basket", "namespace": namespace,
        "fields": [{"name": "items", "type": {"type": "array", "items": [f"{namespace}.{name}" for name in MEMBERS]}}],
    }  # fmt: skip
    rows = Topic(
        "internal.rows.v1", f"rows of {namespace}", "item", Process.OPERATIONS, "shop", DataClass.PUBLIC, public=False
    )
    made = Contracts(tmp_path, (basket, *(item(name, namespace) for name in MEMBERS)), (rows,))
    made.release()
    return made


LATER = [
    {"name": "price", "type": MONEY, "default": "\x30\x39"},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}, "default": 365},
    {"name": "note", "type": ["null", "string"], "default": None},
    {"name": "lines", "type": {"type": "array", "items": "string"}, "default": ["none"]},
]


def old_record(shop, name, value, number=0):
    """A record as a program of the release `number` wrote it."""
    release = released.released(f"{shop.namespace}.{name}")[number]
    body = io.BytesIO()
    fastavro.schemaless_writer(body, parsed(release.schema), value)
    return codec.HEADER.pack(0, release.wire_id) + body.getvalue()


def grown(shop, name="Sold"):
    for field in LATER:
        shop.change(name, also=field)
    shop.release()


def test_a_field_that_was_not_written_has_its_default_in_either_representation(shop, monkeypatch):
    grown(shop)
    shop.join(monkeypatch)
    data, name = old_record(shop, "Sold", {"id": 7}), f"{shop.namespace}.Sold"
    assert codec.decode(data) == (
        name,
        {"id": 7, "price": Decimal("1.2345"), "day": date(1971, 1, 1), "note": None, "lines": ["none"]},
    )
    assert codec.decode_wire(data) == (
        name,
        {"id": 7, "price": b"\x30\x39", "day": 365, "note": None, "lines": ["none"]},
    )
    assert codec.schema_name(data) == name


def test_what_is_written_now_names_the_newest_release_and_comes_back_as_it_went(shop, monkeypatch):
    grown(shop)
    shop.join(monkeypatch)
    name = f"{shop.namespace}.Sold"
    value = {"id": 7, "price": Decimal("2.0000"), "day": date(2026, 3, 1), "note": "x", "lines": []}
    data = codec.encode(name, value)
    assert codec.HEADER.unpack_from(data)[1] == released.released(name)[1].wire_id
    assert codec.decode(data) == (name, value)


def test_a_release_that_the_schema_came_back_to_needs_no_resolution(shop, monkeypatch):
    grown(shop)
    for field in LATER:
        shop.change("Sold", without=field["name"])
    shop.release()
    shop.join(monkeypatch)
    first, second, third = released.released(f"{shop.namespace}.Sold")
    assert [resolution.reading(release).reader is None for release in (first, second, third)] == [True, False, True]


def test_a_schema_that_was_changed_and_not_released_is_not_written(shop, monkeypatch):
    shop.change("Sold", also=LATER[0])
    shop.join(monkeypatch)
    with pytest.raises(Fatal, match="no longer its release 1") as caught:
        codec.encode(f"{shop.namespace}.Sold", {"id": 1, "price": Decimal("1.0000")})
    assert "burnline schemas release" in caught.value.remedy


def test_a_schema_that_was_never_released_is_not_written(shop, monkeypatch):
    shop.write(item("Lost", shop.namespace))
    shop.join(monkeypatch)
    with pytest.raises(Fatal, match="never released"):
        codec.encode(f"{shop.namespace}.Lost", {"id": 1})


def test_a_record_whose_schema_is_gone_is_read_as_it_was_written(shop, monkeypatch):
    (shop.folder / f"{shop.namespace}.Sold.avsc").unlink()
    shop.join(monkeypatch)
    assert codec.decode(old_record(shop, "Sold", {"id": 7})).value == {"id": 7}


def test_the_items_of_an_old_list_are_current_while_their_bytes_stay_readable_records(shop, monkeypatch):
    first = shop.index
    grown(shop)
    shop.join(monkeypatch)
    pairs = [(f"{shop.namespace}.Sold", {"id": 7}), (f"{shop.namespace}.Returned", {"id": 8})]
    name, items = codec.decode_items(old_record(shop, "Basket", {"items": pairs}))
    assert name == f"{shop.namespace}.Basket"
    assert [(found.name.rpartition(".")[2], found.value["id"]) for found in items] == [("Sold", 7), ("Returned", 8)]
    assert items[0].value["day"] == 365
    assert [codec.decode_wire(found.data).value for found in items] == [found.value for found in items]
    assert {len(versions) for versions in first.releases.values()} == {1}


def test_a_list_brings_what_travels_in_it_into_its_release(shop):
    shop.change("Sold", also=LATER[0])
    after = shop.release(f"{shop.namespace}.Basket")
    assert [len(after.releases[f"{shop.namespace}.{name}"]) for name in ("Basket", "Sold", "Returned")] == [2, 2, 1]


def test_a_symbol_of_a_later_release_is_the_default_symbol_of_this_program(shop, monkeypatch):
    status = {"type": "enum", "name": "Status", "symbols": ["unknown", "sold"], "default": "unknown"}
    field = {"name": "status", "type": status, "default": "unknown"}
    shop.change("Sold", also=field)
    shop.release()
    shop.change("Sold", status={**status, "symbols": [*status["symbols"], "gifted"]})
    shop.release()
    shop.change("Sold", status=status)  # this program knows of the later release, and not yet what to do with it
    shop.join(monkeypatch)
    later = [old_record(shop, "Sold", {"id": 7, "status": symbol}, number=2) for symbol in ("sold", "gifted")]
    for decode in (codec.decode, codec.decode_wire):
        assert [decode(data).value["status"] for data in later] == ["sold", "unknown"]


def test_a_release_that_this_program_cannot_make_sense_of_says_which_and_why(shop, monkeypatch):
    former = released.read_index(shop.frozen)
    shop.change("Sold", also={"name": "must", "type": "string"})
    shop.join(monkeypatch)
    assert len(former.releases[f"{shop.namespace}.Sold"]) == 1
    with pytest.raises(PoisonMessage, match=r"Sold version 1 cannot be read .* must was not written") as caught:
        codec.decode(old_record(shop, "Sold", {"id": 7}))
    assert caught.value.reason == "missing_default"


def test_bytes_that_do_not_fit_the_release_they_name_are_poison(shop, monkeypatch):
    grown(shop)
    shop.join(monkeypatch)
    with pytest.raises(PoisonMessage):
        codec.decode(old_record(shop, "Sold", {"id": 7})[:-1])
