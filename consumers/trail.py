"""The audit trail as a process and as a reading: every event that somebody may have to answer for, once, in one chain.

How it stays exact
- One keeper: its transactional id is the same for all, so a second one fences the first, which then ends uncommitted.
- Entries, how far each source was read, and the head of the chain are one transaction: the head travels as the metadata of the offsets, so that
  an entry which another put onto the topic is never taken for it. At its start a keeper ends what a dead one left open, and only then reads them.
- Brokers forget offsets that nobody moves for a week. Then the chain itself tells how far each source was entered.
- The chain is one partition. What cannot be read is parked as a dead letter in the same transaction, which makes an entry of its own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from consumers.core import trail_entries
from consumers.core.trail_chain import Head, digest_of, head_of, linked, parsed
from consumers.erasure import AGAIN, REASON
from infra.dead_letters import DEAD_LETTERS, letter_of
from infra.errors import Fatal, PoisonMessage, Transient
from infra.kafka.clients import broker_answers, consumer, transactional_producer
from infra.kafka.failures import of_client, refusal
from infra.kafka.names import TRAIL
from infra.kafka.reader import end_offsets, partitions_of, read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from schemas import codec
from schemas.events import deterministic_id, meta, refuse_contradiction
from schemas.records import TrailEvent
from schemas.topics import Topic, topic

log = structlog.get_logger()
TOPIC = topic("governance.trail.v1")
SUBJECT, SOURCE, STAGE = "burnline:trail:main", "burnline.trail", "trail"
TRANSACTION = 30.0
AT_ONCE = 500
POLL = 0.2
Place = tuple[str, int]


def entries(kafka: KafkaSettings) -> Iterator[dict[str, Any]]:
    """The chain as it stands on its topic. Raises `PoisonMessage` for a record that is no entry: then the trail was tampered with."""
    for record in read_to_end(kafka, TOPIC.name):
        yield entry_of(record)


def entry_of(record: Message) -> dict[str, Any]:
    """The entry in a record. Raises `PoisonMessage`."""
    value = record.value()
    if value is None:
        raise PoisonMessage(
            f"offset {record.offset()} of {TOPIC.name} is a tombstone: nobody writes one there",
            remedy="find who wrote it, and compare the chain with the last export",
        )
    found: dict[str, Any] = codec.decode_as(TOPIC.record, value)["current"]
    return found


def keep(kafka: KafkaSettings, stop: threading.Event, sources: Iterable[Topic] | None = None) -> None:
    """Keep the trail until `stop` is set. Raises `Transient` when the broker fails, `Fatal` when another keeper took over."""
    broker_answers(kafka)
    # First, since taking the id decides what another keeper left open.
    producer = transactional_producer(kafka, TRAIL, timeout=TRANSACTION)
    known = {one.name: one for one in (map(topic, trail_entries.SOURCES) if sources is None else sources)}
    member = consumer(kafka, group=TRAIL)
    try:
        _Keeper(kafka, producer, member, known).run(stop)
    finally:
        member.close()


class _Keeper:
    def __init__(self, kafka: KafkaSettings, producer: Producer, member: Consumer, sources: dict[str, Topic]) -> None:
        self._producer, self._member, self._writer, self._sources = producer, member, EventWriter(producer), sources
        positions, self._head = _begin(kafka, member, sources)
        member.assign(positions)
        log.info("trail_kept", head=str(self._head))

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            records = [record for record in self._member.consume(AT_ONCE, POLL) if _is_record(record)]
            if records:
                self._commit(records)

    def _commit(self, records: list[Message]) -> None:
        """One transaction: the entries of these records, and how far they reach."""
        head, reached = self._head, {}
        try:
            self._producer.begin_transaction()
            for record in records:
                head = self._enter(record, head)
                reached[record.topic(), record.partition()] = (record.offset() or 0) + 1
            offsets = [TopicPartition(name or "", p or 0, end, str(head)) for (name, p), end in reached.items()]
            self._producer.send_offsets_to_transaction(offsets, self._member.consumer_group_metadata(), TRANSACTION)
            self._writer.flush(TRANSACTION)
            self._producer.commit_transaction(TRANSACTION)
        except (KafkaException, SystemError) as error:
            with contextlib.suppress(KafkaException):  # the broker aborts it by itself, later
                self._producer.abort_transaction(3)
            raise _failure(of_client(error)) from error
        self._head = head

    def _enter(self, record: Message, head: Head) -> Head:
        try:
            content = _content(record, self._sources[record.topic() or ""])
        except PoisonMessage as error:
            self._writer.send(DEAD_LETTERS, letter_of(record, error, stage=STAGE, at=datetime.now(UTC)))
            return head
        if content is None:
            return head
        entry = linked(head, content)
        self._writer.send(TOPIC, trail_event(entry), partition=0)
        return head_of(entry)


def _begin(kafka: KafkaSettings, member: Consumer, sources: Iterable[str]) -> tuple[list[TopicPartition], Head]:
    """Where to go on, and after which entry. Raises `Fatal` for a topic that is missing."""
    ranges: dict[Place, tuple[int, int]] = {}
    for name in sources:
        partitions = partitions_of(kafka, name)
        if not partitions:
            raise Fatal(f"the topic {name} does not exist", remedy="run `burnline topics apply`")
        ranges |= {(name, p): bounds for p, bounds in end_offsets(kafka, name, partitions).items()}
    try:
        committed = member.committed([TopicPartition(*place) for place in ranges], timeout=TRANSACTION)
    except KafkaException as error:
        raise _failure(error) from error
    at = {(one.topic, one.partition): one.offset for one in committed if one.offset >= 0}
    head = max((parsed(one.metadata) for one in committed if one.metadata), default=Head())
    if any(place not in at and end > begin for place, (begin, end) in ranges.items()):
        entered, last = _entered(kafka)
        at, head = entered | at, max(head, last)
    return [TopicPartition(*place, max(begin, at.get(place, 0))) for place, (begin, _) in ranges.items()], head


def _entered(kafka: KafkaSettings) -> tuple[dict[Place, int], Head]:
    """How far each source was entered, and the end of the chain, as the chain itself tells. What is no entry is passed over: `verify` tells."""
    at: dict[Place, int] = {}
    head = Head()
    for record in read_to_end(kafka, TOPIC.name):
        with contextlib.suppress(PoisonMessage):
            entry = entry_of(record)
            if entry["previous"] == head.digest and digest_of(entry) == entry["digest"]:
                place = entry["source_topic"], entry["source_partition"]
                at[place] = max(at.get(place, 0), entry["source_offset"] + 1)
                head = head_of(entry)
    return at, head


def _is_record(record: Message) -> bool:
    error = record.error()
    if error is None:
        return True
    if error.code() != KafkaError._PARTITION_EOF and not error.retriable():  # noqa: SLF001  the client's public name
        raise _failure(KafkaException(error))
    return False


def _content(record: Message, source: Topic) -> dict[str, Any] | None:
    """What the trail says of a record; None where it says nothing. Raises `PoisonMessage` for what cannot be read."""
    value, place = record.value(), (record.partition() or 0, record.offset() or 0)
    headers = dict(record.headers() or ())
    if value is None or trail_entries.is_erasure(source):
        if value is not None or REASON not in headers or AGAIN in headers or not trail_entries.is_erasure(source):
            return None
        at = datetime.fromtimestamp(record.timestamp()[1] / 1000, UTC)
        identity = deterministic_id(source.name, *place)
        return trail_entries.erasure(
            source, _words(record.key()), _words(headers[REASON]), at=at, place=place, identity=identity
        )
    said = _words(headers.get("ce_type"))  # most events are passed over without being read
    if said.count(".") > 1 and not trail_entries.takes(source, trail_entries.verb_of(said)):
        return None
    event = codec.decode_as(source.record, value)
    refuse_contradiction(record.headers(), event["meta"])
    if not trail_entries.takes(source, trail_entries.verb_of(event["meta"]["event_type"])):
        return None
    return trail_entries.content(source, event, *place)


def _words(text: str | bytes | None) -> str:
    return text if isinstance(text, str) else (text or b"").decode("utf-8", "replace")


def trail_event(entry: dict[str, Any]) -> TrailEvent:
    """The event of an entry."""
    made = meta(
        TOPIC,
        "entered",
        source=SOURCE,
        subject=SUBJECT,
        version=entry["number"],
        occurred_at=entry["occurred_at"],
        recorded_at=entry["recorded_at"],
        mode="derived",
        tenant="",
        company_id=None,
        correlation_id=entry["correlation_id"],
        causation_id=entry["event_id"],
    )
    return {"meta": made, "current": entry}  # type: ignore[typeddict-item]  # made of the schema's own fields; the codec holds it to them


def _failure(error: KafkaException) -> Fatal | Transient:
    cause = error.args[0]
    if refused := refusal("keeping the trail", error):
        return refused
    if cause.fatal():
        return Fatal(
            "another keeper of the trail took over; this one entered nothing since",
            remedy="run one, and stop the other",
        )
    return Transient(
        f"keeping the trail failed: {cause.str()}",
        remedy="is the broker up? Start it again: it goes on where its last transaction ended",
    )
