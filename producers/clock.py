"""The clock: writes time as events, one tick per partition and period, so that nothing downstream reads a clock of its own.

Rules
- All partitions get a tick in one transaction: either every state moves on, or none.
- One clock ticks at a time. Those that run elect one (`infra.kafka.election`), and the others wait; the transactional id is the same for
  all, so that one which slept through an election is fenced by the new one, and waits with the others.
- Who begins to tick takes the id first, and reads only then which tick was the last: none is missed, and none is written twice.
- A tick's id is made of its partition and its instant: should it be written twice all the same, it shows as one.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import structlog
from confluent_kafka import Message, Producer

from infra.errors import Fatal, PoisonMessage
from infra.kafka.alone import SECONDS, Replaced, transaction
from infra.kafka.clients import broker_answers, transactional_producer
from infra.kafka.election import Candidate
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
LOOK = 0.5
"""Seconds between two looks at who leads, and at whether to stop."""


def run(
    settings: Settings, stop: threading.Event, *, clock: Topic = CLOCK, transactional_id: str = CLOCK_TRANSACTIONS
) -> None:
    """Tick until `stop` is set, whenever this clock is the one to do so. Raises `Transient` when the broker is gone."""
    kafka = settings.kafka
    broker_answers(kafka)
    partitions = partitions_of(kafka, clock.name)
    if not partitions:
        raise Fatal(f"there is no topic {clock.name}", remedy="run `burnline topics apply`")
    candidate = Candidate(kafka, transactional_id, clock.name)
    log.info("clock_started", period=settings.clock.period)
    try:
        while not stop.is_set():
            if candidate.leads(LOOK):
                _lead(settings, stop, candidate, clock, partitions, transactional_id)
    finally:
        candidate.close()


def _lead(  # noqa: PLR0917  what `run` was given, and what it found
    settings: Settings,
    stop: threading.Event,
    candidate: Candidate,
    clock: Topic,
    partitions: list[int],
    transactional_id: str,
) -> None:
    """Tick until `stop` is set or another clock leads."""
    kafka, period = settings.kafka, timedelta(seconds=settings.clock.period)
    producer = transactional_producer(kafka, transactional_id, timeout=SECONDS)
    # only now, since taking the id decided what a former clock still had open
    last = last_tick(kafka, clock, partitions)
    log.info("clock_leads", last_tick=last and last.isoformat())
    while candidate.leads(0):
        ticks = due(last, datetime.now(UTC), period)
        try:
            for start in range(0, len(ticks), PER_TRANSACTION):
                _write(producer, clock, partitions, ticks[start : start + PER_TRANSACTION], period)
        except Replaced as error:
            log.warning("clock_replaced", error=str(error))  # it waits for its turn: nobody has to do anything
            return
        if len(ticks) > 1:
            log.info("clock_caught_up", ticks=len(ticks), first=ticks[0].isoformat(), last=ticks[-1].isoformat())
        last = ticks[-1] if ticks else last
        next_tick = following(datetime.now(UTC), period)
        while (left := (next_tick - datetime.now(UTC)).total_seconds()) > 0:
            if not candidate.leads(min(left, LOOK)):
                log.info("clock_waits")
                return
            if stop.is_set():
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
