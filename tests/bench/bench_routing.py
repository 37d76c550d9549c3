"""What frames save: entries on their way to a state, many in one record, beside one record for each.

    python -m tests.bench.bench_routing [--entries N] [--json]

The same entries of timesheets over six partitions, encoded, produced (lz4, idempotent), consumed and decoded. Bytes are those of the values.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from infra import logs
from infra.embedded_kafka import EmbeddedKafka
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings
from schemas import codec
from schemas.topics import TOPICS, topic
from streams.core import Contribution, route
from streams.engine.frames import ENTRIES, pack
from streams.engine.topology import partition_of
from tests.bench.bench_streams import event, timesheet

FRAMES, RECORDS = "bench.frames", "bench.records"
Pairs = list[tuple[str, Any]]


def contributions(count: int) -> list[list[Contribution]]:
    """As many entries, by partition, in the order of their events."""
    chance, name = random.Random(1), "delivery.timesheet.v1"  # noqa: S311  the same events at each run
    places: list[list[Contribution]] = [[] for _ in range(6)]
    for number in range(1, count // 2 + 1):
        made = event(name, "logged", "account.analytic.line", number, timesheet(number, chance))
        plain = codec.decode_wire(codec.encode(topic(name).record, made)).value
        for one in route(name, plain):
            places[partition_of(one.subject, 6)].append(one)
    return places


def framed(pairs: Pairs) -> Iterator[bytes]:
    for start in range(0, len(pairs), ENTRIES):
        yield from pack(pairs[start : start + ENTRIES])[0]


def single(pairs: Pairs) -> Iterator[bytes]:
    for kind, entry in pairs:
        yield codec.encode_wire(kind, entry)


def measure(
    kafka: KafkaSettings,
    name: str,
    places: list[list[Contribution]],
    written: Callable[[Pairs], Iterator[bytes]],
    read: Callable[[bytes], int],
) -> dict[str, float]:
    """CPU seconds of this process per million entries, and bytes per entry."""
    sender: Producer = producer(kafka, queue_buffering_max_messages=1_000_000)
    count, size = sum(map(len, places)), 0
    began = time.process_time()
    for partition, mine in enumerate(places):
        for value in written([(one.kind, one.entry) for one in mine]):
            size += len(value)
            sender.produce(name, value, partition=partition)
        sender.poll(0)
    assert sender.flush(60) == 0
    assert sum(read(record.value() or b"") for record in read_to_end(kafka, name)) == count
    used = time.process_time() - began
    return {"cpu_s_per_million": round(used / count * 1e6, 2), "bytes_per_entry": round(size / count, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    logs.configure("error")
    with tempfile.TemporaryDirectory(prefix="burnline-bench-") as folder, EmbeddedKafka(Path(folder)) as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        declared = [replace(TOPICS["ops.clock.v1"], name=name, extra={}) for name in (FRAMES, RECORDS)]
        topics.apply(kafka, topics.plan(kafka, declared), declared)
        places = contributions(chosen.entries)
        frames = measure(kafka, FRAMES, places, framed, lambda value: len(codec.decode_items(value)[1]))
        records = measure(kafka, RECORDS, places, single, lambda value: len(codec.decode_wire(value)) // 2)
    ratio = round(frames["cpu_s_per_million"] / records["cpu_s_per_million"], 2)
    found = {"frames": frames, "a_record_each": records, "cpu_ratio": ratio}
    print(json.dumps(found) if chosen.json else json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
