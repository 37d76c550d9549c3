"""Alerts or duties in, actions out: one membership in the consumer group, from joining to leaving.

Rules
- Actions of one target about one subject keep the order of their alerts; everything else runs side by side, so that a slow or failing
  target holds up its own subjects only.
- An alert's offset is committed once all its actions have ended, and those of all alerts before it in the partition.
- The ledger is read anew whenever partitions arrive, before anything is done about them: another member may have acted meanwhile.
- A partition is given up only when the calls made about its alerts have ended and are recorded, so that the next owner knows of them.
- What cannot be decoded is parked as a dead letter. Any other failure ends the session with nothing more committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumers.actions.execution import Execution
from consumers.actions.journal import Journal, read_ledger
from consumers.actions.sources import Source
from consumers.actions.tenure import Lease, Tenure
from consumers.core.ledger import Ledger
from consumers.core.plan import Planned
from consumers.core.policy import Policy
from consumers.core.progress import Progress
from infra.dead_letters import DEAD_LETTERS, asked_again, parked
from infra.errors import PoisonMessage, Transient
from infra.kafka.clients import AGAIN, consumer
from infra.kafka.failures import is_record
from infra.kafka.reader import available
from infra.settings import Settings

log = structlog.get_logger()
T = TypeVar("T")
POLL = 0.2
MOST = 200
RECORDING = 60.0
"""Seconds, beyond the time that a call may take, to wait for the record of it before a partition is given up."""


class Session:
    """One stay in the group. `serve` until `stopping` is set, or until something fails."""

    def __init__(
        self, settings: Settings, policy: Policy, execution: Execution, journal: Journal, source: Source
    ) -> None:
        """Nothing is consumed before `serve`."""
        self._kafka = settings.kafka
        self._grace = settings.actions.timeout
        self._in_flight = settings.actions.in_flight
        self._consumer: Consumer = consumer(
            settings.kafka,
            group=source.group,
            enable_partition_eof=True,
            session_timeout_ms=int(settings.actions.session_timeout * 1000),
            on_commit=self._answered,
        )
        self._policy = policy
        self._source = source
        self._topic = source.topic.name
        self._execution = execution
        self._journal = journal
        self._progress = Progress()
        self._sent: dict[int, int] = {}
        self._lease = Lease(settings.actions.session_timeout)
        self._tenures: dict[int, Tenure] = {}
        self._lanes: dict[tuple[bytes | None, str, str], asyncio.Task[None]] = {}
        self._failure: BaseException | None = None
        self._paused = False
        self._loop = asyncio.get_running_loop()

    async def serve(self, stopping: asyncio.Event) -> None:
        """Act until `stopping`; then let calls under way end, as long as one may take. Raises what made it fail."""
        self._consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)
        try:
            while not stopping.is_set() and self._failure is None:
                self._hold_back()
                records = await asyncio.to_thread(available, self._consumer, MOST, POLL)
                self._lease.check()
                self._lease.renew()
                for record in records:
                    self._take(record)
                self._commit_later()
        except KafkaException as error:
            raise Transient(
                f"reading {self._topic} failed: {error.args[0].str()}", remedy="is the broker up?"
            ) from error
        finally:
            await _wind_up(self._tenures.values(), self._grace)
            await asyncio.to_thread(self._consumer.close)
        if self._failure is not None:
            raise self._failure

    def _take(self, record: Message) -> None:
        partition, offset = record.partition() or 0, record.offset() or 0
        ended = not is_record(record)
        tenure = self._tenures.get(partition)
        if tenure is None:  # it was revoked between its arrival and now
            return
        if ended:
            self._progress.reached(partition, offset)
            return
        self._progress.started(partition, offset)
        try:
            planned = self._planned(record)
        except PoisonMessage as poison:
            self._spawn(tenure, self._park(record, poison))
            return
        self._spawn(tenure, self._acted(record, [self._in_lane(record, one, tenure) for one in planned]))

    def _planned(self, record: Message) -> tuple[Planned, ...]:
        """The actions that a record asks for; of one that is there again for an action, that one. Raises `PoisonMessage` where it cannot be read."""
        planned = self._source.planned(record, self._policy)
        if (asked := asked_again(record.headers())) is None:
            return planned
        found = self._execution.asked_again(planned, asked)
        if not found:  # the desk asked for it under another policy than ours; it stays on the worklist
            log.warning(
                "action_not_planned", action_id=asked.action_id, remedy="give the runner the policy that has it"
            )
        return found

    async def _acted(self, record: Message, actions: list[asyncio.Task[None]]) -> None:
        await asyncio.gather(*actions)
        self._progress.ended(record.partition() or 0, record.offset() or 0)

    async def _park(self, record: Message, poison: PoisonMessage) -> None:
        partition, offset = record.partition() or 0, record.offset() or 0
        letter = parked(
            self._topic,
            partition,
            offset,
            key=record.key(),
            value=record.value(),
            headers=record.headers(),
            error=poison,
            stage="actions",
            at=datetime.now(UTC),
        )
        await self._journal.write(DEAD_LETTERS, letter)
        log.warning(
            "record_parked",
            topic=self._topic,
            partition=partition,
            offset=offset,
            reason=str(poison),
            remedy=poison.remedy,
        )
        self._progress.ended(partition, offset)

    def _in_lane(self, record: Message, planned: Planned, tenure: Tenure) -> asyncio.Task[None]:
        """Start an action after the one before it in its lane: the same target about the same subject."""
        lane = (record.key(), planned.rule, planned.target.label)
        task = self._spawn(tenure, self._after(self._lanes.get(lane), planned, record, tenure))
        self._lanes[lane] = task
        task.add_done_callback(partial(self._leave, lane))
        return task

    def _leave(self, lane: tuple[bytes | None, str, str], task: asyncio.Task[None]) -> None:
        if self._lanes.get(lane) is task:
            del self._lanes[lane]

    async def _after(
        self, before: asyncio.Task[None] | None, planned: Planned, record: Message, tenure: Tenure
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        await self._execution.carry_out(planned, record, tenure)

    def _spawn(self, tenure: Tenure, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        tenure.tasks.add(task)
        task.add_done_callback(partial(self._done, tenure))
        return task

    def _done(self, tenure: Tenure, task: asyncio.Task[Any]) -> None:
        tenure.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None and self._failure is None:
            self._failure = task.exception()

    def _hold_back(self) -> None:
        """Stop fetching while enough is under way, go on at half of it; the group's membership lives on meanwhile."""
        many = self._progress.under_way
        partitions = [TopicPartition(self._topic, partition) for partition in self._tenures]
        if not self._paused and many >= self._in_flight:
            self._consumer.pause(partitions)
            self._paused = True
        elif self._paused and many <= self._in_flight // 2:
            self._consumer.resume(partitions)
            self._paused = False

    def _commit_later(self) -> None:
        offsets = self._progress.committable()
        if offsets != self._sent:
            self._sent = offsets
            self._consumer.commit(offsets=self._positions(offsets), asynchronous=True)

    def _answered(self, error: KafkaError | None, _offsets: list[TopicPartition]) -> None:
        if error is not None:
            log.warning("offsets_not_committed", topic=self._topic, reason=error.str(), next="they are committed again")
            self._loop.call_soon_threadsafe(self._loop.call_later, AGAIN, self._unsay)

    def _unsay(self) -> None:
        """Commit again: else the group would seem to lag until the next alert comes."""
        self._sent = {}

    def _commit_now(self, offsets: list[TopicPartition]) -> None:
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:  # the alerts come again, and the ledger tells what was done
            log.warning("offsets_not_committed", topic=self._topic, reason=error.args[0].str())

    # The consumer calls these from within `poll`, in its thread, while the loop runs on: what they change, the loop changes.

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._in_loop(self._take_over({p.partition for p in partitions}, read_ledger(self._kafka, self._policy)))

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._commit_now(self._in_loop(self._hand_over({p.partition for p in partitions})))

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._in_loop(self._hand_over({p.partition for p in partitions}))

    def _in_loop(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _take_over(self, partitions: set[int], ledger: Ledger) -> None:
        self._lease.renew()
        self._execution.ledger = ledger
        self._tenures |= {partition: Tenure(self._lease) for partition in partitions}
        self._paused = False
        log.info(
            "partitions_assigned", topic=self._topic, partitions=sorted(partitions), actions_ended=len(ledger.ended)
        )

    async def _hand_over(self, partitions: set[int]) -> list[TopicPartition]:
        """Give the partitions up; returns what may be committed for the last time."""
        ending = [self._tenures.pop(partition) for partition in partitions if partition in self._tenures]
        await _wind_up(ending, self._grace + RECORDING)
        offsets = self._positions({p: o for p, o in self._progress.committable().items() if p in partitions})
        for partition in partitions:
            self._progress.forget(partition)
        self._lease.renew()
        log.info("partitions_revoked", topic=self._topic, partitions=sorted(partitions))
        return offsets

    def _positions(self, offsets: dict[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition, offset) for partition, offset in offsets.items()]


async def _wind_up(tenures: Collection[Tenure], seconds: float) -> None:
    """End tenures: what waits at once, calls under way within so many seconds."""
    tasks = [task for tenure in tenures for task in tenure.tasks]
    calls = [call for tenure in tenures for call in tenure.calls]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if calls:
        _, hanging = await asyncio.wait(calls, timeout=seconds)
        for call in hanging:
            call.cancel()
