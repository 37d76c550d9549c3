"""The clock on a real broker: one tick per partition and period, each once, and one clock."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.errors import BurnlineError, Transient
from infra.kafka import topics
from infra.kafka.clients import producer, transactional_producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import ClockSettings, KafkaSettings, Settings
from producers import clock
from producers.core.clock import tick_event
from schemas import codec
from schemas.topics import TOPICS, Topic
from tests.support.drill import until

pytestmark = pytest.mark.kafka


class Clock:
    """A clock in a thread."""

    def __init__(self, settings: Settings, topic: Topic) -> None:
        self.stop, self.died = threading.Event(), []
        self._thread = threading.Thread(target=self._run, args=(settings, topic), daemon=True)
        self._thread.start()

    def _run(self, settings: Settings, topic: Topic) -> None:
        try:
            clock.run(settings, self.stop, clock=topic, transactional_id=f"{topic.name}.clock")
        except BurnlineError as error:
            self.died.append(error)

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()

    def end(self) -> None:
        self.stop.set()
        self.join()


@pytest.fixture
def settings(kafka_bootstrap: str) -> Settings:
    return Settings(kafka=KafkaSettings(bootstrap_servers=kafka_bootstrap), clock=ClockSettings(period=1))


@pytest.fixture
def topic(settings: Settings, topic_prefix: str) -> Topic:
    made = replace(TOPICS["ops.clock.v1"], name=f"{topic_prefix}clock")
    topics.apply(settings.kafka, topics.plan(settings.kafka, [made]), [made])
    return made


def ticks(settings: Settings, topic: Topic) -> list[tuple[int, Any]]:
    return [
        (record.partition() or 0, codec.decode(record.value() or b"").value)
        for record in read_to_end(settings.kafka, topic.name)
    ]


def test_every_partition_gets_every_tick_once_through_a_restart(settings: Settings, topic: Topic) -> None:
    for count in (2, 4):
        running = Clock(settings, topic)
        until(lambda: len(ticks(settings, topic)) >= count * 6, f"{count} ticks")  # noqa: B023  asked at once
        running.end()
        assert running.died == []
    found = ticks(settings, topic)
    instants = sorted({tick["current"]["at"] for _, tick in found})
    assert Counter((p, tick["current"]["at"]) for p, tick in found) == Counter(
        (p, at) for p in range(6) for at in instants
    )
    assert all(tick["current"]["partition"] == partition for partition, tick in found)
    assert len({tick["meta"]["event_id"] for _, tick in found}) == len(found)


def test_hours_that_were_missed_come_first_and_in_order(settings: Settings, topic: Topic) -> None:
    last = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) - timedelta(hours=5)
    former = transactional_producer(settings.kafka, f"{topic.name}.former", timeout=10)
    former.begin_transaction()
    for partition in range(6):
        EventWriter(former).send(topic, tick_event(last, partition, timedelta(seconds=1)), partition=partition)
    former.commit_transaction(10)
    running = Clock(settings, topic)
    until(lambda: len(ticks(settings, topic)) >= 6 * 6, "the hours in between")
    running.end()
    mine = [tick["current"]["at"] for partition, tick in ticks(settings, topic) if partition == 3]
    assert mine == sorted(mine)
    assert mine[0] == last
    assert mine[1:5] == [last.replace(minute=0) + timedelta(hours=n) for n in (1, 2, 3, 4)]


def test_what_is_no_tick_is_passed_over(settings: Settings, topic: Topic) -> None:
    running = Clock(settings, topic)
    until(lambda: len(ticks(settings, topic)) >= 6, "a first tick")
    running.end()
    before = ticks(settings, topic)
    writer = EventWriter(producer(settings.kafka))
    for partition in range(6):
        writer.send_bytes(topic.name, b"k", b"\x07rubbish", partition=partition)
        writer.send_bytes(
            topic.name, b"k", codec.encode_wire("burnline.internal.TickEntry", {"at": 2**60}), partition=partition
        )
    writer.flush()
    assert clock.last_tick(settings.kafka, topic, list(range(6))) == before[-1][1]["current"]["at"]
    running = Clock(settings, topic)
    until(lambda: len(list(read_to_end(settings.kafka, topic.name))) > len(before) + 12, "another tick")
    running.end()
    assert running.died == []


def test_of_several_clocks_one_ticks_and_another_goes_on_when_it_ends(settings: Settings, topic: Topic) -> None:
    clocks = [Clock(settings, topic) for _ in range(3)]
    for left in (3, 2, 1):
        before = len(ticks(settings, topic))
        until(lambda: len(ticks(settings, topic)) >= before + 12, f"two ticks with {left} clocks")  # noqa: B023  asked at once
        clocks.pop().end()
    assert_each_once(settings, topic)


def test_a_clock_that_was_paused_and_replaced_writes_no_second_tick(settings: Settings, topic: Topic) -> None:
    """Its id is taken by another while it believes that it leads: it finds itself replaced, and leads again only after a new look."""
    running = Clock(settings, topic)
    until(lambda: ticks(settings, topic), "a first tick")
    for _ in range(3):
        rival = transactional_producer(settings.kafka, f"{topic.name}.clock", timeout=10)
        rival.begin_transaction()
        rival.abort_transaction(10)
        before = len(ticks(settings, topic))
        until(lambda: len(ticks(settings, topic)) >= before + 12, "it ticks again")  # noqa: B023  asked at once
    running.end()
    assert running.died == []
    assert_each_once(settings, topic)


def assert_each_once(settings: Settings, topic: Topic) -> None:
    found = Counter((partition, tick["current"]["at"]) for partition, tick in ticks(settings, topic))
    assert set(found.values()) == {1}
    instants = {at for _, at in found}
    assert len(found) == 6 * len(instants), "every partition has every tick"


def test_without_a_broker_it_says_so() -> None:
    nowhere = Settings(kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"))
    with pytest.raises(Transient, match="no Kafka broker answers"):
        clock.run(nowhere, threading.Event())
