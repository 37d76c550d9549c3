"""`burnline dlq`: the queue of records that could not be handled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from burnline import environment
from burnline.commands.output import Json, print_rows, tell_unread
from infra.kafka.unread import Unread
from schemas.privacy import MASK, class_of
from schemas.topics import DataClass

app = typer.Typer(no_args_is_help=True, help="The queue of records that could not be handled.")
COLUMNS = (
    "topic",
    "partition",
    "offset",
    "reason",
    "error",
    "stage",
    "business_process",
    "owner",
    "last_failed_at",
    "remedy",
)
Personal = Annotated[bool, typer.Option("--personal", help="Show the bytes of records about people, too.")]


@app.callback()
def group() -> None:
    """The queue of records that could not be handled."""


@app.command("list")
def list_(
    *,
    json_: Json = False,
    topic: Annotated[str | None, typer.Option(help="Only letters of this topic.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only letters this team owns.")] = None,
    personal: Personal = False,
) -> None:
    """List dead letters, the newest first. Exit status 1 when one of them could not be read.

    Example: burnline dlq list --owner finance-operations
    """
    from consumers import dead_letters

    found: list[Unread] = []
    letters = dead_letters.dead_letters(environment.load().settings, topic=topic, owner=owner, told=found.append)
    rows = [shown(letter["current"], personal=personal) for letter in letters]
    if not json_:
        rows = [{name: row[name] for name in COLUMNS} for row in rows]
    print_rows(rows, json_=json_, empty="no dead letters")
    tell_unread(found)


def shown(letter: Mapping[str, Any], *, personal: bool) -> dict[str, Any]:
    """A letter as it may be shown: the bytes of what is about people are masked unless they were asked for."""
    row = dict(letter)
    if not personal and class_of(row["topic"]) is DataClass.PERSONAL:
        row |= {"value": MASK if row["value"] is not None else None, "headers": dict.fromkeys(row["headers"], MASK)}
    return row
