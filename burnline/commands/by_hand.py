"""The commands to go on by hand: `worklist` and `override`."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from burnline import environment
from burnline.commands.look import plain
from infra.kafka.unread import Unread

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


class Word(StrEnum):
    """What a person can say."""

    ACKNOWLEDGED = "acknowledged"
    SKIPPED = "skipped"
    DONE_BY_HAND = "done-by-hand"
    RELEASED = "released"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (worklist, override):
        app.command()(command)


def worklist(
    json_: Json = False,
    who: Annotated[str | None, typer.Option(help="Only what this team or person has to do.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind: odoo_activity, webhook, duty, freeze, …")] = None,
) -> None:
    """List what is pending, and who does it by hand while Odoo, n8n or mail is down. Exit status 1 when a record could not be read.

    Example: burnline worklist --who finance-operations
    """
    from consumers.actions.policy import load_policy
    from consumers.by_hand import board

    found = environment.load()
    unread: list[Unread] = []
    items = [
        item
        for item in board(found.settings.kafka, load_policy(found.config), unread.append).items()
        if who in {None, item.who} and kind in {None, item.kind}
    ]
    if json_:
        for item in items:
            typer.echo(json.dumps(asdict(item), default=plain))
    elif items:
        table = Table("who", "what", "about", "alert", "by hand", "state", "since", "until", "id")
        for item in items:
            due = f"{item.due:%Y-%m-%d %H:%M}" if item.due else "–"
            table.add_row(
                item.who, item.what, item.about, item.alert, item.todo, item.state, f"{item.since:%Y-%m-%d %H:%M}", due,
                item.id,
            )  # fmt: skip
        Console().print(table)
        Console(stderr=True).print(
            'when something is done: burnline override ID done-by-hand --reason "…"', highlight=False
        )
    else:
        Console(stderr=True).print("nothing is pending")
    for one in unread:
        Console(stderr=True).print(f"not read: {one}\nwhat to do: {one.remedy}", markup=False, highlight=False)
    if unread:
        raise typer.Exit(1)


def override(
    identity: Annotated[
        str, typer.Argument(metavar="ID", help="Of an action, a duty or a freeze: `worklist` shows it.")
    ],
    word: Annotated[
        Word, typer.Argument(help="acknowledged: a duty; skipped, done-by-hand: an action; released: a freeze.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")],
    json_: Json = False,
) -> None:
    """Decide by hand about what is pending. Where the policy asks for two persons, it takes effect when a second one says the same.

    Example: burnline override 9d1c4f6e-8a3b-5f0d-b1c7-2f4f6a1be0aa done-by-hand --reason "called the client"
    """
    from consumers.actions.policy import load_policy
    from consumers.by_hand import decide
    from schemas.records import Override

    words: dict[Word, Override] = {
        Word.ACKNOWLEDGED: "acknowledged",
        Word.SKIPPED: "skipped",
        Word.DONE_BY_HAND: "done_by_hand",
        Word.RELEASED: "released",
    }
    found = environment.load()
    said = decide(found.settings, load_policy(found.config), identity, words[word], reason)
    if json_:
        typer.echo(json.dumps(said, default=plain))
    elif said["status"] == "overridden":
        typer.echo(f"{word} by {said['decided_by']}" + (f" and {said['confirmed_by']}" if said["confirmed_by"] else ""))
    else:
        typer.echo(f"asked for by {said['decided_by']}: it takes effect when a second person says the same")
