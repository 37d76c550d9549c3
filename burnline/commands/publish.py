"""`burnline schemas publish`: the released schemas into the configured registry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from infra import logs
from infra.errors import Fatal
from infra.settings import load_settings
from schemas.gate.integrity import damages
from schemas.released import RELEASED_FOLDER, index

if TYPE_CHECKING:
    from infra.registry import Line, Registry


def publish(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Bring the schema registry in line with the releases: every version, and each subject's compatibility. Safe to repeat.

    Example: BURNLINE_REGISTRY__URL=http://127.0.0.1:8081 burnline schemas publish

    Exit status: 0 done, or nothing to do; 1 with --dry-run when something would change; 2 the registry refuses; 3 it does not answer.
    """
    from infra.registry import open_registry, survey

    logs.configure("warning")
    registry = open_registry(load_settings().registry)
    for damage in damages(index(), RELEASED_FOLDER):
        raise Fatal(damage.sentence, remedy=damage.fix)
    before = survey(registry, index())
    after = before if dry_run else _carried_out(registry, before)
    if json_:
        for line in after:
            typer.echo(json.dumps(_as_json(line)))
    else:
        _show(registry, after)
    raise typer.Exit(1 if dry_run and any(line.changes for line in after) else 0)


def _carried_out(registry: Registry, lines: Sequence[Line]) -> list[Line]:
    """The lines as they are after publishing; those that were in line before are not touched."""
    from infra.registry import publish as publish_lines

    todo = [line for line in lines if not line.in_line]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"publishing to {registry.name}", total=len(todo))
        done = publish_lines(registry, todo, lambda: progress.advance(task))
    made = {(line.subject, line.release.number): line for line in done}
    return [made.get((line.subject, line.release.number), line) for line in lines]


def _show(registry: Registry, lines: Sequence[Line]) -> None:
    from infra.registry import numbered_otherwise

    console = Console()
    table = Table()
    for title in ("subject", "version", "id", "compatibility", "changed"):
        table.add_column(title, overflow="fold")
    for line in lines:
        changed = ", ".join(line.changes) or "–"
        number = "–" if line.number is None else str(line.number)
        table.add_row(line.subject, str(line.release.number), number, line.wanted, changed)
    console.print(table)
    changes = sum(bool(line.changes) for line in lines)
    console.print(f"{registry.name}: {len(lines)} versions, {changes} changed", soft_wrap=True)
    if others := numbered_otherwise(lines):
        console.print(
            f"{len(others)} have other ids than they were released with; records carry those of the registry",
            soft_wrap=True,
        )


def _as_json(line: Line) -> dict[str, object]:
    return {
        "subject": line.subject,
        "record": line.release.record,
        "version": line.release.number,
        "id": line.number,
        "released_id": line.release.wire_id,
        "registry_version": line.version,
        "compatibility": line.wanted,
        "changes": list(line.changes),
    }
