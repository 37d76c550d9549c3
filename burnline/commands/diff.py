"""Changes of a cluster, as people and machines read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.kafka.changes import Change

COLOURS = {"+": "green", "~": "yellow", "-": "red", "!": "bold red"}
WORDS = {"+": "to add", "~": "to change", "-": "to take away", "!": "refused"}


def as_json(change: Change) -> dict[str, Any]:
    """A change as one flat object; a right is taken apart."""
    plain: dict[str, Any] = {
        "kind": change.kind.value,
        "what": change.what,
        "item": change.item,
        "before": change.before,
        "after": change.after,
        "danger": change.danger.value,
        "refused": change.refused,
        "reason": change.reason,
    }
    if change.acl is not None:
        right = change.acl.right
        plain |= {
            "operation": right.operation.value,
            "resource": right.resource.value,
            "name": right.name,
            "prefixed": right.prefixed,
            "host": change.acl.host,
        }
    return plain


def show(changes: list[Change]) -> None:
    """Two tables, of topics and of rights, and a line that sums up."""
    console = Console()
    if not changes:
        console.print("the cluster is as declared")
        return
    topics = [change for change in changes if change.acl is None]
    rights = [change for change in changes if change.acl is not None]
    if topics:
        console.print(_topics(topics))
    if rights:
        console.print(_rights(rights))
    counted = Counter(change.sign for change in changes)
    console.print(", ".join(f"{counted[sign]} {word}" for sign, word in WORDS.items() if counted[sign]))


def _topics(changes: Iterable[Change]) -> Table:
    table = Table("", "topic", "what", "is", "should be", "why")
    for change in changes:
        table.add_row(
            _sign(change),
            *map(escape, (change.what, change.item, change.before, change.after, change.reason)),
        )
    return table


def _rights(changes: Iterable[Change]) -> Table:
    """One row for all names to which one principal gets the same right for the same reason."""
    grouped: dict[tuple[str, ...], list[str]] = {}
    for change in changes:
        if change.acl is None:
            continue
        right = change.acl.right
        row = (_sign(change), change.what, f"{right.operation} {right.resource}", change.before, change.reason)
        grouped.setdefault(row, []).append(f"{right.name}{'*' if right.prefixed else ''}")
    table = Table("", "principal", "right", "is", "on", "why")
    for (sign, principal, allowed, before, why), names in grouped.items():
        table.add_row(sign, escape(principal), allowed, before, " ".join(names), escape(why))
    return table


def _sign(change: Change) -> str:
    return f"[{COLOURS[change.sign]}]{change.sign}[/]"
