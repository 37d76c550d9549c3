"""Erase a person from the topics, and prove it by reading the logs themselves.

How
1. Every record under the person's keys on the topics that tombstones erase is looked for, and what names the person is noted.
2. A tombstone is written where such a record lies, in its own partition, with the reason in its headers.
3. The topics are compacted, at once where we may alter their settings.
4. Everything on the brokers' disks is read again, records that only compaction removes and those of aborted transactions included.
   What is found is told: as documented where the schemas say that a field holds what others said (`docs/privacy.md`), else as a finding.

Rules
- Erasing twice is the same as once: where nothing is left, nothing is written.
- The streams must be stopped: a worker has the person's rows in memory, and would write them again. Started anew, it is restored without.
- Burnline is not the source. Whoever is still in Odoo is captured again by the next sweep: erase there first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog
from confluent_kafka import KafkaError, KafkaException, Message

from consumers.core.erasure import holds, is_about, names_in, needles
from infra.errors import Fatal, PoisonMessage
from infra.kafka.clients import admin, producer
from infra.kafka.compaction import SEGMENT_SECONDS, eagerly_compacted
from infra.kafka.failures import cause_of, failure
from infra.kafka.reader import read_to_end
from infra.kafka.states import TIMEOUT, missing
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings
from schemas import codec, privacy
from schemas.events import Headers
from schemas.topics import TOPICS, Topic

log = structlog.get_logger()
REASON, AGAIN = "reason", "again"
"""Headers of a tombstone: why the person was erased; and that it stands behind another one, to close its segment."""
LOOK_EVERY = 1.0
NUDGE_EVERY = 5.0
Progress = Callable[[str], object]


class Place(NamedTuple):
    """A key about the person, in its partition."""

    topic: str
    partition: int
    key: bytes


class Remaining(NamedTuple):
    """A record that still says something of the person; `documented` where docs/privacy.md says that it may."""

    topic: str
    partition: int
    offset: int
    part: str
    documented: bool


@dataclass(slots=True)
class Person:
    """What the topics hold of a person. `places` have a value in the log; `live` ones are not under a tombstone yet."""

    subject: str
    names: set[str] = field(default_factory=set)
    places: set[Place] = field(default_factory=set)
    live: set[Place] = field(default_factory=set)


def present(settings: KafkaSettings, declared: Iterable[Topic] | None = None) -> list[Topic]:
    """The declared topics that the cluster has."""
    topics = list(TOPICS.values() if declared is None else declared)
    lacking = set(missing(settings, [topic.name for topic in topics]))
    return [topic for topic in topics if topic.name not in lacking]


def look(settings: KafkaSettings, subject: str, topics: Iterable[Topic], progress: Progress = str) -> Person:
    """What stands under the person's keys on the topics that tombstones erase. Raises `Transient` for a broker that fails."""
    person = Person(subject)
    for topic in topics:
        if not privacy.erases(topic):
            continue
        progress(f"looking at {topic.name}")
        for record in _log(settings, topic.name):
            if is_about(record.key(), subject):
                _note(person, topic, record)
    return person


def _note(person: Person, topic: Topic, record: Message) -> None:
    place = Place(topic.name, record.partition() or 0, record.key() or b"")
    value = record.value()
    if value is None:
        person.live.discard(place)
        return
    person.places.add(place)
    person.live.add(place)
    if not topic.rows:
        try:
            person.names |= names_in(topic.record, codec.decode_as(topic.record, value))
        except PoisonMessage as error:
            log.warning("record_not_read", topic=topic.name, offset=record.offset(), reason=str(error))


def bury(settings: KafkaSettings, places: Collection[Place], reason: str, *, again: bool = False) -> None:
    """Write a tombstone for each of these keys where its records lie, `again` where one is there. Returns when they are acknowledged."""
    writer = EventWriter(producer(settings))
    headers: Headers = [(REASON, reason.encode()), *([(AGAIN, b"")] if again else [])]
    for place in sorted(places):
        writer.send_bytes(place.topic, place.key, None, headers, partition=place.partition)
    writer.flush()


def compacted(
    settings: KafkaSettings,
    person: Person,
    topics: Iterable[Topic],
    reason: str,
    *,
    patience: float,
    progress: Progress,
) -> set[Place]:
    """Have the topics that hold something of the person compacted; returns the keys that still have a value after `patience` seconds."""
    held = [topic for topic in topics if any(place.topic == topic.name for place in person.places)]
    left = set(person.places)
    deadline, nudge = time.monotonic() + patience, time.monotonic() + SEGMENT_SECONDS
    with eagerly_compacted(settings, [topic.name for topic in held]):
        while left and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
            if time.monotonic() >= nudge:  # a segment closes when a later record comes
                bury(settings, left, reason, again=True)
                nudge = time.monotonic() + NUDGE_EVERY
            left = look(settings, person.subject, held).places
            progress(f"waiting for compaction: {len(left)} of {len(person.places)} keys left")
    return left


def remaining(
    settings: KafkaSettings, person: Person, topics: Iterable[Topic], progress: Progress = str
) -> Iterator[Remaining]:
    """Every record on these topics that is under the person's keys with a value, where a tombstone erases, or that names the person."""
    wanted = needles(person.names)
    for topic in topics:
        erased, documented = privacy.erases(topic), privacy.may_name(topic)
        progress(f"reading {topic.name}")
        for record in _log(settings, topic.name):
            if erased and record.value() is not None and is_about(record.key(), person.subject):
                part: str | None = "value"
            else:
                part = holds(wanted, record.key(), record.value(), record.headers())
            if part is not None:
                yield Remaining(topic.name, record.partition() or 0, record.offset() or 0, part, documented)


def refuse_running_streams(settings: Settings) -> None:
    """Raises `Fatal` while a worker of the streams is in its group: it would write from memory what is erased."""
    group = settings.streams.group
    client = admin(settings.kafka)  # kept: the answer never comes once the client is gone
    try:
        members = client.describe_consumer_groups([group], request_timeout=TIMEOUT)[group].result().members
    except KafkaException as error:
        if cause_of(error).code() == KafkaError.GROUP_ID_NOT_FOUND:
            return
        raise failure(f"asking for the group {group}", error) from error
    if members:
        raise Fatal(
            f"{len(members)} worker(s) of {group} are running, and have the person's rows in memory",
            remedy="stop `burnline streams` (and `burnline run`), erase, start them again: they are restored without these rows",
        )


def _log(settings: KafkaSettings, topic: str) -> Iterator[Message]:
    return read_to_end(settings, topic, uncommitted=True)
