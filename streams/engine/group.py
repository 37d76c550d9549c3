"""Who is in the workers' group, and who has which lane; who is next in line for one; and when a lane has been forgotten.

A member's client id carries where it can be asked (`streams.engine.member`), so that the group itself, which always knows who lives,
is the list of addresses: nothing is kept beside it that could be out of date.

Lanes can be forgotten: a worker gives them back in a rebalance and dies before it says so. As a static member it has its old
assignment back without another rebalance, and nobody is given what it gave back. The worker that has the least to do sees that after
a while, and joins anew, which makes the group assign everything.
"""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from infra.errors import BurnlineError
from infra.kafka.clients import admin
from infra.kafka.names import worker_address
from infra.settings import KafkaSettings
from streams.engine.failures import of_kafka

log = structlog.get_logger()
ASKING = 10.0
LOOK = 2.0
"""Seconds between two looks at the group."""
PATIENCE = 3.0
"""Seconds to wait for the thread at the end: a question to a broker that is gone takes longer, and the process ends it."""
FORGOTTEN = 5.0
"""Seconds for which a settled group has lanes without a worker: longer than it takes to give them from one to another."""
SETTLED = "Stable"
UNIQUE = 37
"""Kafka makes a static member's id of its name, a dash and 36 characters of its own."""


@dataclass(frozen=True, slots=True)
class Group:
    """The members by their instance names: their lanes, and their addresses where they have told one."""

    lanes: Mapping[str, frozenset[int]] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)

    def address_of(self, lane: int, me: str) -> str | None:
        """Where the other worker can be asked that has this lane; None while nobody has it, or where it has told no address.

        None, too, where it seems to be this member's: what it gave away since was not seen yet, and nobody is led back to where they ask.
        """
        owner = self.owner_of(lane)
        return None if owner is None or owner == me else self.addresses.get(owner)

    def mends(self, me: str, width: int) -> bool:
        """Whether some of so many lanes have no worker, and this member is the one to ask for an assignment: the one with the least to do."""
        if None not in map(self.owner_of, range(width)):
            return False
        return me == min(self.lanes, key=lambda name: (len(self.lanes[name]), name), default=None)

    def owner_of(self, lane: int) -> str | None:
        """The worker that has this lane."""
        return next((name for name, lanes in self.lanes.items() if lane in lanes), None)

    def standby(self, me: str, copies: int) -> frozenset[int]:
        """The lanes of others that I follow: those that would come to me if their worker died, and of each so many followers.

        Sticky assignment deals out a dead worker's lanes one by one to who has fewest. Should it do otherwise some day, a state is
        restored instead of taken over: nothing else depends on it.
        """
        mine = set()
        for owner, lanes in self.lanes.items():
            loads = {name: len(theirs) for name, theirs in self.lanes.items() if name != owner}
            if owner == me or me not in loads:
                continue
            for lane in sorted(lanes):
                line = sorted(loads, key=lambda name: (loads[name], name))
                if me in line[:copies]:
                    mine.add(lane)
                loads[line[0]] += 1
        return frozenset(mine)


def found_group(client: AdminClient, group: str) -> Any | None:
    """The group as Kafka lists it, with `state` and `members`; None for one that is not. Raises `Transient` or `Fatal` when Kafka does not tell.

    Asked in the client's older way: `describe_consumer_groups` of librdkafka 2.16 ends the process with a failed assertion
    (`eonce->refcnt > 0`) when the broker goes away under it, as the drills found.
    """
    try:
        return next((one for one in client.list_groups(group, timeout=ASKING) if one.id == group), None)
    except KafkaException as error:
        raise of_kafka(f"asking for the group {group}", error) from error


def described(client: AdminClient, group: str) -> Group | None:
    """The group as it stands; None while it is between two assignments. Raises `Transient` or `Fatal` when Kafka does not tell."""
    found = found_group(client, group)
    if found is None or found.state != SETTLED:
        return None
    members = {member.id[:-UNIQUE]: member for member in found.members}
    return Group(
        {name: _numbers(member.assignment) for name, member in members.items()},
        {name: told for name, member in members.items() if (told := worker_address(member.client_id)) is not None},
    )


def _numbers(assignment: bytes) -> frozenset[int]:
    """The partitions in an assignment of the consumers' protocol: a version, then each topic with its partitions."""
    numbers: set[int] = set()
    _, topics = struct.unpack_from(">hi", assignment)
    at = 6
    for _ in range(topics):
        (length,) = struct.unpack_from(">h", assignment, at)
        at += 2 + length
        (count,) = struct.unpack_from(">i", assignment, at)
        numbers.update(struct.unpack_from(f">{count}i", assignment, at + 4))
        at += 4 + 4 * count
    return frozenset(numbers)


class Watch:
    """Looks at the group all the time, in a thread. `now` is what it saw last, and `forgotten` that this worker has to join anew."""

    def __init__(self, settings: KafkaSettings, group: str, me: str, width: int) -> None:
        """Look at nothing before it is entered. The group has so many lanes."""
        self.now: Group | None = None
        self.forgotten = False
        self._settings, self._group, self._me, self._width = settings, group, me, width
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="group", daemon=True)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        client, since = admin(self._settings), time.monotonic()
        while not self._stop.is_set():
            try:
                found = described(client, self._group)
            except BurnlineError as error:
                log.warning("group_unseen", error=str(error), remedy=error.remedy)
                found = None
            self.now = found or self.now
            if found is None or not found.mends(self._me, self._width):
                since = time.monotonic()
            self.forgotten = time.monotonic() - since > FORGOTTEN
            self._stop.wait(LOOK)
