"""The commands that look: measures, records, lag, dead letters. They change nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from burnline import environment
from infra.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
LETTER_COLUMNS = (
    "topic",
    "partition",
    "offset",
    "error",
    "stage",
    "business_process",
    "owner",
    "last_failed_at",
    "remedy",
)
dlq = typer.Typer(no_args_is_help=True, help="The queue of records that could not be handled.")


class Measure(StrEnum):
    """What `show` can show."""

    UTILIZATION = "utilization"
    BUDGET_BURN = "budget-burn"
    DISPUTES = "disputes"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (show, tail, lag):
        app.command()(command)


def show(measure: Measure, json_: Json = False) -> None:
    """Show the latest values of a measure.

    Example: burnline show budget-burn --json
    """
    from consumers import show as reading

    readers: dict[Measure, Callable[[Settings], Iterable[Mapping[str, Any]]]] = {
        Measure.UTILIZATION: reading.utilization,
        Measure.BUDGET_BURN: reading.budget_burn,
        Measure.DISPUTES: reading.disputes,
    }
    _print(
        readers[measure](environment.load().settings),
        json_=json_,
        empty=f"no {measure} yet: are `streams` and `clock` running?",
    )


def tail(
    topic: str,
    json_: Json = False,
    max_: Annotated[int | None, typer.Option("--max", min=1, help="End after so many records.")] = None,
    beginning: Annotated[bool, typer.Option("--from-beginning", help="Start with the oldest record.")] = False,
) -> None:
    """Print the records of a topic as they come.

    Example: burnline tail governance.alert.v1 --json --max 10
    """
    from consumers import tail as reading

    console = Console(soft_wrap=True)
    for record in reading.tail(environment.load().settings, topic, from_beginning=beginning, limit=max_):
        if json_:
            typer.echo(json.dumps(record, default=plain))
        else:
            console.print(json.loads(json.dumps(record, default=plain)))


def lag(json_: Json = False) -> None:
    """Show how far each consumer group is behind, and what to think of it. Exit status 1 when a group stands still.

    Example: burnline lag --json
    """
    from consumers import lag as reading

    rows = [asdict(one) for one in reading.lag(environment.load().settings)]
    _print(rows, json_=json_, empty="no consumer group has committed anything yet")
    raise typer.Exit(1 if any(row["verdict"] in {"stalled", "stopped"} for row in rows) else 0)


@dlq.command("list")
def dlq_list(
    json_: Json = False,
    topic: Annotated[str | None, typer.Option(help="Only letters of this topic.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only letters this team owns.")] = None,
) -> None:
    """List dead letters, the newest first.

    Example: burnline dlq list --owner finance-operations
    """
    from consumers import dead_letters

    letters = dead_letters.dead_letters(environment.load().settings, topic=topic, owner=owner)
    rows = [dict(letter["current"]) for letter in letters]
    if not json_:
        rows = [{name: row[name] for name in LETTER_COLUMNS} for row in rows]
    _print(rows, json_=json_, empty="no dead letters")


def plain(value: object) -> object:
    """What JSON makes of a value it does not know: numbers stay numbers, times are ISO, bytes are base64."""
    match value:
        case Decimal():
            return float(value)
        case date() | datetime():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
    return str(value)


def _print(rows: Iterable[Mapping[str, Any]], *, json_: bool, empty: str) -> None:
    found = list(rows)
    if json_:
        for row in found:
            typer.echo(json.dumps(row, default=plain))
        return
    if not found:
        Console(stderr=True).print(empty)
        return
    table = Table(*found[0])
    for row in found:
        table.add_row(*(_cell(value) for value in row.values()))
    Console().print(table)


def _cell(value: Any) -> str:
    match value:
        case None:
            return "–"
        case float() | Decimal():
            return f"{value:,.2f}"
        case list():
            return " ".join(map(str, value))
        case bytes():
            return value[:24].hex()
    return str(value)
