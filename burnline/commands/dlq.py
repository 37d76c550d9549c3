"""`burnline dlq`: look at the queue of records that could not be handled, watch it, and work on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from textwrap import shorten
from typing import Annotated, Any

import typer
from rich.console import Console

from burnline import environment
from burnline.commands import dlq_decide
from burnline.commands.dlq_meant import STATUSES, meant, selecting
from burnline.commands.output import Json, print_rows, tell_unread
from consumers.core.letter_queue import Filter, Letter, groups
from infra.errors import Fatal, PoisonMessage
from infra.kafka.unread import Unread
from schemas import codec
from schemas.privacy import MASK, class_of, masked
from schemas.topics import DataClass

app = typer.Typer(no_args_is_help=True, help="The queue of records that could not be handled.")
COLUMNS = ("id", "status", "topic", "offset", "reason", "error", "stage", "owner", "last_failed_at", "attempts")
SHOWN = 100
"""Letters that a table shows, unless it is told otherwise."""
SHORT, SENTENCE = 8, 60
"""Characters of an id, and of an error, in a table: `dlq show` has all of them."""
Personal = Annotated[bool, typer.Option("--personal", help="Show the content of records about people, too.")]


@app.command("list")
@selecting
def list_(
    *,
    wanted: Filter,
    status: Annotated[str, typer.Option(help="parked, retried, discarded, or all.")] = "parked",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show no more than so many in a table.")] = SHOWN,
    personal: Personal = False,
    json_: Json = False,
) -> None:
    """List dead letters, the newest first, and how many failed alike. Exit status 1 when one of them could not be read.

    Example: burnline dlq list --owner finance-operations --since 24h
    """
    if status not in STATUSES:
        raise Fatal(f"no letter is {status}", remedy=f"name one of {', '.join(STATUSES)}")
    found: list[Unread] = []
    letters = meant(
        environment.load().settings, replace(wanted, status=None if status == "all" else status), found.append
    )
    rows = [shown(letter, personal=personal) for letter in letters]
    if not json_:
        rows = [
            {name: row[name] for name in COLUMNS}
            | {
                "id": row["id"][:SHORT],
                "error": shorten(row["error"], SENTENCE, placeholder=" …"),
                "last_failed_at": f"{row['last_failed_at']:%Y-%m-%d %H:%M}",
            }
            for row in rows[:limit]
        ]
    print_rows(rows, json_=json_, empty="no dead letters")
    if len(letters) > limit and not json_:
        _summary(letters, limit)
    tell_unread(found)


@app.command()
def show(
    identity: Annotated[str, typer.Argument(metavar="ID")], *, personal: Personal = False, json_: Json = False
) -> None:
    """Show all of one letter: where and why it failed, the record as far as it can be read, and what was decided.

    Example: burnline dlq show 3f2a91c0 --json
    """
    (letter,) = meant(environment.load().settings, Filter(status=None, identities=frozenset({identity})))
    row = shown(letter, personal=personal) | {
        "record": _record(letter, personal=personal),
        "decisions": [decision._asdict() for decision in letter.decisions],
    }
    if not json_:
        row["decisions"] = [
            f"{one.at:%Y-%m-%d %H:%M}: {one.status} by {one.by}: {one.note}" for one in letter.decisions
        ]
    rows = [row] if json_ else [{"field": name, "what": "–" if value is None else value} for name, value in row.items()]
    print_rows(rows, json_=json_, empty="")


dlq_decide.add_to(app)


@app.command()
def watch(lifeline: Annotated[bool, typer.Option("--lifeline", hidden=True)] = False) -> None:
    """Tell owners of letters by alerts, until told to stop: the first of a kind, the tenth, the hundredth; a storm is told in a few.

    What follows from the alerts is in the policy, for the rule dead-letter.

    Example: burnline dlq watch
    """
    from burnline.commands.processes import begin
    from consumers.dead_letters_watch import watch as watch_letters

    found, stop = begin(lifeline=lifeline)
    watch_letters(found.settings.kafka, stop)


def shown(letter: Letter, *, personal: bool) -> dict[str, Any]:
    """A letter as it may be shown: the bytes of what is about people are masked unless they were asked for."""
    row: dict[str, Any] = {"id": letter.identity, **letter.event["current"], "status": letter.status}
    row |= {"key": letter.event["meta"]["subject"], "correlation_id": letter.event["meta"]["correlation_id"]}
    if not personal and class_of(row["topic"]) is DataClass.PERSONAL:
        row |= {"value": MASK if row["value"] is not None else None, "headers": dict.fromkeys(row["headers"], MASK)}
    return row


def _record(letter: Letter, *, personal: bool) -> Mapping[str, Any] | str | None:
    """The letter's record in words, where it can be read; its personal fields masked."""
    value = letter.event["current"]["value"]
    if value is None:
        return None
    try:
        name, content = codec.decode(value)
    except PoisonMessage as error:
        return f"it cannot be read: {error}"
    return content if personal else masked(name, content)  # type: ignore[no-any-return]  # what a schema says


def _summary(letters: Sequence[Letter], limit: int) -> None:
    console = Console(stderr=True, soft_wrap=True, markup=False)
    console.print(f"{len(letters) - limit} more; what failed alike:")
    for group, count in groups(letters):
        console.print(
            f"  {count} × {group.reason} ({group.error_class}) at {group.stage} on {group.topic}: {group.owner}",
            highlight=False,
        )
