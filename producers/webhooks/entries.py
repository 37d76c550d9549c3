"""What the parts of the server hand to each other: a post as it is kept, and what its sender is told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from schemas import codec
from schemas.events import Headers, cloudevents_headers
from schemas.successions import older_editions
from schemas.topics import Topic


class Answer(NamedTuple):
    """What a sender is told."""

    status: int
    reason: str


ACCEPTED = Answer(202, "accepted")


class Outgoing(NamedTuple):
    """An event and the topic it goes to."""

    topic: Topic
    event: Mapping[str, Any]


class Record(NamedTuple):
    """A record as Kafka gets it. It is made once: sent twice, it is the same to the last byte, its event id included."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


class Delivery(NamedTuple):
    """What a signed delivery is known by: its sender, its id, and a digest of its body."""

    source: str
    delivery_id: str
    digest: bytes


class Entry(NamedTuple):
    """A post to be kept: what it is known by (nothing for an unsigned one), when it came, what its sender is told, what follows from it."""

    delivery: Delivery | None
    at: float
    answer: Answer
    records: tuple[Record, ...]


def digest(body: bytes) -> bytes:
    """What tells one body from another."""
    return hashlib.blake2b(body, digest_size=16).digest()


def records(outgoing: Iterable[Outgoing]) -> tuple[Record, ...]:
    """The records of these events, with their older editions. Raises `PoisonMessage` where one breaks its schema."""
    return tuple(
        Record(
            topic.name,
            event["meta"]["subject"].encode(),
            codec.encode(topic.record, event),
            cloudevents_headers(topic, event["meta"]),
        )
        for each in outgoing
        for topic, event in (each, *older_editions(*each))
    )
