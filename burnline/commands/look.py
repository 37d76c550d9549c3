"""The commands that look: measures, records, lag. They change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from burnline import environment
from burnline.commands.output import Json, plain, print_rows, progress, tell_unread
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
        "reasons",
    ),
    "budget-burn": (
        "name",
        "budget_hours",
        "actual_hours",
        "burn_hours",
        "actual_cost",
        "exhaustion_date",
        "progress",
        "reasons",
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
        "reasons",
    ),
    "quality": ("measure", "subject", "as_of", "reasons"),
    "proposals": ("kind", "about", "score", "text", "made_by"),
}
"""What a person is shown; `--json` has every value."""


class Measure(StrEnum):
    """What `show` can show."""

    UTILIZATION = "utilization"
    BUDGET_BURN = "budget-burn"
    DISPUTES = "disputes"
    QUALITY = "quality"
    PROPOSALS = "proposals"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (show, tail, lag):
        app.command()(command)


def show(measure: Measure, json_: Json = False) -> None:
    """Show the latest values of a measure, what measures and records say against themselves, or what `assist` proposes. Exit status 1 when a record could not be read.

    Example: burnline show budget-burn --json
    """
    from consumers import show as reading

    readers: dict[Measure, Callable[[Settings, Told], Iterable[Mapping[str, Any]]]] = {
        Measure.UTILIZATION: reading.utilization,
        Measure.BUDGET_BURN: reading.budget_burn,
        Measure.DISPUTES: reading.disputes,
        Measure.QUALITY: reading.quality,
        Measure.PROPOSALS: reading.proposals,
    }
    found: list[Unread] = []
    settings = environment.load().settings
    with progress("reading the measure and the names in it"):
        rows = list(readers[measure](settings, found.append))
    if not json_:
        rows = [{name: row[name] for name in COLUMNS[measure]} for row in rows]
    nothing = {Measure.QUALITY: "nothing to be said", Measure.PROPOSALS: "no proposals: does `assist` run?"}
    print_rows(rows, json_=json_, empty=nothing.get(measure, f"no {measure} yet: are `streams` and `clock` running?"))
    tell_unread(found)


def tail(
    topic: str,
    json_: Json = False,
    max_: Annotated[int | None, typer.Option("--max", min=1, help="End after so many records.")] = None,
    beginning: Annotated[bool, typer.Option("--from-beginning", help="Start with the oldest record.")] = False,
    personal: Annotated[bool, typer.Option("--personal", help="Show what is about people, too.")] = False,
) -> None:
    """Print the records of a topic as they come. What is about people is masked.

    Example: burnline tail governance.alert.v1 --json --max 10
    """
    from consumers import tail as reading

    console = Console(soft_wrap=True)
    settings = environment.load().settings
    for record in reading.tail(settings, topic, from_beginning=beginning, limit=max_, personal=personal):
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
