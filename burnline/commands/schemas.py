"""`burnline schemas`: what was released, what has changed since, whether it may, and freezing it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from burnline.commands.publish import publish
from infra.errors import Fatal
from schemas import catalogue, gate, releasing
from schemas.gate import UNRELEASED, Finding
from schemas.released import INDEX, RELEASED_FOLDER, Index, carries, parse_index, read_index
from schemas.topics import TOPICS

app = typer.Typer(no_args_is_help=True, help="The schemas and topics against everything that was ever released.")
FULL = "FULL_TRANSITIVE"
AVRO, RELEASED = catalogue.AVRO_FOLDER, RELEASED_FOLDER
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command()
def check(
    json_: Json = False,
    since: Annotated[str, typer.Option(help="Also look for releases that were replaced since this git revision.")] = "",
) -> None:
    """Compare every schema and topic with all its releases. Exit status 1 when a reader would break, or a release is due.

    Example: burnline schemas check --since main
    """
    index = read_index(RELEASED)
    findings = [*(gate.taken_back(_index_of(since), index) if since else ()), *_findings(index)]
    _show(findings, json_=json_)
    if not findings and not json_:
        releases = sum(len(versions) for versions in index.releases.values())
        typer.echo(f"{len(index.releases)} schemas and {len(TOPICS)} topics keep what {releases} releases promised")
    raise typer.Exit(1 if findings else 0)


@app.command()
def release(
    records: Annotated[
        list[str] | None, typer.Argument(help="Full names; without any, everything that is due.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be frozen.")] = False,
) -> None:
    """Freeze what has changed as a new version, with a number of its own. An incompatible change is refused.

    Example: burnline schemas release burnline.delivery.TimesheetEvent. Exit status 1 when refused.
    """
    index = read_index(RELEASED)
    current = catalogue.travelling(TOPICS.values(), AVRO)
    only = set(records or ())
    if unknown := only - set(current):
        raise Fatal(f"no record {', '.join(sorted(unknown))} travels", remedy="`burnline schemas list` names all")
    refused = [finding for finding in _findings(index) if finding.kind != UNRELEASED]
    if refused:
        _show(refused, json_=False)
        typer.echo("nothing was released", err=True)
        raise typer.Exit(1)
    made = releasing.plan(current, TOPICS, index, RELEASED, only)
    for frozen, _ in made.releases:
        typer.echo(f"{frozen}, number {frozen.wire_id}")
    for topic in made.topics:
        until = f", until {topic.sunset}" if topic.sunset else ""
        typer.echo(f"topic {topic.name}: {topic.record} by {topic.key}{until}")
    if not made.releases and not made.topics:
        typer.echo("nothing is due")
    elif dry_run:
        typer.echo("nothing was written")
    else:
        releasing.write(made, index, RELEASED)
        typer.echo(f"frozen in {RELEASED}: commit it with the change")


@app.command("list")
def list_(json_: Json = False) -> None:
    """Every record that travels: its newest version and number, its topics, and whether a release is due.

    Example: burnline schemas list --json
    """
    rows = list(_rows(read_index(RELEASED)))
    if json_:
        for row in rows:
            typer.echo(json.dumps(row))
        return
    table = Table()
    for title in ("record", "version", "number", "readers kept", "topics", "state"):
        table.add_column(title, overflow="fold")
    for row in rows:
        first, *more = row["topics"] or ["–"]
        topics = f"{first} and {len(more)} more" if more else first
        kept = "old and new" if row["compatibility"] == FULL else "new"
        table.add_row(row["record"], str(row["version"] or "–"), str(row["id"] or "–"), kept, topics, row["state"])
    Console().print(table)


app.command()(publish)


def _rows(index: Index) -> Iterator[dict[str, Any]]:
    findings = _findings(index)
    state = {finding.subject: "unreleased" for finding in findings if finding.kind == UNRELEASED}
    for finding in findings:
        if finding.kind != UNRELEASED:
            state |= dict.fromkeys((finding.subject, *finding.versions), finding.kind)
    for record in sorted({*catalogue.travelling(TOPICS.values(), AVRO), *index.releases}):
        versions = index.releases.get(record, ())
        newest = versions[-1] if versions else None
        yield {
            "record": record,
            "version": newest.number if newest else None,
            "id": newest.wire_id if newest else None,
            "compatibility": FULL if gate.is_public(record, TOPICS, index) else "BACKWARD_TRANSITIVE",
            "topics": [topic.name for topic in TOPICS.values() if carries(topic.record, record)],
            "state": state.get(record, "released"),
        }


def _findings(index: Index) -> tuple[Finding, ...]:
    return gate.examine(TOPICS, index, avro=AVRO, released=RELEASED, today=datetime.now(UTC).date())


def _show(findings: list[Finding], *, json_: bool) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for finding in findings:
        if json_:
            typer.echo(json.dumps(asdict(finding)))
        else:
            console.print(f"[bold red]{finding.kind}:[/] {escape(finding.sentence)}.")
            console.print(f"  [bold]what to do:[/] {escape(finding.fix)}.")


def _index_of(revision: str) -> Index:
    """The index as it was in a revision of the repository; empty where it had none. Raises `Fatal` for an unknown one."""

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", "-C", str(AVRO), *arguments], capture_output=True, text=True, check=False)

    if git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").returncode:
        raise Fatal(f"git knows no revision {revision} here", remedy="fetch it, or name another one")
    path = f"{revision}:./{RELEASED.relative_to(AVRO)}/{INDEX}"
    found = git("show", path)
    return parse_index(found.stdout, RELEASED) if found.returncode == 0 else Index()
