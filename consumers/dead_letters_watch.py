"""Watch the dead letters: an alert to whoever owns the remedy when the first of a kind comes, and by the tenfold after that.

Rules
- One watch: the transactional id is the same for all, so a second one fences the first.
- It keeps nothing of its own. At the start all letters are folded, and its own alerts are known by their ids: what was told is not told again,
  and what was not is, whatever killed whom in between. What follows from one look is one transaction.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from consumers.core.letter_alerts import RULE, LetterAlerts
from infra.errors import PoisonMessage, Transient
from infra.kafka.clients import broker_answers, consumer, transactional_producer
from infra.kafka.failures import of_client, refusal
from infra.kafka.names import WATCH, scratch_group
from infra.kafka.reader import end_offsets, partitions_of, read_to_end
from infra.kafka.unread import logged, unread
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from schemas import contents
from schemas.records import AlertEvent
from schemas.topics import topic

log = structlog.get_logger()
LETTERS, ALERTS = topic("ops.dead-letter.v1"), topic("governance.alert.v1")
TRANSACTION = 30.0
AT_ONCE = 500
POLL = 0.2


def watch(kafka: KafkaSettings, stop: threading.Event) -> None:
    """Tell of letters until `stop` is set. Raises `Transient` when the broker fails; the next start goes on where this one was."""
    broker_answers(kafka)
    producer = transactional_producer(kafka, WATCH, timeout=TRANSACTION)  # first: it ends what a dead one left open
    writer, known, fold = EventWriter(producer), _told(kafka), LetterAlerts()
    ends = end_offsets(kafka, LETTERS.name, partitions_of(kafka, LETTERS.name))
    reader = consumer(kafka, group=scratch_group("letters"))
    reader.assign([TopicPartition(LETTERS.name, partition, begin) for partition, (begin, _) in ends.items()])
    log.info("letters_watched", told_before=len(known))
    try:
        while not stop.is_set():
            fresh = [
                one for one in _alerts(fold, reader.consume(AT_ONCE, POLL)) if one["meta"]["event_id"] not in known
            ]
            if not fresh:
                continue
            producer.begin_transaction()
            for one in fresh:
                writer.send(ALERTS, one)
            writer.flush(TRANSACTION)
            producer.commit_transaction(TRANSACTION)
            known |= {one["meta"]["event_id"] for one in fresh}
            for one in fresh:
                current = one["current"]
                log.info(
                    "letters_told",
                    status=current["status"],
                    level=current["level"],
                    owner=current["owner"],
                    **current["values"],
                )
    except (KafkaException, SystemError) as raised:
        error = of_client(raised)
        with contextlib.suppress(KafkaException):
            producer.abort_transaction(3)
        raise refusal("telling of letters", error) or Transient(
            f"telling of letters failed: {error.args[0].str()}",
            remedy="is the broker up? Start it again: nothing is told twice",
        ) from raised
    finally:
        reader.close()


def _told(kafka: KafkaSettings) -> set[str]:
    """The ids of the events that a watch before this one published."""
    found: set[str] = set()
    for record in read_to_end(kafka, ALERTS.name):
        value = record.value()
        if value is None:
            continue
        with contextlib.suppress(PoisonMessage):  # whoever reads alerts parks it
            alert = contents.read("governance.alert.v1", value)
            if alert["current"]["rule"] == RULE:
                found.add(alert["meta"]["event_id"])
    return found


def _alerts(fold: LetterAlerts, records: Iterable[Message]) -> list[AlertEvent]:
    found: list[AlertEvent] = []
    for record in records:
        error, value = record.error(), record.value()
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF and not error.retriable():  # noqa: SLF001  the client's public name
                raise KafkaException(error)
            continue
        try:
            if value is not None:
                found += fold.fold(contents.read("ops.dead-letter.v1", value))
        except PoisonMessage as poison:
            logged(unread(record, poison))
    return found
