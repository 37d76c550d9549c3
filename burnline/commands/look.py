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
from rich.markup import escape
from rich.table import Table

from burnline import environment
from infra.kafka.unread import Told, Unread
from infra.settings import Settings

COLUMNS: dict[str, tuple[str, ...]] = {
    "utilization": (
        "name",
        "as_of",
        "available_hours",
        "worked_hours",
        "billable_hours",
        "billable_utilization",
        "total_utilization",
        "band",
    ),
    "budget-burn": (
        "name",
        "budget_hours",
        "actual_hours",
        "burn_hours",
        "actual_cost",
        "exhaustion_date",
        "progress",
    ),
    "disputes": (
        "name",
        "client",
        "status",
        "opened_on",
        "days_open",
        "days_past_due",
        "bucket_open",
        "amount",
        "currency",
    ),
}
"""What a person is shown; `--json` has every value."""
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
LETTER_COLUMNS = (
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
    """Show the latest values of a measure. Exit status 1 when a record could not be read.

    Example: burnline show budget-burn --json
    """
    from consumers import show as reading

    readers: dict[Measure, Callable[[Settings, Told], Iterable[Mapping[str, Any]]]] = {
        Measure.UTILIZATION: reading.utilization,
        Measure.BUDGET_BURN: reading.budget_burn,
        Measure.DISPUTES: reading.disputes,
    }
    found: list[Unread] = []
    rows = list(readers[measure](environment.load().settings, found.append))
    if not json_:
        rows = [{name: row[name] for name in COLUMNS[measure]} for row in rows]
    print_rows(rows, json_=json_, empty=f"no {measure} yet: are `streams` and `clock` running?")
    _told(found)


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

    rows = [asdict(one) for one in reading.lag(environment.load(registry=False).settings)]
    print_rows(
        rows if json_ else _by_topic(rows),
        json_=json_,
        empty="no consumer group that may be seen has committed anything yet",
    )
    raise typer.Exit(1 if any(row["verdict"] in {"stalled", "stopped"} for row in rows) else 0)


def _by_topic(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For people: one row a group and topic, with the worst verdict of its partitions."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        one = found.setdefault(
            (row["group"], row["topic"]),
            {"group": row["group"], "topic": row["topic"], "partitions": 0, "lag": 0, "verdict": "ok"},
        )
        one["partitions"] += 1
        one["lag"] += row["lag"]
        if row["verdict"] != "ok":
            one["verdict"] = row["verdict"]
    return list(found.values())


@dlq.command("list")
def dlq_list(
    json_: Json = False,
    topic: Annotated[str | None, typer.Option(help="Only letters of this topic.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only letters this team owns.")] = None,
) -> None:
    """List dead letters, the newest first. Exit status 1 when one of them could not be read.

    Example: burnline dlq list --owner finance-operations
    """
    from consumers import dead_letters

    found: list[Unread] = []
    letters = dead_letters.dead_letters(environment.load().settings, topic=topic, owner=owner, told=found.append)
    rows = [dict(letter["current"]) for letter in letters]
    if not json_:
        rows = [{name: row[name] for name in LETTER_COLUMNS} for row in rows]
    print_rows(rows, json_=json_, empty="no dead letters")
    _told(found)


def _told(found: list[Unread]) -> None:
    """Say what could not be read, and end with 1 where there is any."""
    console = Console(stderr=True, soft_wrap=True)
    for one in found:
        console.print(f"[bold red]not read:[/] {escape(str(one))}", highlight=False)
        console.print(f"[bold]what to do:[/] {escape(one.remedy)}", highlight=False)
    if found:
        raise typer.Exit(1)


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


def print_rows(rows: Iterable[Mapping[str, Any]], *, json_: bool, empty: str) -> None:
    """A table for people, or with `json_` one object a line; `empty` is said, to people, where there is nothing."""
    found = list(rows)
    if json_:
        for row in found:
            typer.echo(json.dumps(row, default=plain))
        return
    if not found:
        Console(stderr=True).print(empty)
        return
    table = Table(*(name.replace("_", " ") for name in found[0]))
    for row in found:
        table.add_row(*(_cell(name, value) for name, value in row.items()))
    Console().print(table)


def _cell(name: str, value: Any) -> str:
    if isinstance(value, float) and ("utilization" in name or name in {"burn_hours", "progress"}):
        return f"{value:.1%}"
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
