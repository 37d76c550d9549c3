"""What a subscriber sees during the demo: records by topic, alerts, actions, dead letters, and how long a change takes.

Invariant: only committed records are counted, at the moment at which a subscriber can see them.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from confluent_kafka import Message, TopicPartition

from infra.errors import PoisonMessage
from infra.kafka import clients
from infra.kafka.names import scratch_group
from infra.kafka.reader import latest_offsets
from infra.settings import KafkaSettings
from schemas import contents
from schemas.topics import TOPICS

PUBLIC = [topic for topic in TOPICS.values() if topic.public]


class Seen(NamedTuple):
    """A change that was seen on its topic: of which record, when Odoo says it began, and when we saw it (seconds since 1970)."""

    subject: str
    recorded_at: float
    seen_at: float


class Arrival(NamedTuple):
    """A change that reached a measure: the change, and when the measure could be seen (seconds since 1970)."""

    change: Seen
    measured_at: float


@dataclass(slots=True)
class Watch:
    """Counts what arrives from now on. Use as a context manager; all fields may be read at any time.

    A change counts as one that can arrive at a measure only from the first measure on: before the first tick there are none.
    """

    settings: KafkaSettings
    events: Counter[str] = field(default_factory=Counter)
    alerts: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    dead_letters: int = 0
    latest_alerts: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=8))
    latest_actions: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=6))
    measures: dict[str, dict[str, Mapping[str, Any]]] = field(
        default_factory=lambda: {"utilization": {}, "budget-burn": {}, "dispute-aging": {}}
    )
    arrivals: list[Arrival] = field(default_factory=list)
    first_measure_at: float | None = None
    _changes: dict[str, Seen] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin at the present end of every public topic."""
        ends = latest_offsets(self.settings, {topic.name: topic.partitions for topic in PUBLIC})
        self._thread = threading.Thread(target=self._read, args=(ends,), name="watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop counting."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def know(self, measures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """Take in measures of an earlier run: what does not change is not published again."""
        for name, subjects in measures.items():
            self.measures[name] = {**subjects, **self.measures[name]}

    def _read(self, ends: list[TopicPartition]) -> None:
        reader = clients.consumer(self.settings, group=scratch_group("watch"), fetch_wait_max_ms=20)
        reader.assign(ends)
        while not self._stop.is_set():
            for record in reader.consume(500, 0.05):
                if record.error() is None:
                    self._count(record)
        reader.close()

    def _count(self, record: Message) -> None:
        topic, data = record.topic() or "", record.value()
        self.events[topic] += 1
        if data is None:
            return
        try:
            event: Any = contents.read(topic, data)
        except PoisonMessage:
            self.events["undecodable"] += 1
            return
        domain, entity, _ = topic.split(".")
        match domain, entity:
            case "measure", _:
                self._measured(entity, event)
            case "governance", "alert":
                alert = event["current"]
                self.alerts[alert["rule"]] += alert["status"] == "raised"
                self.latest_alerts.append({"subject": event["meta"]["subject"], **alert})
            case "governance", "action":
                self.actions[event["current"]["status"]] += 1
                self.latest_actions.append(event["current"])
            case "ops", "dead-letter":
                self.dead_letters += 1
            case (("people" | "sales" | "delivery" | "finance"), _) if event["meta"]["mode"] != "snapshot":
                self._changed(event["meta"])

    def _changed(self, meta: dict[str, Any]) -> None:
        recorded: datetime = meta["recorded_at"]
        self._changes[meta["event_id"]] = Seen(meta["subject"], recorded.timestamp(), time.time())

    def _measured(self, entity: str, event: dict[str, Any]) -> None:
        now = time.time()
        self.first_measure_at = self.first_measure_at or now
        if entity in self.measures:
            self.measures[entity][event["meta"]["subject"]] = event["current"]
        for cause in event["current"]["moved_by"]:
            change = self._changes.pop(cause, None)
            if change is not None:
                self.arrivals.append(Arrival(change, now))
