"""The engine: one worker's loop over batches, one transaction each. It knows topics and processors, and no measure.

How a worker stays exact
- One consumer, `read_committed`, for source topics and the processors' inputs; one transactional producer. Offsets travel in the
  batch's transaction with the group's metadata, so a batch counts once or not at all, whoever dies when.
- Crash-only: any error leaves `run`, and the process with it. Nothing uncertain is committed; the next start is restored. But one
  record on which our own code breaks does not stop the others: its partition is stopped, loudly, and what the batch had done in memory is
  forgotten and restored, as on any assignment.
- A rebalance empties the batch that was being gathered: none of it was worked on, and all of it is delivered again. Every
  assignment starts paused, so that no record of the new one can be among them.
- Input partitions wait for their state, which is restored beside the loop; source partitions wait until all that was sent to the
  inputs before is taken. So what comes from a source finds its states near, and needs no frame unless another worker has them.
- A topic written in transactions ends with a marker that is no record. When nothing comes in, the ends that were reached are
  committed too, so that a group that has done everything has a lag of zero.

The three times, which only make sense together
- `session_timeout`: how long a dead worker keeps its partitions. Membership is static, so one that is back in that time (with the
  same instance name) goes on without a rebalance, and finds its own open transaction aborted by taking its name again.
- `transaction_timeout`: how long the open transaction of a worker that does not come back holds up its readers and its successor.
  It is above the longest batch, which is a second.
- `max.poll.interval` is their sum: a batch that took longer than a transaction may has lost its transaction anyway. A watchdog
  ends the process after that time, since the client has been seen to wait for ever when a broker restarts under a commit.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from itertools import count
from queue import SimpleQueue
from typing import Any, NamedTuple

import structlog
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from infra.kafka.clients import broker_answers, consumer, transactional_producer
from infra.kafka.names import worker_transactions
from infra.settings import Settings
from streams.engine import metrics
from streams.engine.batch import Batch, Outputs
from streams.engine.checkpoints import Checkpoints
from streams.engine.failures import DefectError, of_kafka
from streams.engine.keeping import Keeper
from streams.engine.litter import Litter
from streams.engine.ownership import Ownership
from streams.engine.restore import Restorer
from streams.engine.topology import Partition, Topology, partition_of
from streams.engine.transaction import Transactions
from streams.engine.watchdog import Watchdog
from streams.engine.widths import widths_of

log = structlog.get_logger()

IDLE = 0.1
"""Seconds to wait for a first record: also how long a look-up or a restored state waits at most when nothing comes in."""
QUIET = 0.5
"""Seconds without a commit after which the ends that were reached are committed: never while records keep coming."""
SWEEP = 30.0
"""Seconds beyond a transaction's time within which a broker surely aborts it: by default it looks every 10."""
LEAVING = 5.0
"""Seconds within which the group is told that this worker leaves."""
CHUNK = 500
_PASSING = frozenset({KafkaError._MAX_POLL_EXCEEDED, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN})  # noqa: SLF001


class Status(NamedTuple):
    """What a worker says of itself. Times are seconds of the monotonic clock.

    `stopped` counts the partitions that a defect holds up; `stands` is for how many seconds there was something to do and nothing was
    committed.
    """

    ready: bool
    inputs: int
    restored: int
    last_commit: float | None
    stopped: int = 0
    stands: float = 0.0


class ElsewhereError(LookupError):
    """The subject lives in a partition of another worker."""


