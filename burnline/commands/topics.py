"""`burnline topics`: the catalogue of topics against the cluster."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from burnline import environment
from infra.kafka import topics as cluster

app = typer.Typer(no_args_is_help=True, help="The topics that the catalogue names, against those the cluster has.")


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
    """Create what is missing. Nothing is ever deleted or made smaller.

    Example: burnline topics apply --yes
    """
    settings = environment.load().settings.kafka
    changes = cluster.plan(settings)
    _show(changes)
    if changes and (yes or typer.confirm(f"Make these {len(changes)} changes?")):
        cluster.apply(settings, changes)


def _show(changes: list[cluster.Change]) -> None:
    console = Console()
    if not changes:
        console.print("the cluster has every topic of the catalogue, as it should be")
        return
    table = Table("topic", "change", "from", "to")
    for change in changes:
        table.add_row(change.topic, change.what, change.before, change.after)
    console.print(table)
