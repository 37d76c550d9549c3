"""The ceiling: a bare loop that does the least any stateful stream must. What our streams cost is told as a multiple of it.

    python -m tests.bench.bench_ceiling [--events N] [--json]

The same timesheet events; it decodes each, keeps a total per project in a dictionary, writes each changed total to a changelog
and an output, and commits offsets, one transaction a batch. No routing, no windows, no alerts, no restore.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from confluent_kafka import TopicPartition

from infra import logs
from infra.embedded_kafka import EmbeddedKafka
from infra.kafka import topics
from infra.kafka.clients import consumer, producer, transactional_producer
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from schemas import codec
from tests.bench.bench_streams import send_timesheet

SOURCE, OUT, CHANGELOG = "delivery.timesheet.v1", "governance.action.v1", "internal.budget-burn-state.v1"
BATCH = 2000


def run(kafka: KafkaSettings, events: int) -> dict[str, Any]:
    writer = EventWriter(producer(kafka))
    chance = random.Random(1)  # noqa: S311  the same events at each run
    for number in range(events):
        send_timesheet(writer, number, chance)
    writer.flush(120)
    reader = consumer(kafka, group="bench.ceiling")
    reader.subscribe([SOURCE])
    sender = transactional_producer(kafka, "bench.ceiling", timeout=30)
    totals: dict[int, int] = {}
    done, began, cpu = 0, 0.0, 0.0
    while done < events:
        records = reader.consume(BATCH, 0.1)
        if not records:
            continue
        if not began:
            began, cpu = time.perf_counter(), time.process_time()
        changed: set[int] = set()
        ends: dict[int, int] = {}
        for record in records:
            current = codec.decode_wire(record.value()).value["current"]
            project = current["project_id"]
            totals[project] = totals.get(project, 0) + current["minutes"]
            changed.add(project)
            ends[record.partition()] = record.offset() + 1
        sender.begin_transaction()
        for project in changed:
            for name in (OUT, CHANGELOG):
                sender.produce(name, str(totals[project]).encode(), str(project).encode())
        offsets = [TopicPartition(SOURCE, p, end) for p, end in ends.items()]
        sender.send_offsets_to_transaction(offsets, reader.consumer_group_metadata())
        sender.commit_transaction()
        done += len(records)
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    reader.close()
    return {
        "events": done,
        "records_per_s": round(done / seconds),
        "cpu_seconds_per_million": round(used * 1e6 / done, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logs.configure("error")
    with tempfile.TemporaryDirectory() as folder, EmbeddedKafka(Path(folder)) as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        topics.apply(kafka, topics.plan(kafka))
        found = run(kafka, options.events)
    print(json.dumps(found) if options.json else found)


if __name__ == "__main__":
    main()
