"""The names under which Burnline's programs appear to a broker: transactional ids, and groups that commit nothing.

They stand here, once, because the programs use them and the ACLs allow them. The groups that do commit are settings.
"""

from __future__ import annotations

import uuid

SCRATCH_GROUPS = "burnline.scratch."
"""Groups of readers that are assigned their partitions: the client asks for a group's name, and nothing is ever committed under it."""
CAPTURE_TRANSACTIONS = "burnline.capture."
CLOCK_TRANSACTIONS = "burnline.clock"
"""The transactional id of the clock, and the group in which clocks elect the one that ticks."""
GOVERNOR = "burnline.governor"
"""Transactional id of the governor, and the group under which it says how far it is: one at a time."""
DESK = "burnline.dlq"
"""The transactional id of who decides dead letters: one at a time."""
WATCH = "burnline.letters"
"""The transactional id of who tells of dead letters: one at a time."""
TRAIL = "burnline.trail"
"""Group and transactional id of who keeps the audit trail: one at a time."""
ALONE = frozenset({GOVERNOR, TRAIL})
"""Groups without members: whoever commits there takes all partitions by itself."""
_WORKER, _AT = "burnline.worker", "@"
CARRY_OVER = "burnline.carry-over."
"""What both group and transactional id begin with of who carries a topic's history over."""


def duties_group(group: str) -> str:
    """The group in which the members of this one follow duties."""
    return f"{group}.duties"


def scratch_group(purpose: str) -> str:
    """A group that nobody else has, for a reader that commits nothing."""
    return f"{SCRATCH_GROUPS}{purpose}.{uuid.uuid4()}"


def capture_transactions(database: str) -> str:
    """The transactional id of the one capture of an Odoo database."""
    return f"{CAPTURE_TRANSACTIONS}{database}"


def carry_over_of(topic: str) -> str:
    """Group and transactional id of who carries this deprecated topic over."""
    return f"{CARRY_OVER}{topic}"


def worker_transactions(group: str, instance: str) -> str:
    """The transactional id of one worker of the streams; `instance` may be empty, for what all ids of the group begin with."""
    return f"{group}.{instance}"


def worker_client(address: str | None) -> str:
    """The client id of a worker, which tells the group's other members at which address it can be asked."""
    return _WORKER if address is None else f"{_WORKER}{_AT}{address}"


def worker_address(client: str) -> str | None:
    """The address in a worker's client id; None where it tells none."""
    name, at, address = client.partition(_AT)
    return address if at and name == _WORKER else None
