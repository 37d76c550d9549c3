"""Access as code: the ACLs that the registry's roles need, compared with those a cluster has, and made so.

Rules
- Only rights of our own principals are looked at; what they have beyond their roles is taken away only when asked for.
- Rights are given before any are taken away.
- A cluster without an authorizer lets everybody do everything: that is told, and there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from enum import Enum, auto
from typing import Any, TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the client's public names, exported without saying so
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from infra.errors import Fatal
from infra.kafka.access import Acl, Operation, Resource, Right, players, rights, wanted
from infra.kafka.changes import NOTHING, Allowance, Change, Kind, acl_changes
from infra.kafka.clients import admin, broker_answers
from infra.kafka.failures import Refused, cause_of, failure
from infra.kafka.settled import until_settled
from infra.kafka.states import TIMEOUT
from infra.settings import KafkaSettings, Settings
from schemas.topics import TOPICS, Topic

log = structlog.get_logger()
B = TypeVar("B", AclBinding, AclBindingFilter)
_RESOURCES = {
    Resource.TOPIC: ResourceType.TOPIC,
    Resource.GROUP: ResourceType.GROUP,
    Resource.TRANSACTIONS: ResourceType.TRANSACTIONAL_ID,
    Resource.CLUSTER: ResourceType.BROKER,  # the client's name for the protocol's number of the cluster
}
_NOBODY = "User:burnline.nobody"


class Sight(Enum):
    """What we may know of a cluster's ACLs."""

    NO_AUTHORIZER = auto()
    HIDDEN = auto()
    OPEN = auto()


def plan(
    settings: Settings, declared: Iterable[Topic] | None = None, *, allow: Allowance = NOTHING
) -> list[Change] | None:
    """The rights to give to who plays a role, and those to take away; None on a cluster without an authorizer.

    Raises `Fatal` where we may not ask, or where settings and registry name roles there are none of.
    """
    topics = list(TOPICS.values() if declared is None else declared)
    playing = players(settings.access, rights(topics, settings))
    should = wanted(topics, settings)
    match sight(settings.kafka):
        case Sight.NO_AUTHORIZER:
            return None
        case Sight.HIDDEN:
            raise Fatal(
                f"{settings.kafka.sasl_username or 'this user'} may not see the cluster's ACLs",
                remedy="run it as the administrator, or compare the topics alone with --no-acls",
            )
    return acl_changes(should, found(settings.kafka), playing, allow=allow)


def apply(settings: KafkaSettings, changes: Iterable[Change]) -> list[Change]:
    """Carry out what is not refused, and return it once the cluster shows it. Raises `Transient` or `Fatal`."""
    todo = [change for change in changes if not change.refused and change.acl is not None]
    if not todo:
        return []
    client = admin(settings)
    give = [change.acl for change in todo if change.acl and change.kind is Kind.GRANT]
    take = [change.acl for change in todo if change.acl and change.kind is Kind.REVOKE]
    _done(
        "giving rights:",
        client.create_acls([_entry(acl, AclBinding) for acl in give], request_timeout=TIMEOUT) if give else {},
    )
    _done(
        "taking rights:",
        client.delete_acls([_entry(acl, AclBindingFilter) for acl in take], request_timeout=TIMEOUT) if take else {},
    )

    def left() -> list[Change]:
        there = found(settings)
        return [change for change in todo if (change.acl in there) != (change.kind is Kind.GRANT)]

    until_settled(todo, left)
    for change in todo:
        log.debug("right_changed", principal=change.what, right=change.item, kind=change.kind)
    log.info("rights_changed", given=len(give), taken=len(take))
    return todo


def sight(settings: KafkaSettings) -> Sight:
    """Whether the cluster has an authorizer, and if so whether we may see its list. Raises `Transient` or `Fatal`.

    The client answers a question for ACLs with an empty list both where there is no authorizer and where we may not ask. To delete the
    rights of nobody, of which there are none, tells the first; what we may do with the cluster tells the second.
    """
    broker_answers(settings)
    client = admin(settings)
    nothing = AclBindingFilter(
        ResourceType.TOPIC,
        "burnline.nothing",
        ResourcePatternType.LITERAL,
        _NOBODY,
        "*",
        AclOperation.READ,
        AclPermissionType.ALLOW,
    )
    try:
        for future in client.delete_acls([nothing], request_timeout=TIMEOUT).values():
            future.result()
    except KafkaException as error:
        if cause_of(error).code() == KafkaError.SECURITY_DISABLED:
            return Sight.NO_AUTHORIZER
        told = failure("asking for the authorizer", error)
        if not isinstance(told, Refused):
            raise told from error
    try:
        cluster = client.describe_cluster(include_authorized_operations=True, request_timeout=TIMEOUT).result()
    except KafkaException as error:
        raise failure("asking what may be done with the cluster", error) from error
    return Sight.OPEN if AclOperation.DESCRIBE in (cluster.authorized_operations or ()) else Sight.HIDDEN


def found(settings: KafkaSettings) -> set[Acl]:
    """Every ACL on topics, groups, transactional ids and the cluster. Raises `Transient` or `Fatal`."""
    client = admin(settings)
    acls: set[Acl] = set()
    try:
        for resource, kind in _RESOURCES.items():
            anything = AclBindingFilter(
                kind,
                None,  # type: ignore[arg-type]  # any name, principal and host; the client's hints leave it out
                ResourcePatternType.ANY,
                None,  # type: ignore[arg-type]
                None,  # type: ignore[arg-type]
                AclOperation.ANY,
                AclPermissionType.ANY,
            )
            for one in client.describe_acls(anything, request_timeout=TIMEOUT).result():
                acls.add(_acl(resource, one))
    except KafkaException as error:
        raise failure("asking for the ACLs", error) from error
    return acls


def _entry(acl: Acl, kind: type[B]) -> B:
    """An ACL as the client has it: to make, or to find and delete exactly that one."""
    right = acl.right
    return kind(
        _RESOURCES[right.resource],
        right.name,
        ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL,
        acl.principal,
        acl.host,
        AclOperation[right.operation.name],
        AclPermissionType.DENY if acl.denied else AclPermissionType.ALLOW,
    )


def _acl(resource: Resource, entry: AclBinding) -> Acl:
    prefixed = entry.resource_pattern_type == ResourcePatternType.PREFIXED
    operation = Operation[AclOperation(entry.operation).name]
    right = Right(resource, entry.name, operation, prefixed)
    return Acl(entry.principal, right, entry.host, denied=entry.permission_type == AclPermissionType.DENY)


def _done(doing: str, asked: Mapping[Any, Future[Any]]) -> None:
    for entry, future in asked.items():
        try:
            future.result()
        except KafkaException as error:
            raise failure(f"{doing} {entry.principal} on {entry.name}", error) from error
