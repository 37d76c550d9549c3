"""Publishing: events, dead letters and the cursor that covers them, in one transaction, by one process at a time.

Rules
- `transactional.id` is `burnline.capture.<database>`: a second capture of the same database fences the first, which ends.
- A transaction that must be aborted is begun again with the very same records. What the caller remembers, it remembers
  after `commit` has returned: nothing is lost when it does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import structlog
from confluent_kafka import KafkaError, KafkaException

from infra.errors import Fatal, Transient
from infra.kafka.clients import TRANSACTION, transactional_producer
from infra.kafka.failures import refusal
from infra.kafka.limits import refuse_large
from infra.kafka.names import capture_transactions
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from producers.capture.metrics import ABORTS, COMMIT_SECONDS
from schemas.events import Headers, cloudevents_headers
from schemas.records import Meta
from schemas.topics import Topic

log = structlog.get_logger()
PATIENCE = 120.0
CALL = 10.0
PAUSE, LONGEST_PAUSE = 0.2, 5.0
FENCED = frozenset({KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED})  # noqa: SLF001  the client's public name for it


class Record(NamedTuple):
    """One record to publish, as bytes; without a value it is a tombstone."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers


def record_of(topic: Topic, meta: Meta, value: bytes) -> Record:
    """The record of an event, whose value is encoded already."""
    return Record(topic.name, meta["subject"].encode(), value, cloudevents_headers(topic, meta))


class KafkaGone(Transient):
    """Kafka did not take a transaction for as long as we were willing to wait."""


class Publisher:
    """The one writer of a database's events."""

    def __init__(self, settings: KafkaSettings, database: str, *, patience: float = PATIENCE) -> None:
        """Fence whoever wrote before. Raises `Transient` when no broker answers."""
        self._id = capture_transactions(database)
        self._patience = patience
        self._limit = settings.max_message_bytes
        self._producer = transactional_producer(settings, self._id, timeout=TRANSACTION)
        self._writer = EventWriter(self._producer, checked=False)

    def refuse_large(self, record: Record) -> None:
        """Raises `PoisonMessage` for a record that its topic does not take: in a transaction it would hold up all the others.

        What its key and headers say is in its value, too, so a small value is told by its size alone.
        """
        if len(record.value or b"") > self._limit // 8:
            refuse_large(record.topic, record.key, record.value, record.headers, self._limit)

    def commit(self, records: Iterable[Record]) -> None:
        """All of these records, or none. They are asked for one by one, and sent while the next is being made.

        Raises `Fatal` when fenced or refused, `KafkaGone` when patience is over, and what asking for a record raises: then none was written.
        """
        rest = iter(records)
        made = list(islice(rest, 1))
        if not made:
            return
        deadline = time.monotonic() + self._patience
        while True:
            try:
                self._attempt(made, rest, deadline)
            except KafkaException as error:
                self._abort(error, deadline)
            else:
                return

    def _attempt(self, made: list[Record], rest: Iterator[Record], deadline: float) -> None:
        """Send what is made, and what is left to be made, which is noted there: another attempt begins with it."""
        self._producer.begin_transaction()
        try:
            for record in made:
                self._send(record)
            for record in rest:
                made.append(record)
                self._send(record)
        except KafkaException:
            raise
        except BaseException:
            self._take_back(deadline)
            raise
        with COMMIT_SECONDS.time():
            self._insist(lambda: self._producer.commit_transaction(CALL), deadline)
        self._producer.poll(0)  # what the client has to tell besides

    def _send(self, record: Record) -> None:
        self._writer.send_bytes(record.topic, record.key, record.value, record.headers)

    def _abort(self, error: KafkaException, deadline: float) -> None:
        """Take back what was begun, so that the same records can be sent again. Raises what cannot be mended."""
        cause: KafkaError = error.args[0]
        if refused := refusal(f"writing as {self._id}", cause):
            raise refused from error
        if cause.fatal() or cause.code() in FENCED:
            raise self._ended(cause)
        if time.monotonic() > deadline:
            raise self._gone(cause)
        ABORTS.inc()
        log.warning("transaction_aborted", cause=cause.str(), transactional_id=self._id)
        self._take_back(deadline)

    def _take_back(self, deadline: float) -> None:
        try:
            self._insist(lambda: self._producer.abort_transaction(CALL), deadline)
        except KafkaException as again:
            raise self._ended(again.args[0]) from again

    def _insist(self, call: Callable[[], None], deadline: float) -> None:
        """Repeat a call that may be repeated, until the deadline."""
        pause = PAUSE
        while True:
            try:
                call()
            except KafkaException as error:
                cause: KafkaError = error.args[0]
                if cause.fatal() or cause.txn_requires_abort() or not cause.retriable():
                    raise
                if time.monotonic() > deadline:
                    raise self._gone(cause) from error
                log.warning("kafka_awaited", cause=cause.str())
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return

    def _gone(self, cause: KafkaError) -> KafkaGone:
        return KafkaGone(
            f"Kafka did not finish a transaction within {self._patience:.0f} s: {cause.str()}",
            remedy="is the broker up? Start capture again when it is: nothing is lost",
        )

    def _ended(self, cause: KafkaError) -> Fatal:
        if cause.code() in FENCED:
            return Fatal(
                f"another capture writes as {self._id} now; this one was fenced and wrote nothing since",
                remedy="run one capture per Odoo database; stop the other one if this one is wanted",
            )
        return Fatal(
            f"the producer {self._id} cannot go on: {cause.str()}",
            remedy="start capture again: it goes on where its last transaction ended",
        )
