"""How commands show rows: as JSON, one object a line, or as a table; what they could not read; and that they are at work."""

from __future__ import annotations

import base64
import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Column, Table

from infra.kafka.unread import Unread

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@contextlib.contextmanager
def progress(doing: str) -> Iterator[Callable[[str], object]]:
    """Tell a person at a terminal what is being done, while it is done; gives what tells of the next thing.

    It goes to standard error. What is printed meanwhile goes where it would have gone, also where standard output is a file and the
    terminal is not: the status of `rich` alone would take it along.
    """
    spinner = Spinner("dots", text=doing, style="status.spinner")
    console = Console(stderr=True)
    with Live(spinner, console=console, refresh_per_second=12.5, transient=True, redirect_stdout=sys.stdout.isatty()):
        yield lambda what: spinner.update(text=what)


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
    table = Table(*(Column(name.replace("_", " "), no_wrap=name == "id") for name in found[0]))  # ids are copied
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
