"""A transaction of the capture whose records are made while it runs: all of them are committed, or none."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from infra.kafka.reader import read_to_end
from producers.capture.publisher import Publisher, Record

pytestmark = pytest.mark.kafka
TOPIC = "internal.capture-status.v1"


def record(key: str) -> Record:
    return Record(TOPIC, key.encode(), b"x", [])


def committed(kafka: Any, prefix: str) -> list[str]:
    """The keys under a prefix that a subscriber of committed records sees."""
    return [key for one in read_to_end(kafka, TOPIC) if (key := (one.key() or b"").decode()).startswith(prefix)]


def test_what_making_a_record_raises_takes_back_what_was_sent(kafka: Any) -> None:
    name = uuid4().hex
    publisher = Publisher(kafka, name)

    def broken() -> Iterator[Record]:
        yield record(f"{name}:lost")
        raise LookupError("no second one")

    with pytest.raises(LookupError):
        publisher.commit(broken())
    publisher.commit(record(f"{name}:{number}") for number in range(3))
    publisher.commit(iter(()))
    assert committed(kafka, name) == [f"{name}:0", f"{name}:1", f"{name}:2"]
