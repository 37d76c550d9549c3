"""The clock: writes time as events, one tick per partition and period, so that nothing downstream reads a clock of its own.

Rules
- All partitions get a tick in one transaction: either every state moves on, or none.
- There is one clock. The transactional id is the same for all, so a second one fences the first, which then ends with `Fatal`.
- A tick's id is made of its partition and its instant: written twice, it shows as one.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import structlog
from confluent_kafka import Message, Producer

from infra.errors import Fatal, PoisonMessage
from infra.kafka.alone import SECONDS, transaction
from infra.kafka.clients import broker_answers, transactional_producer
from infra.kafka.names import CLOCK_TRANSACTIONS
from infra.kafka.reader import last_records, partitions_of
from infra.kafka.unread import logged, unread
from infra.settings import KafkaSettings, Settings
from producers.core.clock import CLOCK, due, following, tick_event
from schemas import contents
from schemas.topics import Topic

log = structlog.get_logger()
PER_TRANSACTION = 500
"""Ticks in one transaction while catching up."""


def run(
    settings: Settings, stop: threading.Event, *, clock: Topic = CLOCK, transactional_id: str = CLOCK_TRANSACTIONS
) -> None:
    """Tick until `stop` is set. Raises `Fatal` when another clock took over, `Transient` when the broker is gone."""
    kafka, period = settings.kafka, timedelta(seconds=settings.clock.period)
    broker_answers(kafka)
    partitions = partitions_of(kafka, clock.name)
    if not partitions:
        raise Fatal(f"there is no topic {clock.name}", remedy="run `burnline topics apply`")
    producer = transactional_producer(kafka, transactional_id, timeout=SECONDS)
    # only now, since taking the id decided what a former clock still had open
    last = last_tick(kafka, clock, partitions)
    log.info("clock_started", last_tick=last and last.isoformat(), period=settings.clock.period)
    while True:
        ticks = due(last, datetime.now(UTC), period)
        for start in range(0, len(ticks), PER_TRANSACTION):
            _write(producer, clock, partitions, ticks[start : start + PER_TRANSACTION], period)
        if len(ticks) > 1:
            log.info("clock_caught_up", ticks=len(ticks), first=ticks[0].isoformat(), last=ticks[-1].isoformat())
        last = ticks[-1] if ticks else last
        now = datetime.now(UTC)
        if stop.wait((following(now, period) - now).total_seconds()):
            return


def last_tick(kafka: KafkaSettings, clock: Topic, partitions: list[int]) -> datetime | None:
    """The newest instant that every partition which has ticks knows; None before the first. What is no tick is passed over."""
    found = last_records(kafka, clock.name, partitions, accept=lambda record: _tick(record) is not None)
    return min((tick for record in found.values() if (tick := _tick(record)) is not None), default=None)


def _tick(record: Message) -> datetime | None:
    try:
        return contents.read("ops.clock.v1", record.value() or b"")["current"]["at"]
    except PoisonMessage as error:
        logged(unread(record, error))
        return None


def _write(producer: Producer, clock: Topic, partitions: list[int], ticks: list[datetime], period: timedelta) -> None:
    with transaction(producer, "clock", "writing a tick") as writer:
        for at in ticks:
            for partition in partitions:
                writer.send(clock, tick_event(at, partition, period), partition=partition)
