"""The difference between what is declared and what a cluster has, as a list of changes, each with its danger and reason. Pure.

Rules
- What loses records, moves keys to other partitions, or takes away what somebody set by hand is refused unless a person has allowed it,
  topic by topic; the reason says what would happen and which option allows it.
- What Kafka cannot do, or what would stop all writing, is refused always.
- A plan that was carried out leaves no change but refused ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from infra.kafka.access import Acl, is_ours
from infra.kafka.losses import COPIES, LOWER_LOSES, POLICY, loss_of, same
from schemas.rekeyed import REKEYED
from schemas.topics import Topic


class Kind(StrEnum):
    """What a change does."""

    CREATE = "create"
    ALTER = "alter"
    RESET = "reset"
    GROW = "grow"
    RECREATE = "recreate"
    MOVE = "move"
    DELETE = "delete"
    GRANT = "grant"
    REVOKE = "revoke"


class Danger(StrEnum):
    """Why a person must allow a change; `IMPOSSIBLE` nobody can."""

    NONE = "none"
    DATA_LOSS = "data-loss"
    DELETION = "deletion"
    REPARTITION = "repartition"
    UNDECLARED = "undeclared"
    IMPOSSIBLE = "impossible"


class Allowance(NamedTuple):
    """What a person allows: topics that may lose records, that may be deleted, whose keys may move; and to remove what nobody declared."""

    data_loss: frozenset[str] = frozenset()
    deletion: frozenset[str] = frozenset()
    repartition: frozenset[str] = frozenset()
    prune: bool = False


NOTHING = Allowance()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `item` of `what` (a topic, or a principal) is `before` and should be `after`. Carried out unless `refused`.

    `item` is empty for a whole topic, else `partitions`, `replicas`, a setting's name, or the right of `acl` in words.
    """

    kind: Kind
    what: str
    item: str
    before: str
    after: str
    reason: str
    danger: Danger = Danger.NONE
    refused: bool = False
    acl: Acl | None = None

    def __str__(self) -> str:
        """The change as a line of a diff."""
        item = f" {self.item}" if self.item else ""
        return f"{self.sign} {self.what}{item}: {self.before} -> {self.after} ({self.reason})"

    @property
    def sign(self) -> str:
        """What a diff shows in its margin."""
        return "!" if self.refused else _SIGNS.get(self.kind, "~")


_SIGNS = {Kind.CREATE: "+", Kind.GRANT: "+", Kind.DELETE: "-", Kind.REVOKE: "-"}
CARRY_FIRST = "first run `burnline topics carry-over`, which gives older records the keys they have today; then "
ABSENT, UNSET, DEFAULT = "absent", "unset", "the broker's default"


class TopicState(NamedTuple):
    """A topic as the cluster has it: every setting in force, and which of them were set on the topic itself."""

    partitions: int
    replicas: int
    config: Mapping[str, str | None]
    set_here: frozenset[str] = frozenset()


def settings_of(topic: Topic, replicas: int) -> dict[str, str]:
    """The settings a topic should have when it has so many copies: all but one of them must have a record that is acknowledged."""
    return {COPIES: str(max(1, replicas - 1)), **topic.config}


def topic_changes(
    declared: Iterable[Topic],
    found: Mapping[str, TopicState],
    *,
    replicas: int,
    allow: Allowance = NOTHING,
    domains: Collection[str] = (),
) -> list[Change]:
    """What to change so that these topics are as declared, in their order; then the topics of our `domains` that nobody declared."""
    changes: list[Change] = []
    names = set()
    for topic in declared:
        names.add(topic.name)
        there = found.get(topic.name)
        changes += [_created(topic, replicas)] if there is None else _differences(topic, there, replicas, allow)
    undeclared = [name for name in sorted(found.keys() - names) if name.startswith(tuple(domains))]
    return changes + [_undeclared(name, found[name], allow) for name in undeclared]


def _created(topic: Topic, replicas: int) -> Change:
    settled = ", ".join(f"{key}={value}" for key, value in settings_of(topic, replicas).items())
    after = f"{_counted(topic.partitions, 'partition')}, {_counted(replicas, 'copy')}, {settled}"
    return Change(Kind.CREATE, topic.name, "", ABSENT, after, "declared, and not there yet")


def _undeclared(name: str, there: TopicState, allow: Allowance) -> Change:
    why = f"nobody declares it; --allow-deletion {name} deletes it with all its records"
    refused = name not in allow.deletion
    return Change(Kind.DELETE, name, "", _counted(there.partitions, "partition"), ABSENT, why, Danger.DELETION, refused)


