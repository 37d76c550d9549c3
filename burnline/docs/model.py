"""What the generators ask of a topic: its schema, its state, its numbers, its words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from schemas import catalogue
from schemas.field_docs import FieldDoc, field_doc
from schemas.released import released
from schemas.topics import TOPICS, Topic

ROOT = Path(__file__).parent.parent.parent

READING = (
    "name", "aliases", "type", "logicalType", "precision", "scale", "default", "symbols", "items", "values", "fields",
)  # fmt: skip
"""What of a schema decides how bytes are read."""
WORDS = ("doc", "dataClass", "systemOfRecord")
"""What it says to people."""
PLACES = {key: place for place, key in enumerate((*READING[:2], "namespace", *READING[2:7], *WORDS, *READING[7:]))}
DAY = 86_400_000
"""Milliseconds."""


def public_topics() -> list[Topic]:
    """The topics with a promise, in the registry's order."""
    return [topic for topic in TOPICS.values() if topic.public]


def schema_of(topic: Topic) -> dict[str, Any]:
    """The schema of a topic's records, whole, without what the parser adds, its keys in one order."""
    schema: dict[str, Any] = ordered(catalogue.load(topic.record))
    return schema


def ordered(schema: Any) -> Any:
    """The same schema with its keys in the order in which people read; the parser gives them in another at every run."""
    match schema:
        case dict():
            keys = sorted(
                (key for key in schema if not key.startswith("__")), key=lambda key: (PLACES.get(key, -1), key)
            )
            return {key: ordered(schema[key]) for key in keys}
        case list():
            return [ordered(item) for item in schema]
    return schema


class Version(NamedTuple):
    """A version of a topic's schema: the number that records carry, its file as seen from the project's root, its content."""

    number: int
    path: str
    schema: dict[str, Any]


def versions(topic: Topic) -> list[Version]:
    """Every version that a record of the topic may be written with, oldest first."""
    return [
        Version(release.wire_id, release.path.relative_to(ROOT).as_posix(), ordered(release.schema))
        for release in released(topic.record)
    ]


def bare(schema: Any) -> Any:
    """What of a schema decides how bytes are read: no descriptions, no classes."""
    match schema:
        case dict():
            return {key: bare(value) for key, value in schema.items() if key in READING}
        case list():
            return [bare(item) for item in schema]
    return schema


def fields_of(schema: dict[str, Any]) -> dict[str, Any]:
    """The types of a record's fields, by name."""
    return {field["name"]: field["type"] for field in schema["fields"]}


def has_history(topic: Topic) -> bool:
    """Whether its events carry the state before."""
    return "previous" in fields_of(schema_of(topic))


def state_of(topic: Topic) -> dict[str, Any]:
    """The schema of what an event of this topic holds as `current`."""
    fields = fields_of(schema_of(topic))
    current = fields["current"]
    branches = current if isinstance(current, list) else [current]
    found = next(branch for branch in branches if branch != "null")
    if isinstance(found, str):  # `previous` came first and defined it
        return next(branch for branch in fields["previous"] if isinstance(branch, dict))
    return dict(found)


def short(full_name: str) -> str:
    """A record's name without its namespace."""
    return full_name.rpartition(".")[2]


class Row(NamedTuple):
    """A field as a table shows it. `path` is dotted, with `[]` behind a list; `unit` and `source` are empty where there is none."""

    path: str
    type: str
    unit: str
    data_class: str
    meaning: str
    source: str


def rows(schema: dict[str, Any], prefix: str = "") -> Iterator[Row]:
    """Every field of a record, those of records inside it below it."""
    for field in schema["fields"]:
        path = prefix + field["name"]
        doc = field_doc(field["doc"])
        yield Row(path, type_name(field["type"]), doc.unit or "", field["dataClass"], _meaning(doc), doc.source or "")
        match non_null(field["type"]):
            case {"type": "record"} as inner:
                yield from rows(inner, f"{path}.")
            case {"type": "array", "items": {"type": "record"} as inner}:
                yield from rows(inner, f"{path}[].")


def _meaning(doc: FieldDoc) -> str:
    absent = f" Null: {doc.null}." if doc.null else ""
    return f"{doc.meaning}{absent}" + (f" {doc.empty.capitalize()}." if doc.empty else "")


def non_null(schema: Any) -> Any:
    """The type that a nullable one holds when it is not null; any other type as it is."""
    match schema:
        case ["null", one] | [one, "null"]:
            return one
    return schema


def type_name(schema: Any) -> str:  # noqa: PLR0911  one return for each kind of Avro type
    """An Avro type in a reader's words."""
    match schema:
        case str():
            return short(schema)
        case list():
            inner = [type_name(branch) for branch in schema if branch != "null"]
            return " or ".join(inner) + (", may be null" if "null" in schema else "")
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            return f"decimal({precision}, {scale})"
        case {"logicalType": name}:
            return str(name)
        case {"type": "array", "items": items}:
            return f"list of {type_name(items)}"
        case {"type": "map", "values": values}:
            return f"map of {type_name(values)}"
        case {"type": "enum", "symbols": symbols}:
            return "one of " + ", ".join(f"`{symbol}`" for symbol in symbols)
        case {"type": "record", "name": name}:
            return short(name)
    return str(schema)


def event_types(topic: Topic) -> list[str]:
    """The CloudEvents types of a topic's events."""
    return [topic.event_type(verb) for verb in topic.verbs]


def kept(topic: Topic) -> str:
    """How long its records stay."""
    if topic.compacted:
        return "the latest of each key (compacted)"
    milliseconds = int(topic.config["retention.ms"])
    return "everything" if milliseconds < 0 else f"{milliseconds // DAY} days"
