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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import KafkaException, Message

from consumers import dead_letters
from consumers.core.letter_queue import Decision, Letter
from consumers.core.reentry import (
    DELIVERIES,
    NOT_COPIED,
    SUPERSEDED,
    Refusal,
    Way,
    decision_event,
    entity_of,
    hint_for,
    way_of,
)
from consumers.letter_post import post
from infra.dead_letters import COPY_HEADERS, copy_headers, is_copy_of
from infra.errors import Transient
from infra.kafka.clients import transactional_producer
from infra.kafka.failures import of_client, refusal
from infra.kafka.names import DESK
from infra.kafka.reader import STALL, end_offsets, read_ranges
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings, Settings
from schemas.events import Headers

TRANSACTION = 60.0
AT_ONCE = 100
"""Letters that share a transaction."""


@dataclass(slots=True)
class Plan:
    """What is to be done with a letter: its way back with the bytes that go it, or why there is none."""

    letter: Letter
    way: Way | Refusal
    key: bytes | None = None
    value: bytes | None = None
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    end: int = 0
    """Where the record's partition ended when the order was looked at."""


def plan(settings: KafkaSettings, meant: Sequence[Letter], edited: bytes | None = None) -> list[Plan]:
    """How each of these letters would go back, in their order; reads the topics, and changes nothing. `edited` replaces the bytes."""
    plans = [Plan(letter, way_of(letter)) for letter in meant]
    by_topic: dict[str, list[Plan]] = {}
    for one in plans:
        if one.way is Way.RECORD:
            by_topic.setdefault(one.letter.event["current"]["topic"], []).append(one)
        elif one.way is Way.POST:
            one.value = one.letter.event["current"]["value"] if edited is None else edited
    for topic_name, several in by_topic.items():
        _look(settings, topic_name, several, edited)
    if edited is not None:
        for one in plans:
            if one.way is Way.HINT:
                one.way = Refusal("it is read again from Odoo", "mend the record in Odoo, then retry the letter")
    return plans


def _look(settings: KafkaSettings, topic_name: str, plans: list[Plan], edited: bytes | None) -> None:
    """Read what stands on the topic from the first of these letters on, and fill the plans in."""
    spans: dict[int, tuple[int, int]] = {}
    for one in plans:
        partition, offset = _place(one)
        first, last = spans.get(partition, (offset, offset + 1))
        spans[partition] = min(first, offset), max(last, offset + 1)
    ends = end_offsets(settings, topic_name, spans)
    places = {_place(one): one for one in plans}
    originals: dict[tuple[int, int], Message] = {}
    within = {p: (max(ends[p][0], first), min(ends[p][1], last)) for p, (first, last) in spans.items()}
    for record in read_ranges(settings, topic_name, within, STALL):
        place = record.partition() or 0, record.offset() or 0
        if place in places:
            originals[place] = record
    for one in plans:
        one.end = ends[_place(one)[0]][1]
        _fill(one, originals.get(_place(one)), edited)
    _refuse_superseded(settings, topic_name, [one for one in plans if one.way is Way.RECORD])


def _place(one: Plan) -> tuple[int, int]:
    current = one.letter.event["current"]
    return current["partition"], current["offset"]


def _fill(one: Plan, original: Message | None, edited: bytes | None) -> None:
    """Give a plan the key, the bytes and the headers that are to go back."""
    current = one.letter.event["current"]
    held = current["value"]
    if original is not None:
        one.key, one.value, one.headers = original.key(), original.value(), _pairs(original.headers())
    elif held is not None and len(held) == current["value_size"]:
        one.key, one.value, one.headers = current["key"], held, _pairs(current["headers"])
    elif edited is None:
        one.way = Refusal("its record is gone from its topic, and the letter does not hold it", SUPERSEDED)
    else:
        one.key = current["key"]
    if edited is not None:
        one.value, one.headers = edited, []


def _refuse_superseded(settings: KafkaSettings, topic_name: str, plans: list[Plan]) -> None:
    """Refuse the letters behind whose record a later one of the same entity stands."""
    wanted = {(_place(one)[0], entity_of(topic_name, one.key, one.value)): one for one in plans}
    wanted = {place: one for place, one in wanted.items() if place[1] is not None}
    keys = {one.key for one in wanted.values()}
    ranges: dict[int, tuple[int, int]] = {}
    for one in plans:
        partition, offset = _place(one)
        ranges[partition] = min(offset + 1, ranges.get(partition, (offset + 1, 0))[0]), one.end
    later: dict[tuple[int, object], list[Message]] = {}
    for record in read_ranges(settings, topic_name, ranges if wanted else {}, STALL):
        if record.key() in keys:
            place = record.partition() or 0, entity_of(topic_name, record.key(), record.value())
            later.setdefault(place, []).append(record)
    for one in plans:
        partition, offset = _place(one)
        entity = entity_of(topic_name, one.key, one.value)
        newer = [
            record.offset()
            for record in later.get((partition, entity), ())
            if (record.offset() or 0) > offset and not is_copy_of(record.headers(), one.letter.identity)
        ]
        if entity is not None and newer:
            what = f"a newer record of {(one.key or b'').decode('utf-8', 'replace')} stands at offset {newer[-1]}"
            one.way = Refusal(what, SUPERSEDED)


def _pairs(headers: Any) -> list[tuple[str, bytes]]:
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    return [(name, content.encode() if isinstance(content, str) else content or b"") for name, content in pairs]


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
                elif one.way is Way.RECORD:
                    self._copy(one, placed)
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

        def delivered(error: Any, record: Message) -> None:
            if error is None:
                placed.append((one, record.offset() or 0))

        self._producer.produce(
            current["topic"], one.value, one.key, current["partition"], on_delivery=delivered, headers=headers
        )

    def _overtaken(self, placed: list[tuple[Plan, int]]) -> bool:
        """Refuse the plans between whose look and whose copy a record of the same entity came in; whether there is any."""
        found = False
        for one, offset in placed:
            name, (partition, _) = one.letter.event["current"]["topic"], _place(one)
            entity = entity_of(name, one.key, one.value)
            if entity is None or offset <= one.end:
                continue
            between = read_ranges(self._settings.kafka, name, {partition: (one.end, offset)}, STALL, uncommitted=True)
            for record in between:  # also what is not committed yet: it will be
                ours = is_copy_of(record.headers(), one.letter.identity)
                if record.key() == one.key and not ours and entity_of(name, one.key, record.value()) == entity:
                    one.way = Refusal("a newer record came in while it was sent back", SUPERSEDED)
                    found = True
        return found
