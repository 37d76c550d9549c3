"""How letters would go back: each one's way, the bytes that go it, and whether something newer stands in its place. Read only.

The desk carries a plan out, and looks at the order once more: see `consumers.dead_letters_desk`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Message

from consumers.core.action_events import ACTIONS
from consumers.core.again import why_not_again
from consumers.core.letter_queue import Letter
from consumers.core.letters import is_about
from consumers.core.policy import Policy
from consumers.core.reentry import SUPERSEDED, Refusal, Way, entity_of, way_of
from infra.dead_letters import is_copy_of
from infra.errors import PoisonMessage
from infra.kafka.reader import STALL, end_offsets, read_ranges, read_to_end
from infra.kafka.unread import logged, unread
from infra.settings import KafkaSettings
from schemas import contents
from schemas.records import ActionEvent

COPIED = frozenset({Way.RECORD, Way.ACTION})
"""The ways of which a copy of the record is a part."""


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
    action: ActionEvent | None = None
    """The last event of the action that the letter is about."""


def plan(settings: KafkaSettings, meant: Sequence[Letter], policy: Policy, edited: bytes | None = None) -> list[Plan]:
    """How each of these letters would go back, in their order; reads the topics, and changes nothing. `edited` replaces the bytes.

    Actions are asked for anew if `policy` has them.
    """
    plans = [Plan(letter, way_of(letter)) for letter in meant]
    _look_at_actions(settings, policy, [one for one in plans if one.way is Way.ACTION])
    by_topic: dict[str, list[Plan]] = {}
    for one in plans:
        if one.way in COPIED:
            by_topic.setdefault(one.letter.event["current"]["topic"], []).append(one)
        elif one.way is Way.POST:
            one.value = one.letter.event["current"]["value"] if edited is None else edited
    for topic_name, several in by_topic.items():
        _look(settings, topic_name, several, edited)
    if edited is not None:
        for one in plans:
            if one.way is Way.HINT:
                one.way = Refusal("it is read again from Odoo", "mend the record in Odoo, then retry the letter")
            elif one.way is Way.ACTION:
                one.way = Refusal(
                    "it is an action, and its alert is as it is", "retry the letter, or carry it out by hand"
                )
    return plans


def _look_at_actions(settings: KafkaSettings, policy: Policy, plans: list[Plan]) -> None:
    """Give each of these plans the last event of its action; refuse those that must not be asked for anew.

    A letter of an older release does not say which action it is about: it is looked for among those about the same alert.
    """
    wanted = {action_id: one for one in plans if (action_id := one.letter.event["current"]["action_id"])}
    unnamed: dict[str | None, list[Plan]] = {}
    for one in plans:
        if one.letter.event["current"]["action_id"] is None:
            unnamed.setdefault(one.letter.event["meta"]["causation_id"], []).append(one)
    decided: set[str] = set()
    for event in _actions(settings) if plans else ():
        identity, status = event["current"]["action_id"], event["current"]["status"]
        if status == "overridden":
            decided.add(identity)
        if status in {"overridden", "override_requested"}:
            continue
        for one in unnamed.get(event["meta"]["causation_id"], ()):
            if is_about(one.letter.event, event):
                wanted[identity] = one
        if identity in wanted:
            wanted[identity].action = event
    for one in plans:
        known = None if one.action is None else one.action["current"]["action_id"]
        named = known or one.letter.event["current"]["action_id"]
        one.way = why_not_again(one.action, policy, decided=named in decided) or one.way


def _actions(settings: KafkaSettings) -> Iterator[ActionEvent]:
    for record in read_to_end(settings, ACTIONS.name):
        if record.value() is None:
            continue
        try:
            yield contents.read("governance.action.v1", record.value() or b"")
        except PoisonMessage as error:
            logged(unread(record, error))


def _look(settings: KafkaSettings, topic_name: str, plans: list[Plan], edited: bytes | None) -> None:
    """Read what stands on the topic from the first of these letters on, and fill the plans in."""
    spans: dict[int, tuple[int, int]] = {}
    for one in plans:
        partition, offset = place_of(one)
        first, last = spans.get(partition, (offset, offset + 1))
        spans[partition] = min(first, offset), max(last, offset + 1)
    ends = end_offsets(settings, topic_name, spans)
    places = {place_of(one): one for one in plans}
    originals: dict[tuple[int, int], Message] = {}
    within = {p: (max(ends[p][0], first), min(ends[p][1], last)) for p, (first, last) in spans.items()}
    for record in read_ranges(settings, topic_name, within, STALL):
        place = record.partition() or 0, record.offset() or 0
        if place in places:
            originals[place] = record
    for one in plans:
        one.end = ends[place_of(one)[0]][1]
        _fill(one, originals.get(place_of(one)), edited)
    _refuse_superseded(settings, topic_name, [one for one in plans if one.way in COPIED])


def place_of(one: Plan) -> tuple[int, int]:
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
    wanted = {(place_of(one)[0], entity_of(topic_name, one.key, one.value)): one for one in plans}
    wanted = {place: one for place, one in wanted.items() if place[1] is not None}
    keys = {one.key for one in wanted.values()}
    ranges: dict[int, tuple[int, int]] = {}
    for one in plans:
        partition, offset = place_of(one)
        ranges[partition] = min(offset + 1, ranges.get(partition, (offset + 1, 0))[0]), one.end
    later: dict[tuple[int, object], list[Message]] = {}
    for record in read_ranges(settings, topic_name, ranges if wanted else {}, STALL):
        if record.key() in keys:
            place = record.partition() or 0, entity_of(topic_name, record.key(), record.value())
            later.setdefault(place, []).append(record)
    for one in plans:
        partition, offset = place_of(one)
        entity = entity_of(topic_name, one.key, one.value)
        newer = [
            record.offset()
            for record in later.get((partition, entity), ())
            if (record.offset() or 0) > offset and not same(record, one)
        ]
        if entity is not None and newer:
            what = f"a newer record of {(one.key or b'').decode('utf-8', 'replace')} stands at offset {newer[-1]}"
            one.way = Refusal(what, SUPERSEDED)


def same(record: Message, one: Plan) -> bool:
    """Whether a record says nothing newer: it is a copy sent back for the same letter, or for another about the same record."""
    return is_copy_of(record.headers(), one.letter.identity) or record.value() == one.value


def _pairs(headers: Any) -> list[tuple[str, bytes]]:
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    return [(name, content.encode() if isinstance(content, str) else content or b"") for name, content in pairs]
