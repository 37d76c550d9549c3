"""Who may do what on a cluster, derived from the registry of topics: roles, their rights, and the ACLs of who plays them. Pure.

Rules
- A role writes the topics that name it as publisher and reads those that name it as subscriber; what it needs beside topics
  (groups, transactional ids, administration) stands in `roles`, by the names the programs use.
- Least privilege: what implies another right stands alone (reading and writing imply describing), and nobody has a right to all topics.
- Idempotent writing needs no right of its own: since Kafka 3.0 the right to write any topic is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from infra.errors import Fatal
from infra.kafka.names import (
    CAPTURE_TRANSACTIONS,
    CARRY_OVER,
    CLOCK_TRANSACTIONS,
    DESK,
    GOVERNOR,
    SCRATCH_GROUPS,
    TRAIL,
    WATCH,
    duties_group,
    worker_transactions,
)
from infra.settings import AccessSettings, Settings
from schemas.privacy import erasable
from schemas.rekeyed import REKEYED, Rekeyed
from schemas.successions import SUCCESSIONS, Succession
from schemas.topics import CLEARED, DATA_TEAMS, Topic

CLUSTER_NAME = "kafka-cluster"
MIGRATION, STEWARD = "migration", "steward"
RETRIED = frozenset({"capture", "streams", "actions"})
"""The roles whose inputs may be tried again."""
OURS = "User:burnline-"
"""What the names of principals begin with unless settings say otherwise."""


class Resource(StrEnum):
    """What a right is about."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONS = "transactional-id"
    CLUSTER = "cluster"


class Operation(StrEnum):
    """What a right allows, in Kafka's words."""

    ALL = "all"
    READ = "read"
    WRITE = "write"
    CREATE = "create"
    DELETE = "delete"
    ALTER = "alter"
    DESCRIBE = "describe"
    CLUSTER_ACTION = "cluster-action"
    DESCRIBE_CONFIGS = "describe-configs"
    ALTER_CONFIGS = "alter-configs"
    IDEMPOTENT_WRITE = "idempotent-write"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One operation on one resource, or with `prefixed` on all whose names begin so."""

    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False

    def __str__(self) -> str:
        """In words."""
        return f"{self.operation} {self.resource} {self.name}{'*' if self.prefixed else ''}"


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One entry of the broker's list: a principal, calling from a host, is given a right, or denied it."""

    principal: str
    right: Right
    host: str = "*"
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """A part somebody plays: what it is, and the rights it has beside those on topics it publishes or subscribes to."""

    purpose: str
    rights: tuple[Right, ...] = ()


def roles(settings: Settings, domains: Iterable[str]) -> dict[str, Role]:
    """Every role; `domains` are what the names of our topics begin with."""
    streams, actions = settings.streams.group, settings.actions.group
    own = [_prefix(Resource.TOPIC, domain, operation) for domain in sorted(domains) for operation in _ADMINISTRATION]
    seen = [_prefix(Resource.TOPIC, domain, operation) for domain in sorted(domains) for operation in _LOOKING]
    return {
        "capture": Role(
            "`burnline capture`: publishes what changes in Odoo",
            (_prefix(Resource.TRANSACTIONS, CAPTURE_TRANSACTIONS, Operation.WRITE), *_log(settings)),
        ),
        "webhooks": Role("`burnline webhooks`: publishes what others send"),
        "streams": Role(
            "`burnline streams`: keeps the measures",
            (
                Right(Resource.GROUP, streams, Operation.READ),
                _prefix(Resource.TRANSACTIONS, worker_transactions(streams, ""), Operation.WRITE),
            ),
        ),
        "clock": Role(
            "`burnline clock`: publishes time",
            (
                Right(Resource.GROUP, CLOCK_TRANSACTIONS, Operation.READ),
                Right(Resource.TRANSACTIONS, CLOCK_TRANSACTIONS, Operation.WRITE),
            ),
        ),
        "actions": Role(
            "`burnline actions`: acts on alerts and duties",
            tuple(Right(Resource.GROUP, group, Operation.READ) for group in (actions, duties_group(actions))),
        ),
        "governor": Role(
            "`burnline governor`: whose turn it is about an alert, and what must wait",
            (Right(Resource.GROUP, GOVERNOR, Operation.READ), Right(Resource.TRANSACTIONS, GOVERNOR, Operation.WRITE)),
        ),
        "assist": Role("`burnline assist`: proposes, and can do nothing else"),
        "letters": Role(
            "`burnline dlq watch`: tells of dead letters",
            (Right(Resource.TRANSACTIONS, WATCH, Operation.WRITE),),
        ),
        "trail": Role(
            "`burnline trail keep`: keeps the audit trail",
            (Right(Resource.GROUP, TRAIL, Operation.READ), Right(Resource.TRANSACTIONS, TRAIL, Operation.WRITE)),
        ),
        MIGRATION: Role(
            "`burnline topics carry-over`: tells the history of deprecated topics on those that replace them, and of topics whose keys changed under today's",
            (
                _prefix(Resource.GROUP, CARRY_OVER, Operation.READ),
                _prefix(Resource.TRANSACTIONS, CARRY_OVER, Operation.WRITE),
            ),
        ),
        DATA_TEAMS: Role("data teams and services that subscribe; no topics about people", (_own_groups(DATA_TEAMS),)),
        CLEARED: Role("those of them cleared for topics about people", (_own_groups(CLEARED),)),
        "operator": Role(
            "who watches and steps in: `lag`, `dlq`, `doctor`, `override`, `worklist`",
            (
                *seen,
                *(
                    Right(Resource.GROUP, group, Operation.DESCRIBE)
                    for group in (streams, actions, duties_group(actions))
                ),
                *(_prefix(Resource.GROUP, f"{team}.", Operation.DESCRIBE) for team in (DATA_TEAMS, CLEARED)),
            ),
        ),
        STEWARD: Role(
            "who erases people and works on dead letters: `privacy erase`, `dlq retry`; a person, for as long as it takes",
            (
                *(_prefix(Resource.TOPIC, one, Operation.DESCRIBE_CONFIGS) for one in sorted(domains)),
                *(_prefix(Resource.TOPIC, one, Operation.ALTER_CONFIGS) for one in sorted(domains)),
                Right(Resource.GROUP, streams, Operation.DESCRIBE),
                Right(Resource.TRANSACTIONS, DESK, Operation.WRITE),
            ),
        ),
        "admin": Role(
            "who runs `topics plan` and `topics apply`",
            (*own, Right(Resource.CLUSTER, CLUSTER_NAME, Operation.ALTER)),
        ),
    }


