"""The chain from one change to its last effect: what caused what, as a tree. Pure.

Events belong together that share a correlation, or of which one names the other as its cause. Under its cause an event stands where the
cause is known, else under the first of its correlation; what no event of the chain caused is a root.

A person knows an action, a duty or an alert by an id of its own, which several events share: who asks for that means each of these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

NAMED = ("action_id", "alert_id", "duty_id", "freeze_id", "proposal_id", "letter_id")
"""What people call an event by, beside its own id: `worklist`, `show` and `dlq list` show these."""


@dataclass(frozen=True, slots=True)
class Node:
    """One event, as the trace shows it. `causes` are the events that it names, `names` the ids of what it is about."""

    event_id: str
    event_type: str
    subject: str
    recorded_at: datetime
    correlation_id: str
    causes: tuple[str, ...]
    topic: str
    partition: int
    offset: int
    what: str
    names: tuple[str, ...] = ()

    def is_called(self, identity: str) -> bool:
        """Whether a person who gives this id means this event."""
        return identity == self.event_id or identity in self.names


class Shown(NamedTuple):
    """A node in its place: how deep it stands."""

    depth: int
    node: Node


def causes_of(event: dict[str, Any]) -> tuple[str, ...]:
    """The ids of the events that an event names as what led to it, the nearest first."""
    current = event.get("current") or {}
    named = [event["meta"]["causation_id"], *reversed(current.get("caused_by") or ())]
    return tuple(dict.fromkeys(one for one in named if one))


def names_of(event: dict[str, Any]) -> tuple[str, ...]:
    """The ids of the action, alert, duty, freeze, proposal or letter that an event is about."""
    current = event.get("current") or {}
    return tuple(current[name] for name in NAMED if current.get(name))


def what_of(event: dict[str, Any]) -> str:
    """What an event says, in a few words."""
    current = event.get("current") or event.get("previous") or {}
    wanted = (
        "rule",
        "level",
        "policy",
        "target",
        "kind",
        "status",
        "attempt",
        "stage",
        "reason",
        "error",
        "detail",
        "note",
        "decided_by",
        "assignee",
        "reference",
    )
    return ", ".join(
        f"{name} {str(current[name])[:80]}"
        for name in wanted
        if current.get(name) not in {None, "", "unknown"} and not isinstance(current[name], (list, dict))
    )


def belongs(node: Node, ids: Collection[str], correlations: Collection[str]) -> bool:
    """Whether an event is part of a chain with these events and correlations."""
    return node.event_id in ids or node.correlation_id in correlations or any(cause in ids for cause in node.causes)


def tree(nodes: Iterable[Node]) -> Iterator[Shown]:
    """Every event once, causes before what they led to, by time."""
    known = {node.event_id: node for node in sorted(nodes, key=lambda node: (node.recorded_at, node.offset))}
    first: dict[str, str] = {}
    for node in known.values():
        first.setdefault(node.correlation_id, node.event_id)
    children: dict[str | None, list[Node]] = {}
    for node in known.values():
        children.setdefault(_parent(node, known, first), []).append(node)
    seen: set[str] = set()
    yield from _under(None, children, 0, seen)
    for node in known.values():  # those that name each other in a circle
        if node.event_id not in seen:
            seen.add(node.event_id)
            yield Shown(0, node)


def _parent(node: Node, known: dict[str, Node], first: dict[str, str]) -> str | None:
    for cause in node.causes:
        if cause in known and cause != node.event_id:
            return cause
    beginning = first[node.correlation_id]
    return None if beginning == node.event_id else beginning


def _under(parent: str | None, children: dict[str | None, list[Node]], depth: int, seen: set[str]) -> Iterator[Shown]:
    for node in children.get(parent, ()):
        if node.event_id not in seen:
            seen.add(node.event_id)
            yield Shown(depth, node)
            yield from _under(node.event_id, children, depth + 1, seen)
