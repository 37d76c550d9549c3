"""The assistant as a process.

Rules
- It writes to the topic of proposals and nowhere else; its principal has no other right to write.
- What it proposed is known by its ids, read back at the start; so a restart proposes nothing twice.
- Without a model, or while the model fails, answers rubbish or hangs, the rules propose. After a failure the model is left alone for a while.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from confluent_kafka import KafkaException, Message, TopicPartition

from consumers.assist.model import Model, NoAnswer
from consumers.core.assist.alerts import Alerts
from consumers.core.assist.duplicates import Invoices
from consumers.core.assist.ideas import PROPOSALS, RULES, Idea, proposal_event
from consumers.core.assist.model import Rubbish, answered, question
from infra.errors import Fatal, PoisonMessage, Transient
from infra.kafka.clients import broker_answers, consumer, producer
from infra.kafka.failures import is_record
from infra.kafka.names import scratch_group
from infra.kafka.reader import STALL, available, end_offsets, partitions_of, read_ranges
from infra.kafka.unread import logged, unread
from infra.kafka.writer import EventWriter
from infra.settings import AssistSettings, KafkaSettings, Settings
from schemas import catalogue, contents
from schemas.records import AlertEvent

log = structlog.get_logger()
READ = ("finance.invoice.v1", "governance.alert.v1")
POLL = 0.2
MOST = 500
REST = 60.0
"""Seconds for which a model that failed is left alone."""


def run(settings: Settings, stop: threading.Event, *, prefix: str = "") -> None:
    """Propose until `stop` is set. `prefix` stands before the names of all topics. Raises `Transient` when the broker fails."""
    broker_answers(settings.kafka)
    proposals = _Proposals(settings.kafka, prefix)
    assistant = _Assistant(settings.assist)
    positions, pending = _history(settings.kafka, assistant, prefix)
    reader = consumer(settings.kafka, group=scratch_group("assist"))
    try:
        reader.assign(positions)
        for ideas in pending:
            proposals.write(ideas, RULES)  # a history is not put to a model
        log.info("assistant_started", model=assistant.name)
        while not stop.is_set():
            for record in available(reader, MOST, POLL):
                if (found := _taken(assistant, record)) is not None:
                    alert, ideas = found
                    wanted = [idea for idea in ideas if idea.identity not in proposals.known]
                    proposals.write(*assistant.in_words(alert, wanted))
    except KafkaException as error:
        raise Transient(f"reading failed: {error.args[0].str()}", remedy="is the broker up?") from error
    finally:
        reader.close()
        assistant.close()


class _Proposals:
    """The one way out: proposals, each once. Whatever it is given, it writes nowhere else."""

    def __init__(self, kafka: KafkaSettings, prefix: str) -> None:
        self._topic = replace(PROPOSALS, name=prefix + PROPOSALS.name)
        self.known: set[str] = set()
        self._writer = EventWriter(producer(kafka))
        for record in read_all(kafka, self._topic.name):
            try:
                self.known.add(contents.read("governance.proposal.v1", record.value() or b"")["current"]["proposal_id"])
            except PoisonMessage as error:
                logged(unread(record, error))

    def write(self, ideas: list[Idea], made_by: str) -> None:
        new = [idea for idea in ideas if idea.identity not in self.known]
        for idea in new:
            self._writer.send(self._topic, proposal_event(idea, made_by, datetime.now(UTC)))
        self._writer.flush()
        for idea in new:
            self.known.add(idea.identity)
            log.info("proposed", kind=idea.kind, subject=idea.cause["subject"], made_by=made_by)


class _Assistant:
    """What it has seen, and the model that it may ask."""

    def __init__(self, settings: AssistSettings) -> None:
        self.invoices, self.alerts = Invoices(), Alerts()
        self._share = settings.share
        self._model = Model(settings) if settings.model_url else None
        self._resting = 0.0
        fields = catalogue.load("burnline.governance.Alert")["fields"]
        self._classes = {field["name"]: field["dataClass"] for field in fields}

    @property
    def name(self) -> str:
        return RULES if self._model is None else self._model.name

    def in_words(self, alert: AlertEvent | None, ideas: list[Idea]) -> tuple[list[Idea], str]:
        """The ideas in the words of the model, where there is one and it has some; else as they are. And whose words they are."""
        if self._model is None or alert is None or not ideas or time.monotonic() < self._resting:
            return ideas, RULES
        asked = question(alert, self._classes, self._share)
        if asked is None:
            return ideas, RULES
        try:
            return answered(self._model.ask(asked), ideas), self._model.name
        except (NoAnswer, Rubbish) as error:
            self._resting = time.monotonic() + REST
            log.warning("model_not_used", model=self._model.name, reason=str(error), seconds=REST)
            return ideas, RULES

    def close(self) -> None:
        if self._model is not None:
            self._model.close()


def _taken(assistant: _Assistant, record: Message) -> tuple[AlertEvent | None, list[Idea]] | None:
    """The alert of a record, if it is one, and the ideas that it gives; None where it cannot be read."""
    if not is_record(record):
        return None
    try:
        if (record.topic() or "").endswith("governance.alert.v1"):
            alert = contents.read("governance.alert.v1", record.value() or b"")
            return alert, assistant.alerts.take(alert)
        return None, assistant.invoices.take(contents.read("finance.invoice.v1", record.value() or b""))
    except PoisonMessage as poison:  # whoever acts upon it parks it
        logged(unread(record, poison))
        return None


def _history(kafka: KafkaSettings, assistant: _Assistant, prefix: str) -> tuple[list[TopicPartition], list[list[Idea]]]:
    """Where to go on, and what is thought of all that was."""
    positions, pending = [], []
    for name in READ:
        topic = prefix + name
        partitions = partitions_of(kafka, topic)
        if not partitions:
            raise Fatal(f"there is no topic {topic}", remedy="run `burnline topics apply`")
        ends = end_offsets(kafka, topic, partitions)
        taken = (_taken(assistant, record) for record in read_ranges(kafka, topic, ends, STALL))
        pending += [found[1] for found in taken if found is not None]
        positions += [TopicPartition(topic, partition, end) for partition, (_, end) in ends.items()]
    return positions, pending


def read_all(kafka: KafkaSettings, topic: str) -> Iterator[Message]:
    """Every record of a topic as it is now."""
    yield from read_ranges(kafka, topic, end_offsets(kafka, topic, partitions_of(kafka, topic)), STALL)
