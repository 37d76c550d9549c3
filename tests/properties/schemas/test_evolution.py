"""Laws of the gate: what it lets through decodes, both ways, to what the writer meant; and it is never laxer than Avro's own check."""

from __future__ import annotations

import io
import json
from typing import Any, NamedTuple

import avro.schema
import fastavro
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from schemas.compiled import compile_reader
from schemas.defaults import value_of
from schemas.freezing import canonical, parsed
from schemas.gate.compatibility import MISREAD, Clash, Direction, Kind, clashes
from schemas.gate.flaws import flaws
from schemas.shapes import names_of, plain
from tests.support.avro import without
from tests.support.evolution import evolutions, values


class Names(NamedTuple):
    """The named types on both sides."""

    writer: dict[str, Any]
    reader: dict[str, Any]


def stricter(clash: Clash) -> bool:
    """Whether Avro would let it through: it reads the bytes, whatever they mean."""
    return clash.harm == MISREAD or clash.kind in {Kind.SYMBOL, Kind.NAME}


def meant(value: Any, writer: Any, reader: Any, names: Names) -> Any:  # noqa: PLR0911  one return for each kind of Avro type
    """What a reader must find: fields by name or alias, defaults for those that were not written, the rest as it was."""
    writer, reader = plain(writer, names.writer), plain(reader, names.reader)
    if isinstance(writer, list):
        writer = next(plain(w, names.writer) for w in writer if fits(value, plain(w, names.writer)))
        return meant(value, writer, reader, names)
    if isinstance(reader, list):
        options = [plain(option, names.reader) for option in reader]
        same = [option for option in options if option["type"] == writer["type"] and shares_name(option, writer)]
        return meant(value, writer, (same or [o for o in options if o["type"] != "null"])[0], names)
    match reader["type"]:
        case "record":
            return {field["name"]: field_meant(value, writer, field, names) for field in reader["fields"]}
        case "array":
            return [meant(item, writer["items"], reader["items"], names) for item in value]
        case "map":
            return {key: meant(item, writer["values"], reader["values"], names) for key, item in value.items()}
        case "enum":
            return value if value in reader["symbols"] else reader["default"]
        case "bytes" if isinstance(value, str):
            return value.encode()
    return value


def shares_name(reader: Any, writer: Any) -> bool:
    return "name" not in writer or writer["name"] in {reader["name"], *reader.get("aliases", ())}


def field_meant(value: Any, writer: Any, field: Any, names: Names) -> Any:
    written = {one["name"]: one for one in writer["fields"]}
    for name in (field["name"], *field.get("aliases", ())):
        if name in written:
            return meant(value[name], written[name]["type"], field["type"], names)
    return value_of(field["type"], field["default"], names.reader)


def fits(value: Any, schema: Any) -> bool:
    if schema["type"] == "record":
        return isinstance(value, dict) and set(value) == {field["name"] for field in schema["fields"]}
    if schema["type"] == "enum":
        return isinstance(value, str) and value in schema["symbols"]
    return bool(fastavro.validate(value, schema, raise_errors=False))


def written(value: Any, schema: Any) -> bytes:
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, value)
    return body.getvalue()


def read(data: bytes, writer: Any, reader: Any, *, as_written: bool = False) -> Any:
    found, place = compile_reader(writer, reader, as_written=as_written)(data, 0, len(data))
    assert place == len(data)
    return untold(found)


def untold(value: Any) -> Any:
    """The value without the names by which records of one union are told apart."""
    match value:
        case (str(), dict(fields)) if isinstance(value, tuple):
            return untold(fields)
        case dict():
            return {key: untold(inner) for key, inner in value.items()}
        case list():
            return [untold(inner) for inner in value]
    return value


def read_by_the_readers_logical_types(data: bytes, writer: Any, reader: Any) -> Any:
    """As programs read that look at the reader's logical types alone, where fastavro looks at the writer's."""
    bare = [parsed(without(schema, None)) for schema in (writer, reader)]
    return read(written(read(data, *bare), bare[1]), reader, reader)


def avro_says(writer: Any, reader: Any) -> bool:
    one, other = (avro.schema.parse(json.dumps(canonical(schema))) for schema in (reader, writer))
    found = ReaderWriterCompatibilityChecker().get_compatibility(one, other)
    return bool(found.compatibility is SchemaCompatibilityType.compatible)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(evolutions(), st.sampled_from(Direction), st.data())
def test_what_the_gate_lets_through_is_read_as_it_was_meant(evolution, direction, drawn):
    old, new = (parsed(schema) for schema in evolution)
    assume(not [*flaws(old), *flaws(new)])
    writer, reader = (old, new) if direction is Direction.BACKWARD else (new, old)
    found = clashes(old, new, direction)
    if found:
        event("stopped: " + ", ".join(sorted({clash.kind for clash in found})))
        assert any(map(stricter, found)) or not avro_says(writer, reader), "the gate stops what Avro has no reason to"
        return
    event("let through, changed" if old != new else "let through, the same")
    assert avro_says(writer, reader), "the gate is laxer than Avro"
    value = drawn.draw(values(writer, names_of(writer)))
    names = Names(names_of(writer), names_of(reader))
    expected = meant(value, writer, reader, names)
    data = written(value, writer)
    assert read(data, writer, reader) == expected
    assert read_by_the_readers_logical_types(data, writer, reader) == expected
    plainly = read(data, *(parsed(without(schema, None)) for schema in (writer, reader)))
    assert read(data, writer, reader, as_written=True) == plainly, "the hot path reads otherwise"
