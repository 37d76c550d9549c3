"""The engine: one worker's loop over batches, one transaction each. It knows topics and processors, and no measure.

How a worker stays exact
- One consumer, `read_committed`, for source topics and the processors' inputs; one transactional producer. Offsets travel in the
  batch's transaction with the group's metadata, so a batch counts once or not at all, whoever dies when.
- Crash-only: any error leaves `run`, and the process with it. Nothing uncertain is committed; the next start is restored. But one
  record on which our own code breaks does not stop the others: its partition is stopped, loudly, and what the batch had done in memory is
  forgotten and restored, as on any assignment.
- A rebalance takes and gives single lanes, between two batches; the others go on (`streams.engine.member`).
- Input partitions wait for their state, which is restored beside the loop; source partitions that came wait until all states are ready,
  and then all of them until all that was sent to the inputs before is taken. So what comes from a source finds its states near, and needs no frame unless another worker has them.
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
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from itertools import count
from queue import SimpleQueue
from typing import Any, NamedTuple

import structlog
from confluent_kafka import Message

from infra.kafka.clients import SWEEP, broker_answers, transactional_producer
from infra.kafka.names import worker_transactions
from infra.settings import Settings
from streams.engine import metrics
from streams.engine.batch import Batch, Outputs
from streams.engine.checkpoints import Checkpoints
from streams.engine.failures import DefectError
from streams.engine.group import Watch
from streams.engine.keeping import Keeper
from streams.engine.lanes import Lanes
from streams.engine.litter import Litter
from streams.engine.member import Member
from streams.engine.ownership import Ownership
from streams.engine.publishing import Published
from streams.engine.restore import Restorer
from streams.engine.shelves import Shelves
from streams.engine.standby import Standbys
from streams.engine.topology import Partition, Topology, partition_of
from streams.engine.transaction import Transactions
from streams.engine.watchdog import Watchdog
from streams.engine.widths import widths_of

log = structlog.get_logger()

QUIET = 0.5
"""Seconds without a commit after which the ends that were reached are committed: never while records keep coming."""
REFRESH = 6 * 3600.0
"""Seconds after which all positions are committed once more: brokers forget, after a week by default, those of topics to which a group
does not subscribe."""


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
    """The subject lives in a partition that is not ready here: another worker's, whose `address` is told if it is known, or one to come."""

    def __init__(self, sentence: str, address: str | None) -> None:
        """Say which partition it is."""
        self.address = address
        super().__init__(sentence)


