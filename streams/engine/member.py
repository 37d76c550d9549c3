"""A worker as a member of its group: what it is given, what it reads, and how it leaves.

Rules
- Assignment is cooperative: a rebalance takes and gives single lanes, and the rest goes on. A partition that comes starts paused, so
  that no record of it is read before its state is there; of one that goes, what was read and not yet worked on is forgotten, since its
  next owner gets it again.
- Callbacks run within `gather` and `leave`, between two batches: what goes has no transaction open.
- Membership is static: who is back within the session, under the same name, has its lanes again without a rebalance.
- A member says in its client id where it can be asked: whoever describes the group knows where a lane's worker is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import structlog
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from infra.kafka.clients import consumer
from infra.kafka.failures import passes
from infra.kafka.names import worker_client
from infra.settings import Settings
from streams.engine.failures import of_kafka
from streams.engine.lanes import Lanes
from streams.engine.ownership import Ownership
from streams.engine.topology import Partition

log = structlog.get_logger()

IDLE = 0.1
"""Seconds to wait for a first record: also how long a look-up or a restored state waits at most when nothing comes in."""
LEAVING = 5.0
"""Seconds within which the group is told that this worker leaves."""
CHUNK = 500
ENOUGH = 4096
"""Bytes for which the broker answers a fetch at once: some ten records."""
SOON = 0.05
"""Seconds after which it answers with less, or with nothing: what a single record waits at most, and how often an idle worker asks."""


class Member:
    """The one consumer of a worker. `longest_turn` is how long it may be away between two gatherings, in seconds."""

    def __init__(
        self,
        settings: Settings,
        lanes: Lanes,
        own: Ownership,
        going: Callable[[list[Partition]], None],
        *,
        longest_turn: float,
    ) -> None:
        """Join the group; what comes of it is told to `own`. `going` is called with inputs that go in order, while their states are there."""
        streams = settings.streams
        session = int(streams.session_timeout * 1000)
        self._streams, self._lanes, self._own, self._going = streams, lanes, own, going
        self.most = streams.batch_records
        """So many records are gathered at most."""
        self.consumer: Consumer = consumer(
            settings.kafka,
            group=streams.group,
            client_id=worker_client(streams.advertised_url),
            group_instance_id=streams.instance,
            partition_assignment_strategy="cooperative-sticky",
            session_timeout_ms=session,
            heartbeat_interval_ms=session // 4,
            enable_partition_eof=True,
            max_poll_interval_ms=int(longest_turn * 1000),
            # read ahead little: frames made by this batch must not wait behind a backlog of source records
            queued_min_messages=streams.batch_records,
            queued_max_messages_kbytes=streams.batch_bytes // 1000,
            fetch_message_max_bytes=500_000,
            fetch_queue_backoff_ms=10,
            # a fetch names every partition and cannot be cheap: answered for each record, the broker is busy with little else
            fetch_min_bytes=ENOUGH,
            fetch_wait_max_ms=int(SOON * 1000),
        )
        self._join()

    def pause(self, places: Iterable[Partition]) -> None:
        """Read no more of these; what was read ahead is read again."""
        self.consumer.pause(_as_kafka(places))

    def resume(self, places: Iterable[Partition]) -> None:
        """Read on."""
        self.consumer.resume(_as_kafka(places))

    def rewind(self) -> None:
        """Begin anew with all that is assigned, from where the group stands."""
        places = list(self._own.since)
        self._own.revoke(places)
        self.consumer.incremental_unassign(_as_kafka(places))
        self._take(places)

    def lags(self) -> bool:
        """Whether records lie behind what was taken, as far as the broker's last answers tell."""
        for place in self._own.going(list(self._own.since)):
            _, end = self.consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
            if end > self._own.taken(place):
                return True
        return False

    def gather(self) -> list[Message]:
        """A batch: the first record and what follows it within `linger`."""
        streams, generation = self._streams, self._own.generation
        records = self._consume(1, IDLE)
        if not records:
            return []
        deadline = time.monotonic() + streams.linger
        size = 0
        while len(records) < self.most and size < streams.batch_bytes:
            left = deadline - time.monotonic()
            chunk = self._consume(min(CHUNK, self.most - len(records)), max(left, 0))
            records += chunk
            size += sum(map(len, chunk))
            if not chunk and left <= 0:
                break
        if generation != self._own.generation:
            return [record for record in records if self._own.held(_place(record), generation)]
        return records

    def leave(self) -> None:
        """Hand the partitions over. A static member that only closes keeps them until its session is over, and nobody works on them."""
        self._hand_over()
        self.consumer.close()

    def rejoin(self) -> None:
        """Leave and join again, so that the group assigns every lane anew."""
        log.warning("group_joined_anew", remedy="none is needed: a lane had no worker")
        self._hand_over()
        self._join()

    def _join(self) -> None:
        self.consumer.subscribe(
            [self._lanes.lead], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )

    def _hand_over(self) -> None:
        self.consumer.unsubscribe()
        deadline = time.monotonic() + LEAVING
        while self.consumer.assignment() and time.monotonic() < deadline:
            self.consumer.poll(IDLE)

    def _consume(self, most: int, wait: float) -> list[Message]:
        """Records without the client's remarks. Raises for what it cannot get over by itself."""
        generation = self._own.generation
        records = self.consumer.consume(most, wait)
        if not any(map(Message.error, records)):
            return records
        kept = []
        for record in records:
            error = record.error()
            if error is None:
                kept.append(record)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's public name for it
                if self._own.held(_place(record), generation):
                    self._own.reached(_place(record), record.offset() or 0)
            elif error.fatal() or not passes(error):
                raise of_kafka(f"reading {record.topic() or 'records'}", error)
            else:
                log.warning("reading_troubled", error=error.str(), code=error.name())
        return kept

    def _assigned(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        places = self._lanes.places(p.partition for p in partitions)
        log.info("lanes_assigned", came=sorted(p.partition for p in partitions))
        self._take(places)

    def _take(self, places: list[Partition]) -> None:
        self.consumer.incremental_assign(_as_kafka(places))
        self.pause(places)
        self._own.assign(places)

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        places = self._lanes.places(p.partition for p in partitions)
        log.info("lanes_revoked", went=sorted(p.partition for p in partitions))
        self._going([place for place in places if place in self._own.ready])
        self._own.revoke(places)
        self.consumer.incremental_unassign(_as_kafka(places))

    def _lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Others may have gone on already: nothing that is known of these partitions holds any more."""
        places = self._lanes.places(p.partition for p in partitions)
        log.warning("lanes_lost", went=sorted(p.partition for p in partitions))
        self._own.revoke(places, lost=True)
        self.consumer.incremental_unassign(_as_kafka(places))


def _as_kafka(places: Iterable[Partition]) -> list[TopicPartition]:
    return [TopicPartition(*place) for place in places]


def _place(record: Message) -> Partition:
    return record.topic() or "", -1 if (number := record.partition()) is None else number
