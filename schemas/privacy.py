"""Where what is about people may stand, as a question to the registry of topics and the schemas. Pure.

Rules
- A field of class *personal* stands on a compacted topic, where a tombstone erases it, or on a topic of class *personal*, which only those
  cleared for people read. What names a person outright stands on compacted topics only, so that after an erasure what is left elsewhere are
  numbers that lead to nobody.
- Who decided something in the firm's name is recorded with the decision, wherever that stands, and is not erased: somebody has to answer for it.
- A field that is taken from a personal one is personal, too.
- A record of a topic that a tombstone erases never travels in a dead letter: the letter would outlive the erasure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from schemas import catalogue
from schemas.field_docs import field_doc, named_sources
from schemas.personal import FIELDS
from schemas.released import carries
from schemas.shapes import is_personal, names_of, plain
from schemas.topics import TOPICS, DataClass, Topic

MASK = "***"
DECIDERS = frozenset({"decided_by", "confirmed_by", "released_by", "actor"})
"""Fields that name who decided."""
_NAMING = re.compile(r"(.*_)?(name|email|phone|mobile|address|birthday|iban)")


class Personal(NamedTuple):
    """A personal field on a topic: the record that declares it, and its name."""

    record: str
    field: str

    @property
    def naming(self) -> bool:
        """Whether it names a person outright."""
        return _NAMING.fullmatch(self.field) is not None

    @property
    def decider(self) -> bool:
        """Whether it names who decided."""
        return self.field in DECIDERS


def records_of(topic: Topic, loaded: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The parsed schemas of what a topic carries."""
    if loaded is not None:
        return [schema for name, schema in loaded.items() if carries(topic.record, name)]
    names = topic.rows or (topic.record,)
    return [catalogue.load(name) for name in names]


def personal(topic: Topic, loaded: Mapping[str, Any] | None = None) -> list[Personal]:
    """The personal fields of what a topic carries, each once, in their order."""
    found = (
        Personal(name, field["name"])
        for schema in records_of(topic, loaded)
        for name, named in names_of(schema).items()
        for field in named.get("fields", ())
        if is_personal(field, names_of(schema))
    )
    return list(dict.fromkeys(found))


def misplaced(topics: Iterable[Topic], loaded: Mapping[str, Any] | None = None) -> Iterator[str]:
    """A sentence for each personal field that stands where it may not; none where all is well."""
    for topic in topics:
        for field in personal(topic, loaded):
            where = f"{topic.name} carries the personal field {field.record}.{field.field}"
            if topic.compacted or field.decider:
                continue
            if topic.data_class is not DataClass.PERSONAL:
                yield f"{where}, is not compacted and has the class {topic.data_class}; give it the class personal, or take the field out"
            if field.naming:
                yield f"{where}, which names a person, and is not compacted: no tombstone could erase it; carry the id instead"


def unmarked(schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each field whose source is a personal field, and whose own class is not. `schemas` are files by full name."""
    marked = {
        f"{name}.{field['name']}"
        for name, schema in schemas.items()
        for field in schema.get("fields", ())
        if field.get("dataClass") == DataClass.PERSONAL
    }
    for name, schema in schemas.items():
        if not name.startswith("burnline.internal."):
            continue  # sums and states of the measures have classes of their own
        for field in schema.get("fields", ()):
            taken = [one for one in named_sources(field_doc(field["doc"]).source or "") if one in marked]
            if taken and field.get("dataClass") != DataClass.PERSONAL:
                yield f"{name}.{field['name']} is taken from {taken[0]}, which is personal; give it that class"


def erases(topic: Topic) -> bool:
    """Whether a tombstone on this topic erases a person: it is compacted, and what it carries is about people."""
    return topic.compacted and any(not field.decider for field in personal(topic))


@cache
def erasable(topic_name: str) -> bool:
    """Whether a topic of this name is one of ours on which a tombstone erases a person."""
    topic = TOPICS.get(topic_name)
    return topic is not None and erases(topic)


def opaque(topic: Topic) -> list[str]:
    """Names of the fields in which a topic carries what others said, as they said it: nobody can tell from the schema what it is about."""
    found = (
        field["name"]
        for schema in records_of(topic)
        for named in names_of(schema).values()
        for field in named.get("fields", ())
        if _is_bytes(field["type"])
    )
    return list(dict.fromkeys(found))


def may_name(topic: Topic) -> bool:
    """Whether a topic is documented to name people after their erasure: others wrote it, or it says who decided."""
    return bool(opaque(topic)) or any(field.decider for field in personal(topic))


def _is_bytes(schema: Any) -> bool:
    match schema:
        case "bytes" | {"type": "map", "values": "bytes"}:
            return True
        case list():
            return any(map(_is_bytes, schema))
    return False


def class_of(topic_name: str) -> DataClass:
    """The class of what came from a topic; of what never was on one of ours, confidential: nobody has looked at it."""
    topic = TOPICS.get(topic_name)
    return DataClass.CONFIDENTIAL if topic is None else topic.data_class


def masked(record: str, value: Any) -> Any:
    """A decoded record with every personal field masked, also those of records inside it. Fields that are null stay null."""
    schema = catalogue.load(record)
    return _masked(schema, value, names_of(schema))


def _masked(schema: Any, value: Any, names: Mapping[str, Any]) -> Any:  # noqa: PLR0911  one return for each kind of Avro type
    schema = plain(schema, names)
    match schema, value:
        case _, None:
            return None
        case list(), (str(name), inner) if isinstance(value, tuple):
            return name, _masked(names.get(name, "null"), inner, names)
        case list(), _:
            others = [branch for branch in schema if branch != "null"]
            return _masked(others[0], value, names) if len(others) == 1 else value
        case {"type": "record"}, Mapping():
            hidden = FIELDS.get(schema["name"], frozenset())
            return {
                field["name"]: _hidden(value[field["name"]])
                if field["name"] in hidden
                else _masked(field["type"], value[field["name"]], names)
                for field in schema["fields"]
                if field["name"] in value
            }
        case {"type": "array", "items": items}, list():
            return [_masked(items, item, names) for item in value]
        case {"type": "map", "values": values}, Mapping():
            return {key: _masked(values, item, names) for key, item in value.items()}
    return value


def _hidden(value: Any) -> Any:
    return None if value is None else MASK
