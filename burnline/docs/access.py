"""The page that tells who may do what on a cluster: roles, and topics with who writes and reads them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from infra.kafka.access import Operation, Resource, Right, Role, domain, rights, roles
from infra.settings import ActionSettings, Settings, StreamsSettings
from schemas.topics import TOPICS

HEAD = """# Who may do what

Generated from `schemas/topics` and `infra/kafka/access.py` by `make docs`: do not edit. How it comes to be so on a cluster, and how to change it, is
in [operate-topics.md](operate-topics.md).

A role is played by the principal `User:burnline-<role>` unless `BURNLINE_ACCESS__PRINCIPALS` says otherwise. A star ends a name that stands for all that begin
so. What another right implies is not listed: reading and writing a topic imply seeing it.
"""


AS_SHIPPED = Settings(streams=StreamsSettings(), actions=ActionSettings())
"""The settings as they are by default, whatever is set where the page is made."""


def every_role() -> dict[str, Role]:
    """Every role by its name."""
    return roles(AS_SHIPPED, {domain(name) for name in TOPICS})


def page() -> str:
    """The whole page."""
    given, known = rights(TOPICS.values(), AS_SHIPPED), every_role()
    described = [
        f"| `{name}` | {role.purpose} | {_beside(right for right in given[name] if _is_beside(right))} |"
        for name, role in known.items()
    ]
    topics = [
        f"| `{name}` | {topic.data_class} | {_who(given, name, Operation.WRITE)} | {_who(given, name, Operation.READ)} |"
        for name, topic in TOPICS.items()
    ]
    return "\n".join(
        [
            HEAD,
            "## Roles",
            "",
            "| role | who | rights beside those on single topics |",
            "|---|---|---|",
            *described,
            "",
            "## Topics",
            "",
            "| topic | class | written by | read by |",
            "|---|---|---|---|",
            *topics,
            "",
        ]
    )


def _is_beside(right: Right) -> bool:
    return right.prefixed or right.resource is not Resource.TOPIC


def _beside(owned: Iterable[Right]) -> str:
    found: dict[str, list[str]] = {}
    for right in sorted(owned):
        found.setdefault(f"{right.operation} {right.resource}", []).append(f"`{right.name}{'*' * right.prefixed}`")
    return "; ".join(f"{words} {' '.join(names)}" for words, names in found.items()) or "–"


def _who(given: dict[str, dict[Right, str]], topic: str, operation: Operation) -> str:
    right = Right(Resource.TOPIC, topic, operation)
    return ", ".join(role for role, owned in given.items() if right in owned) or "–"