_ADMINISTRATION = (Operation.CREATE, Operation.ALTER, Operation.ALTER_CONFIGS, Operation.DELETE)
_LOOKING = (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
_WHY = {
    Resource.TOPIC: "looks after it",
    Resource.GROUP: "its group, or one it watches",
    Resource.TRANSACTIONS: "its transactions",
    Resource.CLUSTER: "gives and takes rights",
}


def _log(settings: Settings) -> tuple[Right, ...]:
    """The right to follow the log of Odoo's database, whose topic is its connector's."""
    topic = settings.capture.log_topic
    return () if topic is None else (Right(Resource.TOPIC, topic, Operation.READ),)


def _prefix(resource: Resource, name: str, operation: Operation) -> Right:
    return Right(resource, name, operation, prefixed=True)


def _own_groups(team: str) -> Right:
    return _prefix(Resource.GROUP, f"{team}.", Operation.READ)


def domain(topic: str) -> str:
    """What the names of a topic's neighbours begin with: `finance.` of `finance.invoice.v1`."""
    return topic.rsplit(".", 2)[0] + "."


def rights(
    declared: Iterable[Topic],
    settings: Settings,
    successions: Iterable[Succession | Rekeyed] = (*SUCCESSIONS, *REKEYED),
) -> dict[str, dict[Right, str]]:
    """The rights of every role, each with its reason. Raises `Fatal` for a topic that names a role there is none of."""
    topics = list(declared)
    known = roles(settings, {domain(topic.name) for topic in topics})
    found: dict[str, dict[Right, str]] = {name: {} for name in known}
    for topic in topics:
        for publisher in topic.publishers:
            _of(found, publisher, topic)[Right(Resource.TOPIC, topic.name, Operation.WRITE)] = "publishes it"
        for reader in topic.readers:
            _of(found, reader, topic)[Right(Resource.TOPIC, topic.name, Operation.READ)] = "subscribes to it"
        found[STEWARD][Right(Resource.TOPIC, topic.name, Operation.READ)] = "proves that nobody is left"
        if erasable(topic.name):
            found[STEWARD][Right(Resource.TOPIC, topic.name, Operation.WRITE)] = "tombstones"
        elif RETRIED & {*topic.subscribers} and not topic.name.startswith("ops.clock."):
            found[STEWARD][Right(Resource.TOPIC, topic.name, Operation.WRITE)] = "what is tried again"
        elif topic.name == "ops.dead-letter.v1":
            found[STEWARD][Right(Resource.TOPIC, topic.name, Operation.WRITE)] = "what was decided"
    for succession in successions:
        found[MIGRATION] |= {
            Right(Resource.TOPIC, succession.old.name, Operation.READ): "is carried over",
            Right(Resource.TOPIC, succession.new.name, Operation.WRITE): "is carried over to",
        }
    for name, role in known.items():
        if any(right.operation is Operation.READ and right.resource is Resource.TOPIC for right in found[name]):
            found[name][_prefix(Resource.GROUP, SCRATCH_GROUPS, Operation.DESCRIBE)] = "reads without committing"
        found[name] |= {right: _WHY[right.resource] for right in role.rights}
    return found


def _of(found: dict[str, dict[Right, str]], role: str, topic: Topic) -> dict[Right, str]:
    try:
        return found[role]
    except KeyError:
        raise Fatal(
            f"{topic.name} names the role {role}, which there is none of",
            remedy=f"name one of {', '.join(found)}, or describe the role in infra/kafka/access.py",
        ) from None


def players(settings: AccessSettings, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The principals that play each of these roles. Raises `Fatal` for a setting about a role there is none of."""
    known = list(names)
    for role in settings.principals:
        if role not in known:
            raise Fatal(
                f"BURNLINE_ACCESS__PRINCIPALS names the role {role}, which there is none of",
                remedy=f"the roles are {', '.join(known)}",
            )
    return {role: settings.principals.get(role, (f"{OURS}{role}",)) for role in known}


def wanted(declared: Iterable[Topic], settings: Settings) -> dict[Acl, str]:
    """Every ACL there should be, each with its reason: the roles of its principal, and why they need it."""
    given = rights(declared, settings)
    found: dict[Acl, list[str]] = {}
    for role, principals in players(settings.access, given).items():
        for principal in principals:
            for right, why in given[role].items():
                found.setdefault(Acl(principal, right), []).append(f"{role}: {why}")
    return {acl: "; ".join(why) for acl, why in found.items()}


def is_ours(principal: str, playing: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a principal's rights are for the registry to decide: it plays a role, or is named as if it did."""
    return principal.startswith(OURS) or any(principal in principals for principals in playing.values())
