"""The queue of dead letters: what became of each, folded from the letters and the decisions on their topic. Pure.

A letter is known by its own id, which a record that was tried again keeps when it fails once more. Rules
- The latest decision counts: parked, retried, discarded.
- A failure that was told before reopens nothing: only a later one parks a decided letter again.
- Folding the same events twice changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from schemas.records import DeadLetterEvent

DECIDED = frozenset({"retried", "discarded"})


class Decision(NamedTuple):
    """What somebody decided of a letter."""

    status: str
    at: datetime
    by: str | None
    note: str | None


@dataclass(slots=True)
class Letter:
    """One letter as it stands: the event that parked it last, and what was decided."""

    identity: str
    event: DeadLetterEvent
    decisions: list[Decision] = field(default_factory=list)
    open: bool = True

    @property
    def status(self) -> str:
        """Where it stands."""
        return "parked" if self.open else self.decisions[-1].status


def identity_of(event: DeadLetterEvent) -> str:
    """The id of the letter that an event is about."""
    return event["current"]["letter_id"] or event["meta"]["event_id"]


class Queue:
    """Letters by id."""

    def __init__(self, events: Iterable[DeadLetterEvent] = ()) -> None:
        """Begin with what these events say, in their order."""
        self.letters: dict[str, Letter] = {}
        for event in events:
            self.fold(event)

    def fold(self, event: DeadLetterEvent) -> None:
        """Take in one event. A decision on a letter that nobody parked is about one that has gone: it is passed over."""
        identity, current = identity_of(event), event["current"]
        letter = self.letters.get(identity)
        if current["status"] in DECIDED:
            decision = Decision(current["status"], event["meta"]["occurred_at"], current["decided_by"], current["note"])
            if letter is not None and decision not in letter.decisions:
                letter.decisions.append(decision)
                letter.open = False
            return
        if letter is None:
            self.letters[identity] = Letter(identity, event)
        elif current["last_failed_at"] > letter.event["current"]["last_failed_at"]:
            letter.event, letter.open = event, True


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant: all that is given must fit. No status means any."""

    status: str | None = "parked"
    topic: str | None = None
    owner: str | None = None
    stage: str | None = None
    reason: str | None = None
    key: str | None = None
    since: datetime | None = None
    identities: frozenset[str] = frozenset()

    def fits(self, letter: Letter) -> bool:
        """Whether a letter is meant."""
        current = letter.event["current"]
        wanted = (
            (self.status, letter.status),
            (self.topic, current["topic"]),
            (self.owner, current["owner"]),
            (self.stage, current["stage"]),
            (self.reason, current["reason"]),
            (self.key, letter.event["meta"]["subject"]),
        )
        if any(asked is not None and asked != found for asked, found in wanted):
            return False
        if self.since is not None and current["last_failed_at"] < self.since:
            return False
        return not self.identities or letter.identity in self.identities

    @property
    def narrow(self) -> bool:
        """Whether it names anything but a status."""
        return bool(self.identities) or any((self.topic, self.owner, self.stage, self.reason, self.key, self.since))


class Group(NamedTuple):
    """Letters that failed alike: whose they are, where they failed, and why."""

    owner: str
    business_process: str
    topic: str
    stage: str
    reason: str
    error_class: str


def group_of(event: DeadLetterEvent) -> Group:
    """What a letter has in common with others of its kind."""
    current = event["current"]
    return Group(*(current[name] for name in Group._fields))  # type: ignore[literal-required]  # its fields are the letter's


def groups(letters: Iterable[Letter]) -> list[tuple[Group, int]]:
    """How many letters failed alike, the most first."""
    return Counter(group_of(letter.event) for letter in letters).most_common()
