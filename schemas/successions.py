"""What follows what: for each topic whose new major has replaced it, how an event of the one is told as an event of the other.

Rules
- Producers write the newest major only. Whoever writes asks `older_editions`, and publishes those too, in the same transaction where it
  has one: so the subscribers of a deprecated topic see every event once, until it is taken out of the catalogue.
- The history of the old topic comes to the new one by `upcast` (`burnline topics carry-over`).
- Both are pure, and made so that one change has one id on each topic, whichever way it came there (`retold`).
- Records of a major from the second on live in a namespace of their own: `burnline.delivery.v2.TimesheetEvent`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.events import event_id
from schemas.records import Meta
from schemas.topics import Topic

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Succession:
    """A deprecated topic, the topic that replaces it, and the two ways between their events."""

    old: Topic
    new: Topic
    upcast: Callable[[Event], Event]
    downcast: Callable[[Event], Event]


SUCCESSIONS: tuple[Succession, ...] = ()
"""None yet: every topic is in its first major."""


def older_editions(topic: Topic, event: Event) -> Iterator[tuple[Topic, Event]]:
    """The same event for the subscribers of each topic that this one replaces, the youngest first."""
    for succession in SUCCESSIONS:
        if succession.new.name == topic.name:
            older = succession.downcast(event)
            yield succession.old, older
            yield from older_editions(succession.old, older)


def retold(meta: Meta, topic: Topic) -> Meta:
    """The meta of an event as it is on another major of its topic: its type and id are that topic's, all else stays.

    For ids made by `schemas.events.meta`. What it follows from and what belongs to it keep the ids they had.
    """
    kind = topic.event_type(meta["event_type"].rsplit(".", 2)[1])
    identity = event_id(meta["source"], meta["subject"], meta["version"], kind)
    return {**meta, "event_type": kind, "event_id": identity}
