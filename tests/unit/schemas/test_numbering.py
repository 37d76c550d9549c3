"""Numbers that a registry gave: four bytes differ, everything else is as without it."""

from __future__ import annotations

import copy
import io
import json
from datetime import UTC, datetime

import fastavro
import pytest

from schemas import codec, numbering
from schemas.errors import Fatal, PoisonMessage, Transient
from schemas.events import meta
from schemas.numbering import Fetched, Given, identified
from schemas.released import index, released
from schemas.subjects import text_of
from schemas.topics import topic

TICK = "burnline.internal.TickEntry"
FRAME = "burnline.internal.Frame"
TICK_EVENT = "burnline.ops.TickEvent"
SHIFT = 5000


@pytest.fixture(autouse=True)
def _as_before():
    yield
    numbering.use(numbering.Released())


def shifted(ask=lambda _: None):
    """A registry that gave every release a number 5000 higher than it was released with."""
    return Given(index(), {wire_id: wire_id + SHIFT for wire_id in index().by_id}, ask, "the registry")


def number_in(data):
    return int.from_bytes(data[1:5])


def test_only_the_number_differs():
    numbering.use(numbering.Released())
    without = codec.encode_wire(TICK, {"at": 42})
    numbering.use(shifted())
    with_registry = codec.encode_wire(TICK, {"at": 42})
    assert number_in(with_registry) == number_in(without) + SHIFT
    assert (with_registry[:1], with_registry[5:]) == (without[:1], without[5:])
    assert codec.decode_wire(with_registry) == (TICK, {"at": 42})


def test_items_of_a_frame_carry_the_numbers_of_the_registry():
    numbering.use(shifted())
    frame = codec.encode_wire(FRAME, {"entries": [(TICK, {"at": 1}), (TICK, {"at": 2})]})
    name, items = codec.decode_items(frame)
    assert name == FRAME
    assert [item.data for item in items] == [codec.encode_wire(TICK, {"at": at}) for at in (1, 2)]


def test_a_released_number_means_nothing_once_the_registry_has_given_others():
    numbering.use(numbering.Released())
    without = codec.encode_wire(TICK, {"at": 42})
    numbering.use(shifted())
    with pytest.raises(PoisonMessage, match=rf"schema number {number_in(without)} is unknown to the registry"):
        codec.decode_wire(without)


def test_without_a_registry_an_unknown_number_is_poison():
    with pytest.raises(PoisonMessage, match="schema number 999999 is unknown to this program"):
        codec.decode(codec.HEADER.pack(0, 999_999) + b"x")


def test_a_release_that_the_registry_lacks_cannot_be_written():
    numbering.use(Given(index(), {}, lambda _: None, "the registry"))
    with pytest.raises(Fatal, match=r"no number in the registry") as raised:
        codec.encode_wire(TICK, {"at": 42})
    assert "publish" in raised.value.remedy


def test_a_number_is_asked_for_once_however_many_records_have_it():
    asked = []

    def ask(number):
        asked.append(number)
        return text_of(released(TICK)[-1].schema)

    numbering.use(shifted(ask))
    data = codec.HEADER.pack(0, 77) + codec.encode_wire(TICK, {"at": 42})[5:]
    assert [codec.decode_wire(data) for _ in range(3)] == [(TICK, {"at": 42})] * 3
    assert asked == [77]


def test_a_registry_that_is_down_is_no_fault_of_the_record():
    def down(_number):
        raise Transient("the registry does not answer")

    numbering.use(shifted(down))
    with pytest.raises(Transient):
        codec.decode_wire(codec.HEADER.pack(0, 77) + b"\0")


def newer(record, *, extra=True):
    schema = copy.deepcopy(released(record)[-1].schema)
    if extra:
        schema["fields"].append({"name": "news", "type": "string", "default": "", "doc": "", "dataClass": "internal"})
    return schema


def test_a_schema_that_is_a_release_is_known_again_whatever_its_words_and_its_layout():
    schema = newer(TICK_EVENT, extra=False)
    schema["doc"] = "told otherwise"
    assert identified(77, json.dumps(schema, indent=4), index()) == released(TICK_EVENT)[-1]


def test_a_newer_schema_of_a_public_record_is_read_as_the_one_known_here():
    found = identified(77, text_of(newer(TICK_EVENT)), index())
    assert isinstance(found, Fetched)
    assert found.schema["fields"][-1]["name"] == "news"


@pytest.mark.parametrize(
    ("schema", "error", "says"),
    [
        pytest.param('{"type": "record"', PoisonMessage, "no Avro schema", id="what is no JSON"),
        pytest.param('{"type": "recrd", "name": "x"}', PoisonMessage, "no Avro schema", id="what is no schema"),
        pytest.param('"string"', PoisonMessage, "string, which is none of ours", id="a bare type"),
        pytest.param('["null", "string"]', PoisonMessage, "none of ours", id="a union"),
        pytest.param(
            '{"type": "record", "name": "shop.Order", "fields": []}',
            PoisonMessage,
            "77 stands for shop.Order, which is none of ours",
            id="somebody else's record",
        ),
        pytest.param(
            text_of(newer(TICK)), Fatal, f"{TICK}, and no release", id="state must not be passed over: only we write it"
        ),
    ],
)
def test_what_cannot_be_read_here_says_why(schema, error, says):
    with pytest.raises(error, match=says):
        identified(77, schema, index())


def written(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return codec.HEADER.pack(0, 77) + out.getvalue()


def ticked():
    numbering.use(numbering.Released())
    data = codec.encode(TICK_EVENT, tick_event())
    return codec.decode(data).value


def tick_event():
    at = datetime(2026, 3, 5, tzinfo=UTC)
    head = meta(
        topic("ops.clock.v1"), "ticked", source="clock", subject="clock:0", version=1, occurred_at=at, recorded_at=at,
        mode="derived", tenant="", company_id=None,
    )  # fmt: skip
    return {"meta": head, "current": {"partition": 0, "at": at, "period_seconds": 60}}


def test_a_record_of_a_newer_release_is_read_into_what_is_known_here():
    schema, before = newer(TICK_EVENT), ticked()
    numbering.use(shifted(lambda _: text_of(schema)))
    assert codec.decode(written(schema, {**tick_event(), "news": "more"})) == (TICK_EVENT, before)


def test_a_record_of_ours_that_somebody_else_changed_beyond_reading_is_poison():
    schema = newer(TICK_EVENT, extra=False)
    schema["fields"] = [{"name": "meta", "type": "int"}]
    numbering.use(shifted(lambda _: text_of(schema)))
    with pytest.raises(PoisonMessage, match=TICK_EVENT):
        codec.decode(written(schema, {"meta": 5}))
