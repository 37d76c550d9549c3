"""`burnline trail` and `burnline trace`: the audit trail kept, shown, exported and verified; and one chain from change to effect."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from burnline import environment
from burnline.commands.output import Json, plain, print_rows, progress, tell_unread
from infra.errors import Fatal, PoisonMessage
from infra.kafka.unread import Unread

app = typer.Typer(
    no_args_is_help=True, help="The audit trail: who did what, when and why, in one chain that shows what was changed."
)
COLUMNS = ("number", "occurred_at", "kind", "event_type", "subject", "status", "actor", "reason")
File = Annotated[
    Path | None, typer.Option("--file", help="An export, in the place of the topic.", exists=True, dir_okay=False)
]
_MOMENTS = ("occurred_at", "recorded_at")


@app.command()
def keep(lifeline: Annotated[bool, typer.Option("--lifeline", hidden=True)] = False) -> None:
    """Keep the trail: one process, which enters what happens until it is told to stop.

    Example: burnline trail keep
    """
    from burnline.commands.processes import begin
    from consumers.trail import keep as keep_trail

    found, stop = begin(lifeline=lifeline)
    keep_trail(found.settings.kafka, stop)


@app.command("list")
def list_(
    *,
    correlation: Annotated[str | None, typer.Option(help="Only entries of this chain of events.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only entries about this entity.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only entries of this kind, such as override.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")] = 100,
    json_: Json = False,
) -> None:
    """List entries of the trail, the newest last.

    Example: burnline trail list --kind override
    """
    wanted = {"correlation_id": correlation, "subject": subject, "kind": kind}
    asked = {name: value for name, value in wanted.items() if value is not None}
    with progress("reading the trail"):
        fitting = (entry for entry in _entries(None) if all(entry[name] == value for name, value in asked.items()))
        found = list(deque(fitting, limit))
    rows: Iterable[Mapping[str, Any]] = found
    if not json_:
        rows = [{name: entry[name] for name in COLUMNS} for entry in found]
    print_rows(rows, json_=json_, empty="no such entries: does `burnline trail keep` run?")


@app.command()
def export(target: Annotated[Path, typer.Argument(help="A new file, of one JSON object a line.")]) -> None:
    """Write the whole trail into a file, verified, and print its head: keep that where nobody can change it.

    Example: burnline trail export trail-2026-03.jsonl
    """
    from consumers.core.trail_chain import Head, head_of

    if target.exists():
        raise Fatal(f"{target} exists, and an export is not written over", remedy="name a new file")
    head = Head()
    part = target.with_name(f"{target.name}.part")

    def written(out: TextIO) -> Iterator[dict[str, Any]]:
        nonlocal head
        for entry in _entries(None):
            out.write(json.dumps(entry, default=plain, ensure_ascii=False) + "\n")
            head = head_of(entry)
            yield entry

    try:
        with part.open("w", encoding="utf-8") as out:
            count = _verified(written(out), None)  # one reading: what is written is what was verified
        part.rename(target)
    except OSError as error:
        raise Fatal(f"{part} cannot be written: {error.strerror}", remedy="name a file where you may write") from error
    finally:
        part.unlink(missing_ok=True)
    Console(stderr=True).print(f"{count} entries; the head is:")
    typer.echo(str(head))


@app.command()
def verify(
    *, file: File = None, head: Annotated[str | None, typer.Option(help="A head that an export printed.")] = None
) -> None:
    """Verify the chain: exit status 1, and the place, where an entry was altered, removed or put in.

    Example: burnline trail verify --head 4711:9f86d08…
    """
    count = _verified(_entries(file), head)
    typer.echo(f"{count} entries, each as it was entered")


def _verified(entries: Iterable[dict[str, Any]], noted: str | None) -> int:
    """How many entries there are. Says what is wrong with them, and ends with 1, where anything is."""
    from consumers.core.trail_chain import Finding
    from consumers.core.trail_chain import verify as verified

    count = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal count
        for entry in entries:
            count += 1
            yield entry

    found: list[Finding] = []
    try:
        with progress("reading the trail"):
            found += verified(counted(), _head(noted))
    except PoisonMessage as error:
        found.append(Finding("foreign", count + 1, f"after {count} entries: {error}"))
    console = Console(stderr=True, soft_wrap=True)
    for one in found:
        console.print(f"[bold red]{one.kind}:[/] {escape(one.sentence)}", highlight=False)
    if found:
        console.print(
            "[bold]what to do:[/] compare with the last export, and find who may write governance.trail.v1",
            highlight=False,
        )
        raise typer.Exit(1)
    return count


def _head(noted: str | None) -> Any:
    from consumers.core.trail_chain import parsed

    try:
        return None if noted is None else parsed(noted)
    except ValueError as error:
        raise Fatal(str(error), remedy="give it as `burnline trail export` printed it: number:digest") from error


def _entries(file: Path | None) -> Iterator[dict[str, Any]]:
    from consumers import trail

    if file is None:
        yield from trail.entries(environment.load().settings.kafka)
        return
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                yield entry | {name: datetime.fromisoformat(entry[name]).astimezone(UTC) for name in _MOMENTS}
            except (ValueError, KeyError, TypeError) as error:
                raise PoisonMessage(f"line {number} is no entry: {error}", remedy="compare with the topic") from error


def trace(
    identity: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Of an event, action, alert, duty, freeze, proposal or letter; or a correlation."
        ),
    ],
    *,
    json_: Json = False,
) -> None:
    """Draw the chain that an event or action is part of: from the change in Odoo to the last effect. Exit status 1 when a record could not be read.

    Example: burnline trace 3f2a91c0-6c1e-5f2b-9d52-7a2f0f0d1c11
    """
    from consumers.actions.policy import load_policy
    from consumers.core.trace import tree
    from consumers.tracing import trace as traced

    found = environment.load()
    unread: list[Unread] = []
    with progress("reading") as tell:
        nodes = traced(
            found.settings.kafka, identity, policy=lambda: load_policy(found.config), told=unread.append, progress=tell
        )
    if json_:
        for depth, node in tree(nodes):
            typer.echo(
                json.dumps({"depth": depth, **{name: getattr(node, name) for name in node.__slots__}}, default=plain)
            )
    else:
        _draw(identity, tree(nodes))
    tell_unread(unread)


def _draw(identity: str, shown: Iterable[Any]) -> None:
    root = Tree(f"[bold]{identity}[/]")
    at: list[Tree] = [root]
    for depth, node in shown:
        when = node.recorded_at.isoformat(timespec="seconds")
        named = "[reverse]" if node.is_called(identity) else "[bold]"  # what was asked for stands out of its chain
        text = f"{named}{escape(node.event_type)}[/] {escape(node.subject)} [dim]{when} {escape(node.event_id)}[/]"
        branch = at[depth].add(f"{text}\n{escape(node.what)}" if node.what else text)
        del at[depth + 1 :]
        at.append(branch)
    Console(soft_wrap=True).print(root)
