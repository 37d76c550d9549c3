"""The commands to go on by hand: `worklist` and `override`."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from burnline import environment
from burnline.commands.output import Json, plain, print_rows, progress, tell_unread
from infra.kafka.unread import Unread

COLUMNS = ("who", "what", "about", "alert", "todo", "state", "since", "due", "id")
"""What a person is shown; `--json` has every value."""


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
    with progress("reading alerts, actions, duties and freezes"):
        pending = board(found.settings.kafka, load_policy(found.config), unread.append).items()
    items = [item for item in pending if who in {None, item.who} and kind in {None, item.kind}]
    rows = [asdict(item) for item in items]
    if not json_:
        rows = [{name: row[name] for name in COLUMNS} | {"since": f"{row['since']:%Y-%m-%d %H:%M}"} for row in rows]
    print_rows(rows, json_=json_, empty="nothing is pending")
    if rows and not json_:
        Console(stderr=True).print(
            'when something is done: burnline override ID done-by-hand --reason "…"', highlight=False
        )
    tell_unread(unread)


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
