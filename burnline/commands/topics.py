"""`burnline topics`: the registry of topics against the cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from burnline import environment
from infra.kafka import topics as cluster
from schemas.successions import SUCCESSIONS

app = typer.Typer(no_args_is_help=True, help="The topics that the registry declares, against those the cluster has.")


@app.command()
def plan() -> None:
    """Show what `apply` would change. Exit status 1 when there is something.

    Example: burnline topics plan
    """
    changes = cluster.plan(environment.load().settings.kafka)
    _show(changes)
    raise typer.Exit(1 if changes else 0)


@app.command()
def apply(yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Create what is missing and correct settings. Nothing is ever deleted or made smaller.

    Example: burnline topics apply --yes. Exit status 1 when something is left to a person.
    """
    settings = environment.load().settings.kafka
    changes = cluster.plan(settings)
    _show(changes)
    left = [change for change in changes if change.kind == "differs"]
    if len(changes) > len(left) and (yes or typer.confirm(f"Make {len(changes) - len(left)} changes?")):
        cluster.apply(settings, changes)
    raise typer.Exit(1 if left else 0)


@app.command("carry-over")
def carry_over() -> None:
    """Tell the history of every deprecated topic on the topic that replaces it; what was told before is not told again.

    Example: burnline topics carry-over, after `topics apply` and before the new producers start. Exit status 1 when records were parked.
    """
    from infra.kafka.carry_over import carry_over as carry

    if not SUCCESSIONS:
        typer.echo("no topic is deprecated")
        return
    settings = environment.load().settings.kafka
    parked = 0
    for succession in SUCCESSIONS:
        done = carry(settings, succession)
        parked += done.parked
        names = f"{succession.old.name} to {succession.new.name}"
        typer.echo(f"{names}: {done.told} told, {done.there} were there, {done.parked} parked as dead letters")
    raise typer.Exit(1 if parked else 0)


def _show(changes: list[cluster.Change]) -> None:
    for change in changes:
        typer.echo(str(change))
    if not changes:
        typer.echo("the cluster has every topic of the registry, as declared")
