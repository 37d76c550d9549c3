"""A record that could not be read by someone who reads on: where it is, and why. For readers that only look, and park nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import structlog

from infra.errors import PoisonMessage
from schemas.records import DeadLetterReason

log = structlog.get_logger()


class Placed(Protocol):
    """The part of a Kafka message that tells where it is."""

    def topic(self) -> str | None: ...
    def partition(self) -> int | None: ...
    def offset(self) -> int | None: ...


class Unread(NamedTuple):
    """The place of a record, and what is wrong with it. `reason` as in a dead letter."""

    topic: str
    partition: int
    offset: int
    reason: DeadLetterReason
    error: str
    remedy: str

    def __str__(self) -> str:
        """A sentence."""
        return f"{self.topic}, partition {self.partition}, offset {self.offset}: {self.error}"


Told = Callable[[Unread], object]


def unread(record: Placed, error: PoisonMessage) -> Unread:
    """What is to be said of a record that raised this."""
    place = record.topic() or "", record.partition() or 0, record.offset() or 0
    return Unread(*place, error.reason, str(error), error.remedy)


def logged(found: Unread) -> None:
    """Say it in the log."""
    log.warning("record_not_read", **found._asdict())
