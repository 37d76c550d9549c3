"""Each public topic is read as the record it holds, and as no other."""

from __future__ import annotations

import typing

import pytest

from schemas import catalogue, codec, contents, records
from schemas.errors import PoisonMessage
from schemas.topics import TOPICS
from tests.support import avro

PUBLIC = [topic for topic in TOPICS.values() if topic.public]


def largest(record: str) -> bytes:
    return codec.encode(record, avro.corner(catalogue.load(record), "most"))


@pytest.mark.parametrize("topic", PUBLIC, ids=lambda topic: topic.name)
def test_a_topic_is_read_as_its_record(topic):
    assert contents.read(topic.name, largest(topic.record)) == avro.corner(catalogue.load(topic.record), "most")


@pytest.mark.parametrize("topic", PUBLIC, ids=lambda topic: topic.name)
def test_the_type_of_what_is_read_is_the_record_s(topic):
    def promised(overload):
        return typing.get_type_hints(overload, vars(contents))

    (found,) = (
        hints["return"]
        for hints in map(promised, typing.get_overloads(contents.read))
        if topic.name in typing.get_args(hints["topic"])
    )
    assert found is getattr(records, topic.record.rpartition(".")[2])
    assert found in typing.get_args(contents.Event)
    assert set(found.__annotations__) == {field["name"] for field in catalogue.load(topic.record)["fields"]}


def test_another_record_is_refused():
    with pytest.raises(PoisonMessage, match="stands where") as caught:
        contents.read("governance.alert.v1", largest("burnline.ops.TickEvent"))
    assert caught.value.reason == "wrong_record"