class Engine:
    """One worker. `run` is its life; the other methods may be called from other threads."""

    def __init__(self, settings: Settings, topology: Topology) -> None:
        """Prepare; nothing is connected before `run`."""
        self._settings, self._topology = settings, topology
        self._own = Ownership({processor.input: processor for processor in topology.processors})
        self._widths: Mapping[str, int] = {}
        self._settled = 0
        self._questions: SimpleQueue[tuple[str, str, Future[Mapping[str, Any] | None]]] = SimpleQueue()
        self._last_commit: float | None = None
        self._asked = 0.0
        self._begun = time.monotonic()
        self._behind = False
        self._life, self._commits = uuid.uuid4().hex, count()

    @property
    def _longest_turn(self) -> float:
        return self._settings.streams.session_timeout + self._settings.streams.transaction_timeout

    def status(self) -> Status:
        """How the worker is, without waiting for it."""
        own = self._own
        stands = time.monotonic() - (self._last_commit or self._begun) if self._behind and own.complete else 0.0
        return Status(own.complete, len(own.inputs()), len(own.ready), self._last_commit, len(own.stopped), stands)

    def look_up(self, processor: str, subject: str) -> Future[Mapping[str, Any] | None]:
        """The committed measure of a subject, or None where it has none, answered between two batches.

        The future raises `ElsewhereError` when another worker owns the subject, `KeyError` for an unknown processor.
        """
        future: Future[Mapping[str, Any] | None] = Future()
        self._questions.put((processor, subject, future))
        return future

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then finish the batch at hand and leave. Raises `Fenced`, `Transient` or `Fatal`."""
        streams, kafka = self._settings.streams, self._settings.kafka
        broker_answers(kafka)
        self._widths = widths_of(kafka, self._topology)
        producer = transactional_producer(
            kafka,
            worker_transactions(streams.group, streams.instance),
            timeout=streams.transaction_timeout,
            queue_buffering_max_messages=1_000_000,
            linger_ms=0,  # a commit flushes what was queued: waiting for more could only delay it
            retry_backoff_ms=20,  # a new transaction waits for the last one's marks, which takes a moment
        )
        member = self._consumer()
        checkpoints = Checkpoints(streams.data_dir / streams.instance, self._topology.release)
        keeper = Keeper(kafka, streams.group, checkpoints, every=streams.checkpoint_every)
        restorer = Restorer(kafka, streams.group, checkpoints, timeout=streams.transaction_timeout + SWEEP)
        transactions = Transactions(producer, member, timeout=streams.transaction_timeout)
        member.subscribe(
            [*self._topology.sources, *self._own.processors],
            on_assign=self._assigned,
            on_revoke=lambda *_: self._own.revoke(lost=False),
            on_lost=lambda *_: self._own.revoke(lost=True),
        )
        log.info("worker_started", instance=streams.instance, group=streams.group)
        with Watchdog(self._longest_turn) as watchdog, Litter() as litter:
            while not stop.is_set():
                watchdog.turn()
                self._settle(member, restorer)
                self._answer()
                near = self._own.near()  # before the batch: what it brings itself is not behind it
                if records := self._gather(member):
                    self._behind = True
                    try:
                        self._work(records, near, transactions)
                    except DefectError as error:
                        self._go_on_without(error, member)
                    del records
                    litter.swept()
                elif time.monotonic() - (self._last_commit or 0) > QUIET:
                    self._rest(transactions)
                keeper.keep_one(self._own)
            copies = keeper.copies(self._own, list(self._own.ready))
            _leave(member)
            watchdog.turn()
        keeper.save(copies)
        keeper.close()
        log.info("worker_stopped", instance=streams.instance)

    def _consumer(self) -> Consumer:
        streams = self._settings.streams
        session = int(streams.session_timeout * 1000)
        return consumer(
            self._settings.kafka,
            group=streams.group,
            group_instance_id=streams.instance,
            partition_assignment_strategy="range",
            session_timeout_ms=session,
            heartbeat_interval_ms=session // 4,
            enable_partition_eof=True,
            max_poll_interval_ms=int(self._longest_turn * 1000),
            # read ahead little: frames made by this batch must not wait behind a backlog of source records
            queued_min_messages=streams.batch_records,
            queued_max_messages_kbytes=streams.batch_bytes // 1000,
            fetch_message_max_bytes=500_000,
            fetch_queue_backoff_ms=10,
        )

    def _assigned(self, member: Consumer, partitions: list[TopicPartition]) -> None:
        member.assign(partitions)
        member.pause(partitions)
        self._own.assign((p.topic, p.partition) for p in partitions)

    def _settle(self, member: Consumer, restorer: Restorer) -> None:
        """Act on a new assignment, and let restored partitions go on."""
        own = self._own
        if own.assigned is not None and self._settled != own.generation:
            self._settled = own.generation
            inputs = own.inputs()
            log.info("partitions_assigned", inputs=len(inputs), sources=len(own.sources()), kept=len(own.kept))
            restorer.order(own.generation, {place: own.processors[place[0]] for place in inputs}, dict(own.kept))
        for place, state, position, rows in restorer.done(own.generation):
            own.restored(place, state, position)
            member.resume([TopicPartition(*going) for going in own.going([place])])
            metrics.RESTORED_ROWS.inc(rows or 0)
            left = len(own.inputs()) - len(own.ready)
            (log.debug if left else log.info)(
                "state_restored", topic=place[0], partition=place[1], rows=rows, left=left
            )
        if own.caught_up():
            member.resume([TopicPartition(*place) for place in own.going(own.sources())])
        metrics.PARTITIONS.labels("ready").set(len(own.ready))
        metrics.PARTITIONS.labels("restoring").set(len(own.inputs()) - len(own.ready))

    def _gather(self, member: Consumer) -> list[Message]:
        """A batch: the first record and what follows it within `linger`. Empty when a rebalance came between."""
        streams, generation = self._settings.streams, self._own.generation
        self._asked = time.monotonic()
        records = self._checked(member.consume(1, IDLE))
        if not records:
            return []
        deadline = time.monotonic() + streams.linger
        size = 0
        while len(records) < streams.batch_records and size < streams.batch_bytes:
            left = deadline - time.monotonic()
            chunk = self._checked(member.consume(min(CHUNK, streams.batch_records - len(records)), max(left, 0)))
            records += chunk
            size += sum(map(len, chunk))
            if not chunk and left <= 0:
                break
        return records if generation == self._own.generation else []

    def _work(self, records: list[Message], near: frozenset[Partition], transactions: Transactions) -> None:
        began = time.monotonic()
        metrics.FETCH_SECONDS.observe(began - self._asked)
        metrics.BATCH_AGE.observe(max(0.0, time.time() - records[0].timestamp()[1] / 1000))
        batch = Batch(self._topology, self._widths, self._own.ready, datetime.now(UTC), near)
        batch.take(records)
        stepped = time.monotonic()
        outputs = batch.finish()
        worked = time.monotonic()
        self._commit(transactions, outputs)
        metrics.STEP_SECONDS.observe(stepped - began)
        metrics.MEASURE_SECONDS.observe(worked - stepped)
        metrics.COMMIT_SECONDS.observe(time.monotonic() - worked)
        _count(outputs, len(records))

    def _go_on_without(self, error: DefectError, member: Consumer) -> None:
        """Stop the partition that breaks us; nothing of the batch is committed, so all others begin anew from where the group stands."""
        own = self._own
        log.critical("partition_stopped", error=str(error), remedy=error.remedy, exc_info=error.__cause__)
        metrics.STOPPED.labels(error.place[0], str(error.place[1])).set(1)
        own.stopped.add(error.place)
        assigned = own.assigned
        own.revoke(lost=True)
        if assigned is not None:
            self._assigned(member, [TopicPartition(*place) for place in assigned])

    def _rest(self, transactions: Transactions) -> None:
        """Commit the ends that were reached since the last commit, if any."""
        own = self._own
        if own.assigned is not None and (ends := own.unsaid_ends()):
            self._commit(transactions, Outputs(offsets=ends))

    def _commit(self, transactions: Transactions, outputs: Outputs) -> None:
        positions = self._own.moved(outputs.offsets, outputs.stepped, f"{self._life}.{next(self._commits)}")
        self._own.committed(positions, transactions.commit(outputs, positions))
        self._last_commit = time.monotonic()
        self._behind = False

    def _checked(self, records: list[Message]) -> list[Message]:
        """The records without the client's remarks. Raises for what it cannot get over by itself."""
        if not any(record.error() for record in records):
            return records
        kept = []
        for record in records:
            error = record.error()
            if error is None:
                kept.append(record)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's public name for it
                self._own.reached(record.topic() or "", record.partition() or 0, record.offset() or 0)
            elif error.fatal() or not (error.code() in _PASSING or error.retriable()):
                raise of_kafka(f"reading {record.topic() or 'records'}", error)
            else:
                log.warning("reading_troubled", error=error.str(), code=error.name())
        return kept

    def _answer(self) -> None:
        while not self._questions.empty():
            name, subject, future = self._questions.get()
            try:
                future.set_result(self._found(name, subject))
            except LookupError as error:
                future.set_exception(error)

    def _found(self, name: str, subject: str) -> Mapping[str, Any] | None:
        processor = next((p for p in self._topology.processors if p.name == name), None)
        if processor is None:
            raise KeyError(name)
        place: Partition = processor.input, partition_of(subject, self._widths[processor.input])
        if place not in self._own.ready:
            raise ElsewhereError(f"partition {place[1]} of {name} is not ready on this worker")
        return processor.look_up(self._own.ready[place][1], subject)


def _leave(member: Consumer) -> None:
    """Hand the partitions over. A static member that only closes keeps them until its session is over, and nobody works on them."""
    member.unsubscribe()
    deadline = time.monotonic() + LEAVING
    while member.assignment() and time.monotonic() < deadline:
        member.poll(IDLE)
    member.close()


def _count(outputs: Outputs, records: int) -> None:
    metrics.BATCH_RECORDS.observe(records)
    metrics.RECORDS.inc(records)
    metrics.ENTRIES.inc(outputs.entries)
    metrics.ROWS.inc(sum(len(rows) for _, rows in outputs.rows))
    metrics.EVENTS.inc(len(outputs.events))
    metrics.DEAD_LETTERS.inc(outputs.dead_letters)
    metrics.LAST_COMMIT.set_to_current_time()
