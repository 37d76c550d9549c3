"""Work on dead letters: try them again, discard them. What follows from a decision and the decision itself are one transaction.

Rules
- One desk at a time: a second one fences the first, which then decided nothing.
- Killed anywhere, a letter was decided and its copy is there, or neither. A post to the webhook server comes before its decision, under an
  id that follows from letter, attempt and bytes: posted twice, it is one delivery; refused again, it is the same letter.
- A copy never stays behind what came after its original: see `consumers.core.reentry`. That is looked at before, and once more when the
  copies have their places and nobody sees them yet: where something came in between, the transaction is taken back, and the letter refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import KafkaException, Message

from consumers import dead_letters
from consumers.core.action_events import ACTIONS, asked_again
from consumers.core.letter_queue import Decision, Letter
from consumers.core.reentry import (
    DELIVERIES,
    NOT_COPIED,
    SOURCE,
    SUPERSEDED,
    Refusal,
    Way,
    decision_event,
    entity_of,
    hint_for,
)
from consumers.dead_letters_plan import COPIED, Plan, place_of, same
from consumers.letter_post import post
from infra.dead_letters import COPY_HEADERS, Again, again_headers, copy_headers
from infra.errors import Transient
from infra.kafka.clients import TRANSACTION, transactional_producer
from infra.kafka.failures import of_client, refusal
from infra.kafka.names import DESK
from infra.kafka.reader import STALL, read_ranges
from infra.kafka.writer import EventWriter
from infra.settings import Settings
from schemas.events import Headers
from schemas.records import ActionEvent

AT_ONCE = 100
"""Letters that share a transaction."""


class Desk:
    """Decides letters, as somebody. `close` is not needed: what is not committed never was."""

    def __init__(self, settings: Settings, by: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Take the desk. Raises `Transient` when no broker answers, `Fatal` without the right."""
        self._settings, self._by, self._now = settings, by, now
        self._producer = transactional_producer(settings.kafka, DESK, timeout=TRANSACTION)
        self._writer = EventWriter(self._producer)

    def retry(self, plans: Iterable[Plan], note: str) -> None:
        """Send letters back, those that are refused excepted, and record it with its reason. Returns when all of it is committed.

        A plan that turned out to be overtaken is refused in its place.
        """
        todo = [one for one in plans if not isinstance(one.way, Refusal)]
        for one in todo:
            if one.way is Way.POST:
                one.way = post(self._settings.webhooks, one.letter, one.value or b"", self._now()) or one.way
        todo = [one for one in todo if not isinstance(one.way, Refusal)]
        for start in range(0, len(todo), AT_ONCE):
            chunk = todo[start : start + AT_ONCE]
            while chunk and not self._commit(chunk, "retried", note):
                chunk = [one for one in chunk if not isinstance(one.way, Refusal)]

    def discard(self, meant: Sequence[Letter], note: str) -> None:
        """Record that these letters need no remedy any more."""
        for start in range(0, len(meant), AT_ONCE):
            self._commit(
                [Plan(letter, Refusal("", "")) for letter in meant[start : start + AT_ONCE]], "discarded", note
            )

    def _commit(self, chunk: Sequence[Plan], status: str, note: str) -> bool:
        """One transaction: copies and hints, and the decisions. False where it was taken back, since a copy was overtaken."""
        placed: list[tuple[Plan, int]] = []
        try:
            self._producer.begin_transaction()
            for one in chunk:
                at = self._now()
                if one.way is Way.HINT:
                    self._writer.send(DELIVERIES, hint_for(one.letter, at))
                elif one.way in COPIED:
                    self._copy(one, placed)
                if one.action is not None:
                    self._writer.send(ACTIONS, self._asked_again(one, note, at))
                event = decision_event(one.letter, status, Decision(status, at, self._by, note))
                self._writer.send(dead_letters.TOPIC, event)
            self._writer.flush(TRANSACTION)
            if self._overtaken(placed):
                self._producer.abort_transaction(TRANSACTION)
                return False
            self._producer.commit_transaction(TRANSACTION)
        except (KafkaException, SystemError) as raised:
            error = of_client(raised)
            with contextlib.suppress(KafkaException):  # the broker aborts it by itself, later
                self._producer.abort_transaction(3)
            raise refusal("deciding letters", error) or Transient(
                f"letters could not be decided: {error.args[0].str()}",
                remedy="nothing of this step was done: run it again, and only once at a time",
            ) from raised
        return True

    def _copy(self, one: Plan, placed: list[tuple[Plan, int]]) -> None:
        current = one.letter.event["current"]
        headers: Headers = [pair for pair in one.headers if pair[0] not in NOT_COPIED | COPY_HEADERS]
        headers += copy_headers(one.letter.identity, current["attempts"], current["first_failed_at"])
        if one.action is not None:
            headers += again_headers(Again(one.action["current"]["action_id"], one.action["current"]["attempt"] + 1))

        def delivered(error: Any, record: Message) -> None:
            if error is None:
                placed.append((one, record.offset() or 0))

        self._producer.produce(
            current["topic"], one.value, one.key, current["partition"], on_delivery=delivered, headers=headers
        )

    def _asked_again(self, one: Plan, note: str, at: datetime) -> ActionEvent:
        if one.action is None:
            raise ValueError(f"the letter {one.letter.identity} is about no action")
        cause = one.letter.event["meta"]["event_id"]
        return asked_again(one.action, source=SOURCE, reason=note, by=self._by, at=at, cause=cause)

    def _overtaken(self, placed: list[tuple[Plan, int]]) -> bool:
        """Refuse the plans between whose look and whose copy a record of the same entity came in; whether there is any."""
        found = False
        for one, offset in placed:
            name, (partition, _) = one.letter.event["current"]["topic"], place_of(one)
            entity = entity_of(name, one.key, one.value)
            if entity is None or offset <= one.end:
                continue
            between = read_ranges(self._settings.kafka, name, {partition: (one.end, offset)}, STALL, uncommitted=True)
            for record in between:  # also what is not committed yet: it will be
                if record.key() != one.key or same(record, one):
                    continue
                if entity_of(name, one.key, record.value()) == entity:
                    one.way = Refusal("a newer record came in while it was sent back", SUPERSEDED)
                    found = True
        return found
