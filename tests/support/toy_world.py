"""The toy topology on a broker, and engines over it in threads of the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.errors import BurnlineError
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.settings import KafkaSettings, Settings, StreamsSettings
from schemas import codec
from streams.engine.engine import Engine
from tests.support import toy
from tests.support.drill import rows, subject_of, until


@contextmanager
def working(engine: Engine) -> Iterator[Engine]:
    """The engine, at work in a thread once it is ready; what it died of fails the test."""
    stop, died = threading.Event(), []

    def work() -> None:
        try:
            engine.run(stop)
        except BurnlineError as error:
            died.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        until(lambda: engine.status().ready or died, "a worker that is ready")
        yield engine
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
    assert not died, died


class World:
    """The toy's topics on the shared broker, and engines over them in threads."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.prefix, self.kafka, self.folder = prefix, KafkaSettings(bootstrap_servers=bootstrap), folder
        self.declared = toy.topics(prefix)
        self.producer = producer(self.kafka)
        self.sent = 0
        self.session = 6.0

    def settings(self, instance: str = "a") -> Settings:
        streams = StreamsSettings(
            instance=instance,
            group=f"{self.prefix}.group",
            session_timeout=self.session,
            transaction_timeout=6,
            data_dir=self.folder,
        )
        return Settings(kafka=self.kafka, streams=streams)

    def create_topics(self) -> None:
        topics.apply(self.kafka, topics.plan(self.kafka, self.declared), self.declared)

    def send(self, count: int) -> None:
        for _ in range(count):
            name = f"r{self.sent}"
            self.raw(codec.encode_wire(toy.ENTRY, toy.entry(subject_of(name), name)))
            self.sent += 1
        assert self.producer.flush(30) == 0

    def raw(self, value: bytes) -> None:
        self.producer.produce(f"{self.prefix}.source", value, b"key")

    @contextmanager
    def worker(self, instance: str = "a") -> Iterator[Engine]:
        with working(Engine(self.settings(instance), toy.topology(self.prefix))) as engine:
            yield engine

    def arrived(self) -> None:
        until(lambda: len(rows(self.kafka, f"{self.prefix}.second-state")) >= self.sent, f"{self.sent} rows")
