"""`burnline streams`: the worker, and the rebuild of what the workers keep."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from burnline import environment
from burnline.commands.moments import when
from burnline.commands.output import Json, print_rows
from burnline.commands.processes import Lifeline, begin
from infra.settings import Settings, load_settings
from schemas.topics import PROCESSORS

if TYPE_CHECKING:
    from streams.engine.topology import Topology

app = typer.Typer(invoke_without_command=True)
Alerts = Counter[tuple[str, str]]


@app.callback()
def streams(context: typer.Context, lifeline: Lifeline = False) -> None:
    """Keep the measures: a worker of the stream processors, with health, readiness and state look-ups over HTTP.

    Example: BURNLINE_STREAMS__INSTANCE=worker-1 burnline streams
    """
    if context.invoked_subcommand is not None:
        return
    from streams.app import run as run_streams

    found, _stop = begin(lifeline=lifeline)
    run_streams(found.settings)


@app.command()
def rebuild(
    *,
    processor: Annotated[str | None, typer.Option(help=f"Only this one of {', '.join(PROCESSORS)}.")] = None,
    as_of: Annotated[datetime | None, when(means="Look only, at what the states were")] = None,
    policy: Annotated[Path | None, typer.Option(exists=True, help="Look only: the alerts under this policy.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look only: what a rebuild would change.")] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many share the work; by default as many as there are cores.")
    ] = None,
    patience: Annotated[float, typer.Option(help="Seconds to wait for the workers to be stopped.")] = 300,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Recompute states from the beginning of history, and replace what differs in one transaction. Publishes no measure, alert or action.

    The workers go on while history is read; then they must be stopped, and the swap waits for that.

    Example: burnline streams rebuild --policy stricter.yaml
    """
    from streams.rebuild.run import rebuild as run_rebuild

    if processor is not None and processor not in PROCESSORS:
        raise typer.BadParameter(f"{processor} is none of {', '.join(PROCESSORS)}", param_hint="--processor")
    settings = environment.load().settings
    moment = None if as_of is None else round(as_of.timestamp() * 1000)
    look_only = dry_run or policy is not None
    with _progress() as tell:
        rebuilt = partial(
            run_rebuild, only=processor, as_of=moment, processes=processes or os.cpu_count() or 1, tell=tell
        )
        report = rebuilt(settings, partial(_composed, settings), look_only=look_only, patience=patience)
        other: Alerts | None = None
        if policy is not None:
            theirs = settings.model_copy(update={"config": policy})
            other = rebuilt(settings, partial(_composed, theirs), look_only=True).alerts
    if json_:
        typer.echo(json.dumps(report.plain() | ({} if other is None else {"alerts_under_policy": _listed(other)})))
        return
    console = Console()
    table = Table("processor", "rows that stay", "change", "come", "go")
    for name, difference in report.processors.items():
        table.add_row(name, *map(str, difference))
    console.print(table)
    if other is not None:
        console.print(_compared(report.alerts, other))
    console.print(
        f"{report.records:,} records; " + ("the states are replaced" if report.swapped else "nothing was changed")
    )


def _composed(settings: Settings) -> Topology:
    """The topology under the settings' policy, with the numbers of their schema registry, in whatever process."""
    from streams.wiring import measures_policy, topology

    environment.use_registry(settings)
    return topology(measures_policy(settings))


@app.command()
def rules(
    file: Annotated[
        Path | None, typer.Argument(help="A configuration; the one in use by default.", exists=True, dir_okay=False)
    ] = None,
    json_: Json = False,
) -> None:
    """List the rules of the measures by the names that alerts give them: of each measure, and from which day they hold. `--json` has them whole.

    Example: burnline streams rules --json firm.yaml
    """
    from streams.core.rules import plain as in_words
    from streams.core.rules import sections
    from streams.wiring import measures_policy

    settings = load_settings()
    policy = measures_policy(settings if file is None else settings.model_copy(update={"config": file}))
    rows = [
        {"rules": one.in_force.name, "measure": one.measure, "from": one.in_force.begins}
        | ({"values": in_words(one.rules)} if json_ else {})
        for one in sections(policy)
    ]
    print_rows(rows, json_=json_, empty="")


def _listed(alerts: Alerts) -> list[dict[str, Any]]:
    return [{"rule": rule, "status": status, "count": count} for (rule, status), count in sorted(alerts.items())]


def _compared(now: Alerts, then: Alerts) -> Table:
    table = Table("rule", "status", "as it is", "under the policy")
    for rule, status in sorted({*now, *then}):
        table.add_row(rule, status, str(now[rule, status]), str(then[rule, status]))
    return table


@contextmanager
def _progress() -> Iterator[Any]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading history", total=None)

        def tell(doing: str, done: int, total: int) -> None:
            progress.update(task, description=doing, completed=done, total=total or None)

        yield tell
