"""A governor on a real broker, with topics of its own: what it is told, and what it publishes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from consumers.governor import ALERTS, CLOCK, READ, run
from infra.dead_letters import DEAD_LETTERS
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings
from schemas import codec
from schemas.events import meta
from schemas.topics import Topic, topic
from tests.support.at_work import at_work

PROGRAM = """
import json, sys, threading
from consumers.governor import run
from infra.settings import load_settings
run(load_settings(), json.loads(sys.argv[1]), threading.Event(), prefix=sys.argv[2])
"""


class Firm:
    """Topics under other names, with one partition each."""

    def __init__(self, kafka: KafkaSettings, prefix: str) -> None:
        self.kafka = kafka
        self.prefix = prefix

    def topic(self, name: str) -> Topic:
        return replace(topic(name), name=self.prefix + name, partitions=1)

    def make(self) -> None:
        own = [self.topic(name) for name in (*READ, CLOCK, DEAD_LETTERS.name)]
        topics.apply(self.kafka, topics.plan(self.kafka, own), own)

    @cached_property
    def writer(self) -> EventWriter:
        return EventWriter(producer(self.kafka))

    def send(self, name: str, *events: Mapping[str, Any]) -> None:
        for event in events:
            self.writer.send(self.topic(name), event)
        self.writer.flush()

    def alerts(self, *events: Mapping[str, Any]) -> None:
        self.send(ALERTS, *events)

    def tick(self, at: datetime) -> None:
        head = meta(
            topic(CLOCK), "ticked", source="burnline", subject="clock:0", version=int(at.timestamp()), occurred_at=at,
            recorded_at=at, mode="derived", tenant="", company_id=None,
        )  # fmt: skip
        self.send(CLOCK, {"meta": head, "current": {"partition": 0, "at": at, "period_seconds": 60}})

    def published(self, name: str) -> list[dict[str, Any]]:
        """Every event of a topic, in order."""
        return [codec.decode(record.value() or b"").value for record in read_to_end(self.kafka, self.prefix + name)]

    def duties(self) -> list[tuple[str, str]]:
        """Status and assignee of each event of a duty."""
        return [(e["current"]["status"], e["current"]["assignee"]) for e in self.published("governance.duty.v1")]

    def freezes(self) -> list[tuple[str, str]]:
        """Status and step of each event of a freeze."""
        return [(e["current"]["status"], e["current"]["frozen_step"]) for e in self.published("governance.freeze.v1")]

    def governed(self, config: dict[str, object]) -> AbstractContextManager[None]:
        """A governor in a thread; what it raised is raised in the end."""
        return at_work(lambda stop: run(Settings(kafka=self.kafka), config, stop, prefix=self.prefix))

    def process(self, config: dict[str, object]) -> subprocess.Popen[bytes]:
        """A governor as a process of its own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BURNLINE_", "ODOO_"))}
        broker = {"BURNLINE_KAFKA__BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers or ""}
        return subprocess.Popen([sys.executable, "-c", PROGRAM, json.dumps(config), self.prefix], env=kept | broker)
