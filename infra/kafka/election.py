"""Which of several processes leads: the one that a consumer group gives partition 0 of a topic.

The group's members read nothing of it. A leader that died is replaced when its session is over; one that leaves, at once. A process that
slept through that believes for a moment that it leads still: what it does must be fenced by something else, as by a transactional id.
"""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition

from infra.errors import Transient
from infra.kafka.clients import consumer
from infra.kafka.failures import passes, refusal
from infra.settings import KafkaSettings

SESSION = 10.0
"""Seconds after which a leader that died is replaced."""


class Candidate:
    """One of the processes. It has to be asked all the time, since only then it hears that another leads."""

    def __init__(self, settings: KafkaSettings, group: str, topic: str) -> None:
        """Join the group."""
        self._leads = False
        self._member = consumer(
            settings,
            group=group,
            session_timeout_ms=int(SESSION * 1000),
            heartbeat_interval_ms=int(SESSION * 250),
            partition_assignment_strategy="range",
        )
        self._member.subscribe([topic], on_assign=self._given, on_revoke=self._taken, on_lost=self._taken)

    def leads(self, wait: float) -> bool:
        """Whether this process leads, as is known after so many seconds. Raises `Transient`, or `Fatal` where it may not be a member."""
        record = self._member.poll(wait)
        error = None if record is None else record.error()
        if error is not None and not passes(error):
            raise refusal("standing for the lead", error) or Transient(
                f"standing for the lead failed: {error.str()}", remedy="is the broker up?"
            )
        return self._leads

    def close(self) -> None:
        """Leave: another takes over at once."""
        self._member.close()

    def _given(self, member: Consumer, partitions: list[TopicPartition]) -> None:
        member.assign(partitions)
        member.pause(partitions)
        self._leads = any(p.partition == 0 for p in partitions)

    def _taken(self, member: Consumer, _: list[TopicPartition]) -> None:
        member.unassign()
        self._leads = False
