"""The registry of topics and the schema files agree with each other and with the rules for names."""

from __future__ import annotations

import json
import re

import pytest

from schemas import catalogue, generate
from schemas.topics import TOPICS, topic

FILES = sorted(path.stem for path in catalogue.AVRO_FOLDER.glob("*.avsc"))
PUBLIC = [t for t in TOPICS.values() if t.public]


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_a_schema_of_that_name_with_a_meaning_for_each_field(name):
    schema = json.loads((catalogue.AVRO_FOLDER / f"{name}.avsc").read_text())
    assert f"{schema['namespace']}.{schema['name']}" == name
    assert schema["doc"]
    assert all(field["doc"] for field in schema["fields"])
    assert catalogue.load(name)["type"] == "record"


@pytest.mark.parametrize("found", PUBLIC, ids=lambda t: t.name)
def test_every_public_topic_has_a_numbered_schema_and_a_lawful_name(found):
    assert re.fullmatch(r"[a-z]+\.[a-z]+(-[a-z]+)*\.v[0-9]+", found.name)
    assert found.record in catalogue.ids()
    assert found.verbs
    assert found.owner


def test_numbers_of_schemas_are_given_once():
    numbers = list(catalogue.ids().values())
    assert len(numbers) == len(set(numbers))


def test_topics_with_names_of_people_can_be_erased():
    for found in PUBLIC:
        fields = {field["name"]: field for field in catalogue.load(found.record)["fields"]}
        named = [
            f
            for f in _fields(fields["current"]["type"], fields["previous"]["type"] if "previous" in fields else None)
            if f["name"] == "name" and f["dataClass"] == "personal"
        ]
        assert not named or found.compacted, f"{found.name} holds people's names and is not compacted"


def _fields(current, previous):
    for branch in [current, previous]:
        for schema in branch if isinstance(branch, list) else [branch]:
            if isinstance(schema, dict) and "fields" in schema:
                yield from schema["fields"]


def test_every_enum_survives_a_symbol_from_the_future():
    def enums(schema):
        match schema:
            case {"type": "enum"}:
                yield schema
            case dict():
                for value in schema.values():
                    yield from enums(value)
            case list():
                for value in schema:
                    yield from enums(value)

    found = [enum for name in FILES for enum in enums(catalogue.load(name))]
    assert found
    assert all(enum["default"] in enum["symbols"] for enum in found)


def test_the_typed_classes_are_current():
    for path, text in generate.modules().items():
        assert path.read_text() == text, f"{path.name} is stale: run `make docs`"


def test_an_unknown_topic_is_answered_with_near_names():
    with pytest.raises(KeyError, match=r"finance\.invoice\.v1"):
        topic("finance.invoices")


def test_an_undeclared_verb_is_refused():
    with pytest.raises(KeyError, match="approved"):
        topic("delivery.timesheet.v1").event_type("blessed")
