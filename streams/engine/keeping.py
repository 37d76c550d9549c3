"""When copies of states are made, and that each is what the group has committed: not a row more, and none of another owner's missing.

A copy is made between two batches, when what is in memory is what was committed. That alone does not do: a worker that slept through
a rebalance does not know yet that others went on. So first the end of decided rows is asked for, then the group's position. If that
is still ours, mark included, nobody else's rows lie before the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import structlog
from confluent_kafka import KafkaException, TopicPartition

from infra.kafka.clients import consumer
from infra.settings import KafkaSettings
from streams.engine.checkpoints import Checkpoints, Copy
from streams.engine.ownership import Ownership, Position
from streams.engine.restore import topic_ids
from streams.engine.topology import Partition

log = structlog.get_logger()
PATIENCE = 5.0

Made = tuple[str, int, Copy]
"""Topic and partition of a state, and its copy."""


class Keeper:
    """Makes the copies of one worker. `every` is how old one gets, in seconds, while its state moves and the worker lives."""

    def __init__(self, settings: KafkaSettings, group: str, checkpoints: Checkpoints, *, every: float) -> None:
        """Ask as this group; nothing is asked before the first copy."""
        self._settings, self._checkpoints, self._every = settings, checkpoints, every
        self._probe = consumer(settings, group=group)
        self._ids: dict[str, str] = {}
        self._made: dict[Partition, tuple[float, Position]] = {}

    def keep_one(self, own: Ownership) -> None:
        """Copy the state that waits longest, if its time has come: one at a time, so that no batch waits for all of them."""
        now = time.monotonic()
        for place in own.ready:
            self._made.setdefault(place, (now, own.position(place)))
        due = [place for place in own.ready if now - self._made[place][0] > self._every]
        for place in sorted(due, key=lambda place: self._made[place][0]):
            if own.position(place) != self._made[place][1]:
                self.save(self.copies(own, [place]))
                self._made[place] = now, own.position(place)
                return
            self._made[place] = now, own.position(place)

    def copies(self, own: Ownership, places: Iterable[Partition]) -> list[Made]:
        """Copies of these states as they are now, not written yet; those of which nobody can say what is in them are left out."""
        ends = self._ends(own, list(places))
        return [(own.ready[place][0].state, place[1], Copy(own.ready[place][1], end)) for place, end in ends.items()]

    def save(self, copies: Iterable[Made]) -> None:
        """Write them, before their states move on."""
        for topic, partition, copy in copies:
            self._checkpoints.save(topic, self._ids[topic], partition, copy)

    def close(self) -> None:
        """End the connection."""
        self._probe.close()

    def _ends(self, own: Ownership, places: list[Partition]) -> dict[Partition, int]:
        """Up to where the rows of each state are known to be in it; those of which that cannot be said are left out."""
        try:
            names = {own.ready[place][0].state for place in places} - set(self._ids)
            self._ids |= topic_ids(self._settings, names)
            ends = {
                place: self._probe.get_watermark_offsets(
                    TopicPartition(own.ready[place][0].state, place[1]), timeout=PATIENCE
                )[1]
                for place in places
            }
            found = self._probe.committed([TopicPartition(*place) for place in places], PATIENCE)
        except KafkaException as error:
            log.warning("checkpoint_put_off", error=error.args[0].str())
            return {}
        ours = [
            (answer.topic, answer.partition)
            for answer in found
            if answer.error is None
            and own.position((answer.topic, answer.partition)) == Position(answer.offset, answer.metadata or "")
        ]
        return {place: ends[place] for place in ours}
