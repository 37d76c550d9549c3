"""How commands show rows: as JSON, one object a line, or as a table; and what they could not read."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.kafka.unread import Unread

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def tell_unread(found: list[Unread]) -> None:
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
    """Print rows as JSON, one a line, or as a table of their first one's keys; what is said where there are none."""
    found = list(rows)
    if json_:
        for row in found:
            typer.echo(json.dumps(row, default=plain))
        return
    if not found:
        Console(stderr=True, markup=False).print(empty)
        return
    table = Table(*(name.replace("_", " ") for name in found[0]))
    for row in found:
        table.add_row(*(_cell(name, value) for name, value in row.items()))
    Console(markup=False).print(table)  # a name in Odoo may look like markup


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