def _differences(topic: Topic, there: TopicState, replicas: int, allow: Allowance) -> list[Change]:
    """What a topic that exists has otherwise than declared. One that is made anew has no other difference."""
    partitions = list(_partitions(topic, there, allow))
    if any(change.kind is Kind.RECREATE and not change.refused for change in partitions):
        return partitions
    wanted = settings_of(topic, replicas)
    changes = partitions + list(_replicas(topic.name, there, replicas))
    for setting, value in wanted.items():
        if not same(setting, there.config.get(setting), value):
            changes.append(_setting(topic.name, setting, value, there, allow))
    for setting in sorted(there.set_here - wanted.keys()):
        changes.append(_by_hand(topic.name, setting, there.config.get(setting) or "", allow))
    return changes


def _partitions(topic: Topic, there: TopicState, allow: Allowance) -> Iterator[Change]:
    name, before, after = topic.name, str(there.partitions), str(topic.partitions)
    if there.partitions > topic.partitions:
        why = f"Kafka takes no partitions away; --allow-deletion {name} deletes the topic with all its records and makes it anew"
        refused = name not in allow.deletion
        yield Change(Kind.RECREATE, name, "partitions", before, after, why, Danger.DELETION, refused)
    if there.partitions < topic.partitions:
        why = f"keys would move away from their earlier records and their state; --allow-repartition {name} adds partitions"
        refused = name not in allow.repartition
        yield Change(Kind.GROW, name, "partitions", before, after, why, Danger.REPARTITION, refused)


def _replicas(name: str, there: TopicState, replicas: int) -> Iterator[Change]:
    if there.replicas != replicas:
        setting = f"BURNLINE_KAFKA__REPLICATION_FACTOR={there.replicas}"
        why = f"copies are moved with kafka-reassign-partitions, not from here; or set {setting}"
        before, after = str(there.replicas), str(replicas)
        yield Change(Kind.MOVE, name, "replicas", before, after, why, Danger.IMPOSSIBLE, refused=True)


def _setting(name: str, setting: str, after: str, there: TopicState, allow: Allowance) -> Change:
    found = there.config.get(setting)
    before = found or UNSET
    if setting == COPIES and int(after) > there.replicas:
        why = f"with {_counted(there.replicas, 'copy')} of each partition nothing could be written any more: first more copies"
        return Change(Kind.ALTER, name, setting, before, after, why, Danger.IMPOSSIBLE, refused=True)
    loss = loss_of(setting, found, after)
    if loss:
        first = CARRY_FIRST if setting == POLICY and any(name == one.topic.name for one in REKEYED) else ""
        why = f"{loss}; {first}--allow-data-loss {name} does it"
        return Change(Kind.ALTER, name, setting, before, after, why, Danger.DATA_LOSS, name not in allow.data_loss)
    return Change(Kind.ALTER, name, setting, before, after, "as declared; nothing is lost")


def _by_hand(name: str, setting: str, before: str, allow: Allowance) -> Change:
    """A setting that somebody made on the topic itself and nobody declared. The broker's default is not known here."""
    loss = LOWER_LOSES.get(setting)
    if loss is None:
        why = "set by hand, nobody declares it; --prune takes it away"
        return Change(Kind.RESET, name, setting, before, DEFAULT, why, Danger.UNDECLARED, not allow.prune)
    why = (
        f"set by hand, nobody declares it; where the default is lower, {loss}; "
        f"--prune with --allow-data-loss {name} takes it away"
    )
    refused = not (allow.prune and name in allow.data_loss)
    return Change(Kind.RESET, name, setting, before, DEFAULT, why, Danger.DATA_LOSS, refused)


def acl_changes(
    wanted: Mapping[Acl, str],
    found: Collection[Acl],
    playing: Mapping[str, tuple[str, ...]],
    *,
    allow: Allowance = NOTHING,
) -> list[Change]:
    """Rights to give, then rights our principals have beyond what is wanted. Nobody else's rights are looked at."""
    there = set(found)
    grants = [
        Change(Kind.GRANT, acl.principal, str(acl.right), ABSENT, "allowed", why, acl=acl)
        for acl, why in sorted(wanted.items())
        if acl not in there
    ]
    stale = sorted(acl for acl in there - wanted.keys() if is_ours(acl.principal, playing))
    return grants + [_stale(acl, allow) for acl in stale]


def _stale(acl: Acl, allow: Allowance) -> Change:
    before = ("denied" if acl.denied else "allowed") + ("" if acl.host == "*" else f" from {acl.host}")
    why = "no role of this principal has it; --prune takes it away"
    return Change(
        Kind.REVOKE, acl.principal, str(acl.right), before, ABSENT, why, Danger.UNDECLARED, not allow.prune, acl
    )


def _counted(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
