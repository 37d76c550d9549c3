"""Transactions of programs of which there is one: a second one takes the transactional id, and so fences the first."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from confluent_kafka import KafkaException, Producer

from infra.errors import BurnlineError, Fatal, Transient
from infra.kafka.failures import refusal
from infra.kafka.writer import EventWriter

SECONDS = 30.0
"""The longest that a transaction, and its commit, may take."""


class Replaced(Fatal):
    """Another one has taken over."""


@contextlib.contextmanager
def transaction(producer: Producer, who: str, doing: str) -> Iterator[EventWriter]:
    """What is written within is there in the end, or none of it is.

    `who` and `doing` are for sentences: "governor", "publishing a duty". Raises `Replaced` where another one has taken over, `Fatal` where the
    broker refuses, `Transient` where it fails.
    """
    writer = EventWriter(producer)
    try:
        producer.begin_transaction()
        yield writer
        producer.commit_transaction(SECONDS)
    except KafkaException as error:
        with contextlib.suppress(KafkaException):  # the broker aborts it by itself, later
            producer.abort_transaction(3)
        raise _failure(error, who, doing) from error
    writer.check()


def _failure(error: KafkaException, who: str, doing: str) -> BurnlineError:
    cause = error.args[0]
    if refused := refusal(doing, error):
        return refused
    if cause.fatal():
        return Replaced(
            f"another {who} has taken over: {cause.str()}",
            remedy=f"one {who} is enough: leave the other running, or stop it and start this one again",
        )
    return Transient(f"{doing} failed: {cause.str()}", remedy=f"is the broker up? then start the {who} again")