class Engine:
    """One worker. `run` is its life; the other methods may be called from other threads."""

    def __init__(self, settings: Settings, topology: Topology) -> None:
        """Prepare; nothing is connected before `run`."""
        self._settings, self._topology = settings, topology
        self._own = Ownership({processor.input: processor for processor in topology.processors})
        self._widths: Mapping[str, int] = {}
        self._questions: SimpleQueue[tuple[str, str, Future[Mapping[str, Any] | None]]] = SimpleQueue()
        self._last_commit: float | None = None
        self._asked = 0.0
        self._refreshed = time.monotonic()
        self._behind: float | None = None
        """Since when there has been something to do and nothing was committed."""
        self._life, self._commits = uuid.uuid4().hex, count()
        self._watch: Watch | None = None
        self.committed: Callable[[list[Published]], object] = lambda _: None
        """Called with the events of each batch once they are committed; it must not wait."""

    @property
    def longest_turn(self) -> float:
        """Seconds that a batch and its transaction may take."""
        return self._settings.streams.session_timeout + self._settings.streams.transaction_timeout

    def status(self) -> Status:
        """How the worker is, without waiting for it."""
        own = self._own
        behind = self._behind
        stands = time.monotonic() - behind if behind is not None and own.complete else 0.0
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
        lanes = Lanes(self._topology, self._widths)
        shelves = Shelves(streams.data_dir / streams.instance, round(streams.memory_mb * 1e6))
        self._own.processors = {name: shelves.fitted(processor) for name, processor in self._own.processors.items()}
        checkpoints = Checkpoints(shelves.folder, self._topology.release, shelves)
        keeper = Keeper(kafka, streams.group, checkpoints, every=streams.checkpoint_every)
        watch = self._watch = Watch(kafka, streams.group, streams.instance, lanes.width)
        standbys = Standbys(
            kafka,
            checkpoints,
            {processor.state: processor for processor in self._own.processors.values()},
            watch=watch,
            own=self._own,
            instance=streams.instance,
            each=streams.standbys,
        )
        restorer = Restorer(
            kafka, streams.group, checkpoints, standbys.take, timeout=streams.transaction_timeout + SWEEP
        )

        def going(places: list[Partition]) -> None:
            if streams.standbys and not stop.is_set():
                standbys.keep(keeper.copies(self._own, places))

        member = Member(self._settings, lanes, self._own, going, longest_turn=self.longest_turn)
        transactions = Transactions(producer, member.consumer, timeout=streams.transaction_timeout)
        log.info("worker_started", instance=streams.instance, group=streams.group)
        with Watchdog(self.longest_turn) as watchdog, watch, standbys, Litter() as litter:
            while not stop.is_set():
                watchdog.turn()
                if watch.forgotten:
                    watch.forgotten = False
                    member.rejoin()
                self._settle(member, restorer)
                self._answer()
                near = self._own.near()  # before the batch: what it brings itself is not behind it
                self._asked = time.monotonic()
                if records := member.gather():
                    self._behind = self._behind or self._asked
                    try:
                        with shelves.work(state for _, state in self._own.ready.values()):
                            shelves.wrote(self._work(records, near & self._own.ready.keys(), transactions))
                        # what a batch touches is in memory until its end: where that is more than there may be, batches get smaller
                        member.most = shelves.fitting(member.most, streams.batch_records)
                    except DefectError as error:
                        self._go_on_without(error, member)
                    del records
                    litter.swept()
                elif time.monotonic() - (self._last_commit or 0) > QUIET:
                    if member.lags():  # though nothing came of it
                        self._behind = self._behind or self._asked
                    self._rest(transactions)
                keeper.keep_one(self._own)
            copies = keeper.copies(self._own, list(self._own.ready))
            member.leave()
            watchdog.turn()
        keeper.save(copies)
        keeper.close()
        log.info("worker_stopped", instance=streams.instance)

    def _settle(self, member: Member, restorer: Restorer) -> None:
        """Act on what came, and let restored partitions go on."""
        own = self._own
        if came := own.to_restore():
            log.info("partitions_assigned", came=len(came), inputs=len(own.inputs()), sources=len(own.sources()))
            restorer.order(own.generation, {place: own.processors[place[0]] for place in came})
        for place, state, position, rows in restorer.done(own.held):
            own.restored(place, state, position)
            member.resume(own.going([place]))
            metrics.RESTORED_ROWS.inc(rows)
            left = len(own.inputs()) - len(own.ready)
            (log.debug if left else log.info)(
                "state_restored", topic=place[0], partition=place[1], rows=rows, left=left
            )
        member.pause(own.to_hold_up())
        member.resume(own.to_let_go())
        metrics.PARTITIONS.labels("ready").set(len(own.ready))
        metrics.PARTITIONS.labels("restoring").set(len(own.inputs()) - len(own.ready))

    def _work(self, records: list[Message], near: frozenset[Partition], transactions: Transactions) -> int:
        """Do all of a batch; returns how many rows it wrote."""
        began = time.monotonic()
        metrics.FETCH_SECONDS.observe(began - self._asked)
        metrics.BATCH_AGE.observe(max(0.0, time.time() - records[0].timestamp()[1] / 1000))
        batch = Batch(self._topology, self._widths, self._own.ready, datetime.now(UTC), near)
        batch.take(records)
        stepped = time.monotonic()
        outputs = batch.finish()
        worked = time.monotonic()
        self._commit(transactions, outputs)
        self.committed(outputs.events)
        metrics.DECODE_SECONDS.observe(batch.decoding)
        metrics.STEP_SECONDS.observe(stepped - began - batch.decoding)
        metrics.MEASURE_SECONDS.observe(worked - stepped)
        metrics.COMMIT_SECONDS.observe(time.monotonic() - worked)
        rows = sum(len(rows) for _, rows in outputs.rows)
        _count(outputs, len(records), rows)
        return rows

    def _go_on_without(self, error: DefectError, member: Member) -> None:
        """Stop the partition that breaks us; nothing of the batch is committed, so all others begin anew from where the group stands."""
        log.critical("partition_stopped", error=str(error), remedy=error.remedy, exc_info=error.__cause__)
        metrics.STOPPED.labels(error.place[0], str(error.place[1])).set(1)
        self._own.stopped.add(error.place)
        member.rewind()

    def _rest(self, transactions: Transactions) -> None:
        """Commit the ends that were reached since the last commit, if any."""
        ends = self._own.unsaid_ends()
        if ends or (self._own.member and time.monotonic() - self._refreshed > REFRESH):
            self._commit(transactions, Outputs(offsets=ends))

    def _commit(self, transactions: Transactions, outputs: Outputs) -> None:
        positions = self._own.moved(outputs.offsets, outputs.stepped, f"{self._life}.{next(self._commits)}")
        now = time.monotonic()
        if now - self._refreshed > REFRESH:
            positions = self._own.standing() | positions
            self._refreshed = now
        self._own.committed(positions, transactions.commit(outputs, positions))
        self._last_commit = time.monotonic()
        self._behind = None

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
            group = self._watch.now if self._watch is not None else None
            address = None
            if group is not None and place not in self._own.since:
                address = group.address_of(place[1], self._settings.streams.instance)
            raise ElsewhereError(f"partition {place[1]} of {name} is not ready on this worker", address)
        return processor.look_up(self._own.ready[place][1], subject)


def _count(outputs: Outputs, records: int, rows: int) -> None:
    metrics.BATCH_RECORDS.observe(records)
    metrics.RECORDS.inc(records)
    metrics.ENTRIES.inc(outputs.entries)
    metrics.ROWS.inc(rows)
    metrics.EVENTS.inc(len(outputs.events))
    metrics.DEAD_LETTERS.inc(outputs.dead_letters)
    metrics.LAST_COMMIT.set_to_current_time()
