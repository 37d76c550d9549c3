"""Laws of the codec, for every record that travels: what is written comes back, as fastavro reads and writes it too; nothing else does."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import catalogue, codec
from schemas.errors import PoisonMessage
from tests.support import avro

RECORDS = sorted(catalogue.ids())
FRAME = "burnline.internal.Frame"
SAFE = settings(max_examples=40)


def holds(name: str, value: Any) -> bytes:
    """All that must be true of a value that can be written; its bytes."""
    data = codec.encode(name, value)
    assert codec.decode(data) == (name, value)
    plain = codec.decode_wire(data).value
    assert codec.encode_wire(name, plain) == data
    assert data[5:] == avro.written(avro.parsed_record(name), value)
    assert avro.read(data[5:], avro.parsed_record(name)) == value
    assert avro.read(data[5:], avro.parsed_record(name, plain=True)) == plain
    return data


@pytest.mark.parametrize("name", RECORDS)
def test_whatever_a_schema_allows_comes_back_as_it_went(name):
    @SAFE
    @given(avro.values(catalogue.load(name)))
    def check(value):
        holds(name, value)

    check()


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize(
    "which",
    [
        pytest.param("least", id="1970, nothing, empty, null, the smallest number"),
        pytest.param("most", id="2199, beyond ASCII, the most digits, the largest number"),
    ],
)
def test_so_do_the_extremes(name, which):
    holds(name, avro.corner(catalogue.load(name), which))


@pytest.mark.parametrize("name", RECORDS)
def test_a_field_left_out_comes_back_as_its_default(name):
    omitted = avro.corner(catalogue.load(name), "omitted")
    data = codec.encode(name, omitted)
    assert data[5:] == avro.written(avro.parsed_record(name), omitted)
    found = codec.decode(data).value
    assert codec.encode(name, found) == data
    assert {field["name"] for field in catalogue.load(name)["fields"]} == set(found)


def examples(name: str) -> list[bytes]:
    return [codec.encode(name, avro.corner(catalogue.load(name), which)) for which in ("least", "most")]


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_cut_short_is_told_to_be_cut_short(name):
    for data in examples(name):
        for end in range(5, len(data), 1 + len(data) // 400):
            for decode in (codec.decode, codec.decode_wire):
                with pytest.raises(PoisonMessage) as caught:
                    decode(data[:end])
                assert caught.value.reason == "truncated", f"{end} of {len(data)} bytes: {caught.value}"


@pytest.mark.parametrize("name", RECORDS)
def test_changed_bytes_are_read_or_refused_and_nothing_else_happens(name):
    originals = examples(name)

    @SAFE
    @given(st.sampled_from(originals), st.data())
    def check(data, draw):
        place = draw.draw(st.integers(5, len(data)))
        length = draw.draw(st.integers(0, 4))
        changed = data[:place] + draw.draw(st.binary(max_size=8)) + data[place + length :]
        for decode in (codec.decode, codec.decode_wire, *([codec.decode_items] if name == FRAME else [])):
            with contextlib.suppress(PoisonMessage):
                decode(changed)

    check()


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(PoisonMessage):
        codec.decode(data)
    with contextlib.suppress(PoisonMessage):
        codec.decode_items(codec.encode_wire(FRAME, {"entries": []})[:5] + data)


def leaves(schema: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where a value of the largest corner has its single values."""
    match schema:
        case dict():
            return [leaf for key, inner in schema.items() for leaf in leaves(inner, (*path, key))]
        case list():
            return [leaf for place, inner in enumerate(schema) for leaf in leaves(inner, (*path, place))]
        case (_, inner):
            return leaves(inner, (*path, 1))
    return [path]


def changed(value: Any, path: tuple[str | int, ...], to: Any) -> Any:
    if not path:
        return to
    first, *rest = path
    if isinstance(value, tuple):
        return value[0], changed(value[1], tuple(rest), to)
    copied = value.copy()
    copied[first] = changed(value[first], tuple(rest), to)
    return copied


@pytest.mark.parametrize("name", RECORDS)
def test_a_value_of_another_type_is_refused_by_the_name_of_its_field(name):
    whole = avro.corner(catalogue.load(name), "most")
    for path in leaves(whole):
        with pytest.raises(PoisonMessage, match="breaks its schema") as caught:
            codec.encode(name, changed(whole, path, object()))
        names = [step for step in path if isinstance(step, str) and step.isidentifier()]
        assert names[-1] in str(caught.value)
        assert "object" in str(caught.value)
