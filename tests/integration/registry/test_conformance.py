"""What every registry has to do, whichever stands behind the interface: the bundled one, Apicurio, and Apicurio in a container."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.embedded_kafka.container import engine_answers
from infra.registry import BundledRegistry, ConfluentRegistry, Incompatible, Registry, publish, survey
from infra.registry.start import ask
from infra.settings import RegistrySettings
from schemas import codec, numbering
from schemas.freezing import parsed, promise_of
from schemas.numbering import Given
from schemas.released import index, released
from schemas.subjects import subjects, text_of
from tests.support import apicurio as apicurio_support

PUBLIC = "delivery.timesheet.v1-burnline.delivery.TimesheetEvent"
INTERNAL = "internal.capture-cursor.v1-burnline.internal.CaptureCursor"


@pytest.fixture(scope="module", params=["bundled", "apicurio", "container"])
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    """A registry with every release in it."""
    if request.param == "bundled":
        yield BundledRegistry(index())
    elif request.param == "apicurio":
        yield ConfluentRegistry(RegistrySettings(url=request.getfixturevalue("published").url))
    else:
        if not engine_answers():
            pytest.skip("no container engine answers")
        with apicurio_support.container() as url:
            client = ConfluentRegistry(RegistrySettings(url=url))
            publish(client, survey(client, index()))
            yield client


def test_every_release_is_there_as_it_should_be(registry: Registry) -> None:
    lines = survey(registry, index())
    assert [line for line in lines if line.changes] == []
    assert len(lines) == sum(len(subject.releases) for subject in subjects(index()))
    assert all(line.in_line for line in lines)


def test_publishing_again_changes_nothing(registry: Registry) -> None:
    before = survey(registry, index())
    assert publish(registry, before) == before
    assert survey(registry, index()) == before


def test_each_number_stands_for_the_schema_that_was_released(registry: Registry) -> None:
    for line in survey(registry, index()):
        assert line.number is not None
        said = registry.schema(line.number)
        assert said is not None
        assert promise_of(parsed(json.loads(said))) == promise_of(parsed(line.release.schema)), line.subject


def test_what_is_there_keeps_its_number_when_it_is_registered_again(registry: Registry) -> None:
    release = released("burnline.delivery.TimesheetEvent")[-1]
    before = registry.find(PUBLIC, text_of(release.schema))
    assert registry.register(PUBLIC, text_of(release.schema), number=release.wire_id) == before


def test_what_is_not_there_is_told_apart_from_what_fails(registry: Registry) -> None:
    assert registry.schema(999_999_999) is None
    assert registry.find("no-such-subject", '"string"') is None
    assert registry.find(PUBLIC, '"string"') is None
    assert registry.compatibility("no-such-subject") is None


@pytest.mark.parametrize(
    ("subject", "level"),
    [
        pytest.param(PUBLIC, "FULL_TRANSITIVE", id="subscribers of public topics are others"),
        pytest.param(INTERNAL, "BACKWARD_TRANSITIVE", id="only we read internal topics, replays included"),
    ],
)
def test_compatibility_is_set_for_each_subject(registry: Registry, subject: str, level: str) -> None:
    assert registry.compatibility(subject) == level
    registry.set_compatibility(subject, level)
    assert registry.compatibility(subject) == level


def required(schema: Any) -> None:
    schema["fields"].append({"name": "must", "type": "int", "doc": "", "dataClass": "internal"})


def removed(schema: Any) -> None:
    del schema["fields"][0]


def retyped(schema: Any) -> None:
    schema["fields"][-1] |= {"type": {"type": "map", "values": "double"}, "default": {}}


@pytest.mark.parametrize(
    ("subject", "record", "change"),
    [
        pytest.param(PUBLIC, "burnline.delivery.TimesheetEvent", required, id="old records lack a new required field"),
        pytest.param(PUBLIC, "burnline.delivery.TimesheetEvent", removed, id="old readers miss a field that is gone"),
        pytest.param(PUBLIC, "burnline.delivery.TimesheetEvent", retyped, id="a type means something else"),
        pytest.param(INTERNAL, "burnline.internal.CaptureCursor", required, id="a replay lacks a new required field"),
        pytest.param(INTERNAL, "burnline.internal.CaptureCursor", retyped, id="a replay holds another type"),
    ],
)
def test_an_incompatible_version_is_refused(
    registry: Registry, subject: str, record: str, change: Callable[[Any], None]
) -> None:
    before = survey(registry, index())
    schema = copy.deepcopy(released(record)[-1].schema)
    change(schema)
    with pytest.raises(Incompatible, match=subject):
        registry.register(subject, text_of(schema), number=900_000)
    assert survey(registry, index()) == before


def test_records_are_the_same_bytes_as_without_a_server(registry: Registry, own_numbers: None) -> None:
    name, fields = "burnline.internal.TickEntry", {"at": 1_700_000_000_000_000}
    numbering.use(numbering.Released())
    without = codec.encode_wire(name, fields)
    numbering.use(Given(index(), ask(registry, index()), registry.schema, registry.name))
    assert codec.encode_wire(name, fields) == without
    assert codec.decode_wire(without).value == fields
