"""A peer for latency: the least that can stand between a topic and a subscriber of committed records.

    python -m tests.bench.bare_loop HOST:PORT

It takes timesheets as they come, writes the time stamp of each twentieth to the topic of alerts, as often as the measured firm raises one, and commits that
with its offsets in a transaction. It decodes nothing, remembers nothing and measures nothing: what it takes is Kafka's, its clients' and the machine's.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator

from confluent_kafka import TopicPartition

from infra import logs
from infra.kafka.clients import consumer, transactional_producer
from infra.settings import KafkaSettings

GROUP, SOURCE, OUT = "bench.bare", "delivery.timesheet.v1", "governance.alert.v1"
EACH = 20
MOST = 2000
LINGER = 0.005


def run(kafka: KafkaSettings, stop: threading.Event) -> None:
    """Loop until told to stop."""
    reader = consumer(kafka, group=GROUP)
    reader.subscribe([SOURCE])
    sender = transactional_producer(kafka, GROUP, timeout=30, linger_ms=0, retry_backoff_ms=20)
    while not stop.is_set():
        records = reader.consume(1, 0.1)
        time.sleep(LINGER)  # or the transaction meets the marks of the one before, and waits longer for them
        records += reader.consume(MOST, 0) if records else []
        ends: dict[int, int] = {}
        if not records:
            continue
        sender.begin_transaction()
        for record in records:
            partition, offset = record.partition() or 0, record.offset() or 0
            ends[partition] = offset + 1
            if offset % EACH == 0:
                sender.produce(OUT, str(record.timestamp()[1]).encode(), str(partition).encode())
        offsets = [TopicPartition(SOURCE, partition, end) for partition, end in ends.items()]
        sender.send_offsets_to_transaction(offsets, reader.consumer_group_metadata())
        sender.commit_transaction()
    reader.close()


def waits(seen: Iterable[tuple[float, bytes]], counted: int) -> Iterator[float]:
    """Milliseconds from each timesheet since `counted` that was told of to the subscriber."""
    for at, value in seen:
        if int(value) >= counted:
            yield at - int(value)


def main() -> None:
    logs.configure("error")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run(KafkaSettings(bootstrap_servers=sys.argv[1]), stop)


if __name__ == "__main__":
    main()
