"""`burnline privacy`: erase a person from the topics, and prove it."""

from __future__ import annotations

import json
import re
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from burnline import environment
from burnline.commands.output import Json
from consumers import erasure
from infra.errors import Fatal
from infra.settings import Settings
from schemas.events import odoo_key

app = typer.Typer(no_args_is_help=True, help="What the topics hold of a person, and its erasure.")
EMPLOYEES = "hr.employee"


@app.callback()
def group() -> None:
    """What the topics hold of a person, and its erasure."""


@app.command()
def erase(
    consultant: Annotated[str, typer.Argument(help="Key of the person, or the id of the employee in ODOO_DB.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, or the number of the request. It is recorded.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is held, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    compact: Annotated[bool, typer.Option("--compact/--no-compact", help="Have the topics compacted now.")] = True,
    patience: Annotated[float, typer.Option("--wait", min=1, help="Seconds to wait for compaction.")] = 120.0,
    names: Annotated[list[str] | None, typer.Option("--name", help="Another name to look for.")] = None,
    json_: Json = False,
) -> None:
    """Write tombstones for a person, have them compacted, and read everything again. Exit status 1 when something undocumented is left.

    Erase in Odoo first, and stop the streams. What may be left, and why: docs/privacy.md.

    Example: burnline privacy erase odoo:firm:hr.employee:7 --reason "request 2026-114" --dry-run
    """
    if not reason.strip():
        raise Fatal("an erasure without a reason", remedy="say in --reason who asked for it, without naming the person")
    settings = environment.load().settings
    subject = _subject(settings, consultant)
    if not dry_run:
        erasure.refuse_running_streams(settings)
    console = Console(stderr=True)
    with console.status("looking") as status:
        topics = erasure.present(settings.kafka)
        person = erasure.look(settings.kafka, subject, topics, status.update)
    person.names |= set(names or ())
    told = [_told(place, "would be written" if dry_run else "written") for place in sorted(person.live)]
    told += [_told(place, "there") for place in sorted(person.places - person.live)]
    if not dry_run:
        if person.live and not (yes or _confirmed(subject, len(person.live))):
            raise typer.Exit(1)
        erasure.bury(settings.kafka, person.live, reason)
        if compact and person.places:
            with console.status("compacting") as status:
                erasure.compacted(settings.kafka, person, topics, reason, patience=patience, progress=status.update)
    with console.status("reading everything") as status:
        left = list(erasure.remaining(settings.kafka, person, topics, status.update))
    _print(told, [{"kind": "remains", **one._asdict()} for one in left], json_=json_)
    found = sum(not one.documented for one in left)
    console.print(_verdict(len(told), found, len(left) - found, dry_run=dry_run))
    raise typer.Exit(1 if found and not dry_run else 0)


def _subject(settings: Settings, consultant: str) -> str:
    if re.fullmatch(r"[^:]+(:[^:]+)+", consultant):
        return consultant
    if consultant.isdecimal() and settings.odoo.db is not None:
        return odoo_key(settings.odoo.db, EMPLOYEES, int(consultant))
    raise Fatal(
        f"{consultant!r} is no key of a person",
        remedy="name it like odoo:<database>:hr.employee:<id>, or set ODOO_DB and give the id",
    )


def _confirmed(subject: str, keys: int) -> bool:
    if not sys.stdin.isatty():
        raise Fatal("`erase` asks before it erases, and nobody is there to answer", remedy="add --yes")
    return typer.confirm(f"Erase {subject}: {keys} keys, for good?", err=True)


def _told(place: erasure.Place, state: str) -> dict[str, Any]:
    return {
        "kind": "tombstone",
        "topic": place.topic,
        "partition": place.partition,
        "key": place.key.decode("utf-8", "replace"),
        "state": state,
    }


def _print(told: list[dict[str, Any]], left: list[dict[str, Any]], *, json_: bool) -> None:
    if json_:
        for row in (*told, *left):
            typer.echo(json.dumps(row))
        return
    for title, rows in (("tombstones", told), ("what remains", left)):
        if rows:
            table = Table(*(name for name in rows[0] if name != "kind"), title=title)
            for row in rows:
                table.add_row(*(str(value) for name, value in row.items() if name != "kind"))
            Console(markup=False).print(table)


def _verdict(keys: int, found: int, documented: int, *, dry_run: bool) -> str:
    if dry_run:
        return f"{keys} keys would be erased; {found + documented} records name the person or are about them; nothing was changed"
    if not keys and not found:
        return f"nothing is left but {documented} documented records" if documented else "nothing is left"
    if found:
        return (
            f"{found} records are left that should not be: compact the topics, or mend their source, and run it again"
        )
    return f"erased and read back: nothing is left of {keys} keys, and {documented} documented records name the person"
