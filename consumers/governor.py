"""The governor as a process: it reads what happens, and publishes whose turn it is and what must wait.

Rules
- There is one governor. The transactional id is the same for all, so a second one fences the first, which then ends with `Fatal`.
- What follows from one look at the topics is published in one transaction, and remembered only then. It keeps nothing of its own: at the
  start everything is read from the topics, its own among them, and what was published is known by its ids.
- Time is what the clock says: without ticks nothing is decided.
- How far it has read is committed after what follows from that is published, for whoever looks at the lag. It never begins from there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from consumers.actions.policy import load_policy
from consumers.core.approvals import alert_of
from consumers.core.directory import SOURCES
from consumers.core.duties import DUTIES, FREEZES, is_freeze
from consumers.core.governor import Decision, Governor
from consumers.core.trial import remember
from consumers.directory import fold as fold_directory
from infra.dead_letters import DEAD_LETTERS, parked
from infra.errors import BurnlineError, Fatal, PoisonMessage, Transient
from infra.kafka.alone import SECONDS, transaction
from infra.kafka.clients import AGAIN, broker_answers, consumer, transactional_producer
from infra.kafka.failures import is_record
from infra.kafka.names import GOVERNOR
from infra.kafka.reader import STALL, available, end_offsets, last_records, partitions_of, read_ranges
from infra.kafka.unread import logged, unread
from infra.settings import KafkaSettings, Settings
from schemas import contents
from schemas.events import refuse_contradiction
from schemas.records import DeadLetterEvent

log = structlog.get_logger()
CLOCK: Final = "ops.clock.v1"
ALERTS: Final = "governance.alert.v1"
APPROVALS: Final = "governance.approval.v1"
ACTIONS: Final = "governance.action.v1"
OWN = (DUTIES.name, FREEZES.name)
"""What it wrote itself: read once, at the start, before what it was made from."""
READ = (*OWN, *SOURCES, ACTIONS, ALERTS, APPROVALS)
POLL = 0.2
MOST = 500


def run(settings: Settings, config: dict[str, object], stop: threading.Event, *, prefix: str = "") -> None:
    """Govern until `stop` is set. `prefix` stands before the names of all topics, and of the transactional id.

    Raises `Fatal` for a policy that a person must correct, and when another governor took over; `Transient` when the broker fails.
    """
    governor = Governor(load_policy(config))
    kafka = settings.kafka
    broker_answers(kafka)
    producer = transactional_producer(kafka, prefix + GOVERNOR, timeout=SECONDS)
    # only now, since taking the id decided what a former governor still had open
    positions = _catch_up(kafka, governor, prefix)
    log.info("governor_started", open=len(governor.open), duties=len(governor.duties), freezes=len(governor.freezes))
    unsaid: list[KafkaError] = []  # what kept the group from being told how far this is: it is told again

    def answered(error: KafkaError | None, _offsets: list[TopicPartition]) -> None:
        if error is not None:
            log.warning("offsets_not_committed", reason=error.str(), next="they are committed again")
            unsaid.append(error)

    reader = consumer(kafka, group=prefix + GOVERNOR, on_commit=answered)
    try:
        reader.assign(positions)
        publish = partial(_publish, producer, prefix)
        _settle(governor, publish)
        reader.commit(offsets=positions, asynchronous=True)
        said = time.monotonic()
        while not stop.is_set():
            records = available(reader, MOST, POLL)
            letters = [letter for record in records if (letter := _take(governor, record, prefix)) is not None]
            if records:
                _settle(governor, publish, letters)
            if records or (unsaid and time.monotonic() - said > AGAIN):
                unsaid.clear()
                said = time.monotonic()
                reader.commit(offsets=_reached(reader, positions), asynchronous=True)
    except KafkaException as error:
        raise Transient(f"reading failed: {error.args[0].str()}", remedy="is the broker up?") from error
    finally:
        reader.close()


@contextmanager
def beside(settings: Settings, config: dict[str, object], stop: threading.Event) -> Iterator[None]:
    """A governor in a thread, beside other work in this process: where it fails it sets `stop`, and in the end raises why."""
    failures: list[BurnlineError] = []

    def govern() -> None:
        try:
            run(settings, config, stop)
        except BurnlineError as error:
            failures.append(error)
            stop.set()

    thread = threading.Thread(target=govern, name="governor")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]


def _catch_up(kafka: KafkaSettings, governor: Governor, prefix: str) -> list[TopicPartition]:
    """Read everything up to now; returns where to go on. Its own topics are not followed: nobody else writes there."""
    positions = []
    for name in (*READ, CLOCK):
        topic = prefix + name
        partitions = partitions_of(kafka, topic)
        if not partitions:
            raise Fatal(f"there is no topic {topic}", remedy="run `burnline topics apply`")
        ends = end_offsets(kafka, topic, partitions)
        if name == CLOCK:
            records: Iterator[Message] = iter(last_records(kafka, topic, partitions).values())
        else:
            records = read_ranges(kafka, topic, ends, STALL)
        for record in records:
            try:
                _fold(governor, name, record)
            except PoisonMessage as error:  # who met it first has parked it
                logged(unread(record, error))
        if name not in OWN:
            positions += [TopicPartition(topic, partition, end) for partition, (_, end) in ends.items()]
    return positions


def _reached(reader: Consumer, begun: list[TopicPartition]) -> list[TopicPartition]:
    """Where the reader stands; of what brought nothing yet, where it began."""
    return [now if now.offset >= 0 else was for now, was in zip(reader.position(begun), begun, strict=True)]


def _take(governor: Governor, record: Message, prefix: str) -> DeadLetterEvent | None:
    """Take in a record; returns the dead letter of one that cannot be read."""
    if not is_record(record):
        return None
    try:
        _fold(governor, (record.topic() or "").removeprefix(prefix), record)
    except PoisonMessage as poison:
        logged(unread(record, poison))
        return parked(
            record.topic() or "", record.partition() or 0, record.offset() or 0, key=record.key(), value=record.value(),
            headers=record.headers(), error=poison, stage="governor", at=datetime.now(UTC),
        )  # fmt: skip
    return None


def _fold(governor: Governor, topic: str, record: Message) -> None:
    value = record.value()
    if topic in SOURCES:
        fold_directory(governor.directory, topic, record)
        return
    if value is None:
        _erased(topic)
        return
    match topic:
        case "ops.clock.v1":
            governor.tick(contents.read(CLOCK, value)["current"]["at"])
        case "governance.alert.v1":
            alert = contents.read(ALERTS, value)
            refuse_contradiction(record.headers(), alert["meta"])
            governor.alert(alert)
        case "governance.approval.v1":
            request = contents.read(APPROVALS, value)
            refuse_contradiction(record.headers(), request["meta"])
            if (found := alert_of(request)) is not None:
                governor.alert(found)
        case "governance.action.v1":
            governor.action(contents.read(ACTIONS, value)["current"])
        case "governance.duty.v1":
            governor.duty(contents.read("governance.duty.v1", value))
        case "governance.freeze.v1":
            governor.freeze(contents.read("governance.freeze.v1", value))


def _erased(topic: str) -> None:
    """Pass over a tombstone where there may be one. Raises `PoisonMessage` elsewhere."""
    if topic != FREEZES.name:
        raise PoisonMessage(
            f"a record of {topic} is empty", remedy="find the producer: they are never deleted", reason="empty"
        )


def _settle(
    governor: Governor,
    publish: Callable[[list[Decision], list[DeadLetterEvent]], None],
    letters: list[DeadLetterEvent] | None = None,
) -> None:
    """Publish what follows, and what follows from that, until nothing does; each is remembered once it is published."""
    decisions = governor.decide()
    while decisions or letters:
        publish(decisions, letters or [])
        letters = None
        for decision in decisions:
            remember(governor, decision)
            log.info(
                decision["meta"]["event_type"].rsplit(".", 2)[-2],
                subject=decision["meta"]["subject"],
                policy=decision["current"]["policy"],
                reason=decision["current"]["reason"],
                correlation_id=decision["meta"]["correlation_id"],
            )
        decisions = governor.decide()


def _publish(producer: Producer, prefix: str, decisions: list[Decision], letters: list[DeadLetterEvent]) -> None:
    with transaction(producer, "governor", "publishing a duty") as writer:
        for decision in decisions:
            own = FREEZES if is_freeze(decision) else DUTIES
            writer.send(replace(own, name=prefix + own.name), decision)
        for letter in letters:
            writer.send(replace(DEAD_LETTERS, name=prefix + DEAD_LETTERS.name), letter)
