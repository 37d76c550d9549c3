"""`burnline audit`: whether what is on the topics equals what is in Odoo, and the corrections where it does not."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import structlog
import typer
from rich.console import Console
from rich.table import Table

from burnline import environment
from burnline.commands.output import progress
from burnline.commands.processes import stopped_by_signals
from infra import logs
from infra.errors import Fatal, Transient

if TYPE_CHECKING:
    from burnline.environment import Environment
    from producers.audit import Line, Outcome, Request

SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(audit)


def audit(
    *,
    model: Annotated[list[str] | None, typer.Option(help="Audit this model alone; may be repeated.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Read rows only where counts or sums differ.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Publish corrections; a running capture is fenced.")] = False,
    settle: Annotated[float, typer.Option(min=0, help="Seconds after which differences are looked at again.")] = 5.0,
    every: Annotated[float | None, typer.Option(min=1, help="Audit again and again, so many seconds apart.")] = None,
    metrics: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="With --every: where Prometheus finds the differences.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Compare every record and every sum in Odoo with what the topics say of them.

    Finds records that are missing, wrong, or there without ever having been in Odoo (phantoms), and events that are doubled or lost.

    Example: burnline audit --quick --model account.analytic.line

    Example: burnline audit --every 3600 --metrics 127.0.0.1:9465

    Exit status: 0 no difference; 1 differences, also where they were repaired; 2 the call or the environment is wrong; 3 may pass.
    """
    from infra.metrics import served
    from producers.audit import Figures, Request

    logs.configure("warning")
    if repair and every is not None:
        raise Fatal("a repair ends the capture, so it is for a person to call", remedy="leave out --every or --repair")
    if metrics is not None and every is None:
        raise Fatal("an audit that ends tells its figures to nobody", remedy="add --every, for example --every 3600")
    found = environment.load()
    request = Request(tuple(model or ()), quick=quick, repair=repair, settle=settle)
    if every is None:
        raise typer.Exit(0 if _audited(found, request, json_=json_).clean else 1)
    stop, figures, clean = stopped_by_signals(), Figures(), True
    with served(metrics):
        while not stop.is_set():
            try:
                outcome = _audited(found, request, json_=json_, stop=stop)
            except _Stopped:
                break
            except Transient as error:
                structlog.get_logger().warning("audit_postponed", cause=str(error), remedy=error.remedy)
            else:
                clean = outcome.clean
                figures.tell(outcome)
            stop.wait(every)
    raise typer.Exit(0 if clean else 1)


class _Stopped(Exception):  # noqa: N818  no failure
    """A signal came while an audit was being made."""


def _audited(found: Environment, request: Request, *, json_: bool, stop: threading.Event | None = None) -> Outcome:
    """One audit, told while it is made and at its end. Raises `_Stopped` at the next step once `stop` is set."""
    from producers.audit import run

    shown: list[Any] = []

    def tell(difference: Any) -> None:
        if json_:
            typer.echo(json.dumps({"type": "difference", **asdict(difference)}))
        elif len(shown) < SHOWN:
            shown.append(difference)

    with progress("auditing") as say:

        def told(what: str) -> None:
            if stop is not None and stop.is_set():
                raise _Stopped
            say(what)

        outcome = run(found.settings, found.config, request, on_difference=tell, on_progress=told)
    (_say_json if json_ else _show)(outcome, shown)
    return outcome


def _ledger(line: Line) -> dict[str, Any]:
    """A line of the ledger as plain values."""
    sums = {
        one.of: [odoo / one.scale, topic / one.scale]
        for one, odoo, topic in zip(line.table, line.odoo.sums, line.on_topic.sums, strict=True)
    }
    return {
        "model": line.model,
        "topic": line.topic,
        "period": line.period or None,
        "agrees": line.agrees,
        "records": [line.odoo.count, line.on_topic.count],
        "ids": [line.odoo.ids, line.on_topic.ids],
        "sums": sums,
    }


def _say_json(outcome: Outcome, _shown: list[Any]) -> None:
    for line in outcome.lines:
        typer.echo(json.dumps({"type": "ledger", **_ledger(line)}))
    typer.echo(json.dumps({"type": "summary", "clean": outcome.clean, **_summary(outcome)}))


def _summary(outcome: Outcome) -> dict[str, Any]:
    return {
        "differences": dict(outcome.kinds),
        "repaired": outcome.repaired,
        "events": outcome.records,
        "rows": outcome.rows,
        "hidden": outcome.hidden,
        "unmapped": outcome.unmapped,
        "unreadable": outcome.unreadable,
        "seconds": round(outcome.seconds, 2),
    }


def _show(outcome: Outcome, shown: list[Any]) -> None:
    console = Console(markup=False)
    ledger = Table("model", "period", "in Odoo", "on the topic", "sums that differ", title="ledger")
    for model in dict.fromkeys(line.model for line in outcome.lines):
        lines = [line for line in outcome.lines if line.model == model]
        apart = [line for line in lines if not line.agrees]
        if not apart:
            counts = sum(line.odoo.count for line in lines), sum(line.on_topic.count for line in lines)
            ledger.add_row(model, f"all {len(lines)}", f"{counts[0]:,}", f"{counts[1]:,}", "")
        for line in apart:
            differ = [
                f"{name}: {odoo:,.10g}, {topic:,.10g}"
                for name, (odoo, topic) in _ledger(line)["sums"].items()
                if odoo != topic
            ]
            ledger.add_row(
                model,
                line.period or "–",
                f"{line.odoo.count:,}",
                f"{line.on_topic.count:,}",
                "; ".join(differ),
                style="red",
            )
    console.print(ledger)
    if shown:
        table = Table("record", "topic", "difference", "what", title="differences")
        for one in shown:
            table.add_row(one.subject, one.topic, one.kind, one.detail)
        console.print(table)
        rest = sum(outcome.kinds.values()) - len(shown)
        if rest:
            console.print(f"and {rest:,} more: --json tells them all")
    told = {
        **_summary(outcome),
        "differences": ", ".join(f"{n:,} {kind}" for kind, n in outcome.kinds.items()) or "none",
    }
    for name, value in told.items():
        console.print(f"{name}: {value}")
