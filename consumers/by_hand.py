"""Going on by hand: what is pending, read from the topics, and what a person decides about it, written there.

It needs Kafka alone: neither Odoo, n8n, mail, nor the runner and the governor have to be up. Whatever takes up the work afterwards reads
the decision before it acts.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from consumers.core.action_events import ACTIONS
from consumers.core.board import Board
from consumers.core.overrides import Refused, override
from consumers.core.policy import Policy
from infra.errors import Fatal, PoisonMessage
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.kafka.unread import Told, logged, unread
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings
from schemas import contents
from schemas.records import Action, Override


def board(kafka: KafkaSettings, policy: Policy, told: Told = logged) -> Board:
    """What is pending now. A record that cannot be read is `told` of, and passed over. Raises `Transient`."""
    found = Board(policy)
    readers: dict[str, Callable[[Any], None]] = {
        "governance.alert.v1": found.alert,
        "governance.action.v1": found.action,
        "governance.duty.v1": found.duty,
        "governance.freeze.v1": found.freeze,
    }
    for topic, fold in readers.items():
        for record in read_to_end(kafka, topic):
            if record.value() is None:  # erased
                continue
            try:
                fold(contents.read(topic, record.value() or b""))
            except PoisonMessage as error:
                told(unread(record, error))
    return found


def decide(settings: Settings, policy: Policy, identity: str, wanted: Override, reason: str) -> Action:
    """Write what a person decided. Returns it: in effect, or asked for where the policy wants a second person.

    Raises `Fatal` where nothing is pending under the id, or where it may not be decided so.
    """
    subject = board(settings.kafka, policy).overridable(identity)
    if subject is None:
        raise Fatal(f"nothing is pending under {identity}", remedy="`burnline worklist` shows what is, with its ids")
    word = override(subject, wanted, policy, reason=reason, by=principal(settings), at=datetime.now(UTC))
    if isinstance(word, Refused):
        raise Fatal(word.why, remedy=word.remedy)
    writer = EventWriter(producer(settings.kafka))
    writer.send(ACTIONS, word)
    writer.flush()
    return word["current"]


def principal(settings: Settings) -> str:
    """Who is speaking: the name that the broker has checked, where it checks names, and nothing else then; else the setting, or the login."""
    return settings.kafka.sasl_username or settings.operator.name or getpass.getuser()
