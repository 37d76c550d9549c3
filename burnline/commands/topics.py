"""`burnline topics`: the registry of topics, and the access it implies, against the cluster."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from burnline import environment
from burnline.commands.diff import as_json, show
from infra.errors import Fatal
from infra.kafka import acls, topics
from infra.kafka.changes import Allowance, Change, Danger
from infra.settings import Settings
from schemas.rekeyed import REKEYED, Rekeyed
from schemas.successions import SUCCESSIONS, Succession

app = typer.Typer(
    no_args_is_help=True, help="What the registry declares, topics and who may use them, against what the cluster has."
)
Names = list[str]
Loss = Annotated[Names | None, typer.Option("--allow-data-loss", metavar="TOPIC", help="Its records may be lost.")]
Deletion = Annotated[
    Names | None, typer.Option("--allow-deletion", metavar="TOPIC", help="It may be deleted, with all its records.")
]
Repartition = Annotated[
    Names | None, typer.Option("--allow-repartition", metavar="TOPIC", help="Its keys may move to other partitions.")
]
Prune = Annotated[bool, typer.Option("--prune", help="Take away rights and settings that nobody declares.")]
Acls = Annotated[bool, typer.Option("--acls/--no-acls", help="Compare access, too.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command()
def plan(
    *,
    allow_data_loss: Loss = None,
    allow_deletion: Deletion = None,
    allow_repartition: Repartition = None,
    prune: Prune = False,
    access: Acls = True,
    json_: Json = False,
) -> None:
    """Show what `apply`, with the same options, would change. Exit status 1 when anything differs, 0 when nothing does.

    Example: burnline topics plan --json
    """
    allow = _allowance(allow_data_loss, allow_deletion, allow_repartition, prune)
    changes = _differences(environment.load(registry=False).settings, allow, access=access)
    _print(changes, json_=json_)
    raise typer.Exit(1 if changes else 0)


@app.command()
def apply(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    allow_data_loss: Loss = None,
    allow_deletion: Deletion = None,
    allow_repartition: Repartition = None,
    prune: Prune = False,
    access: Acls = True,
    json_: Json = False,
) -> None:
    """Show what differs, ask, make it as declared, and read it back. What would lose something is refused unless an option allows it.

    Example: burnline topics apply --yes. Exit status 0 when all is as declared then, 1 when something is left to a person.
    """
    settings = environment.load(registry=False).settings
    allow = _allowance(allow_data_loss, allow_deletion, allow_repartition, prune)
    changes = _differences(settings, allow, access=access)
    _print(changes, json_=json_)
    todo = [change for change in changes if not change.refused]
    if todo and not (yes or _confirmed(todo)):
        raise typer.Exit(1)
    console = Console(stderr=True)
    with console.status("changing the cluster"):
        topics.apply(settings.kafka, todo)
        acls.apply(settings.kafka, todo)
    if todo:
        console.print(f"{len(todo)} changes made and read back")
    raise typer.Exit(1 if len(changes) > len(todo) else 0)


@app.command("carry-over")
def carry_over() -> None:
    """Tell the history of every deprecated topic on the topic that replaces it, and that of a topic whose keys changed under those of today.

    What was told before is not told again.

    Example: burnline topics carry-over, after `topics apply` and before the new producers start. Exit status 1 when records were parked.
    """
    from infra.kafka.carry_over import carry_over as carry

    settings = environment.load().settings.kafka
    parked = 0
    every: tuple[Succession | Rekeyed, ...] = (*SUCCESSIONS, *REKEYED)
    for one in every:
        done = carry(settings, one)
        parked += done.parked
        names = (
            f"{one.old.name} under today's keys" if isinstance(one, Rekeyed) else f"{one.old.name} to {one.new.name}"
        )
        typer.echo(f"{names}: {done.told} told, {done.there} were there, {done.parked} parked as dead letters")
    raise typer.Exit(1 if parked else 0)


def _allowance(loss: Names | None, deletion: Names | None, repartition: Names | None, prune: bool) -> Allowance:
    return Allowance(frozenset(loss or ()), frozenset(deletion or ()), frozenset(repartition or ()), prune)


def _differences(settings: Settings, allow: Allowance, *, access: bool) -> list[Change]:
    changes = topics.plan(settings.kafka, allow=allow)
    if not access:
        return changes
    rights = acls.plan(settings, allow=allow)
    if rights is None:
        Console(stderr=True).print("the cluster has no authorizer: everybody may do everything, ACLs are not compared")
    return changes + (rights or [])


def _confirmed(todo: list[Change]) -> bool:
    if not sys.stdin.isatty():
        raise Fatal("`apply` asks before it changes anything, and nobody is there to answer", remedy="add --yes")
    dangerous = sum(change.danger is not Danger.NONE for change in todo)
    warning = f", {dangerous} of them dangerous" if dangerous else ""
    return typer.confirm(f"Make {len(todo)} changes{warning}?", err=True)


def _print(changes: list[Change], *, json_: bool) -> None:
    if json_:
        for change in changes:
            typer.echo(json.dumps(as_json(change)))
    else:
        show(changes)
