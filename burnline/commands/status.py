"""`burnline status`: what the capture is doing, since when and why, how old its cursors are, and how far its snapshots have come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from burnline import environment
from burnline.commands.output import Json, print_rows
from burnline.commands.processes import database
from burnline.commands.snapshot import COLUMNS, told
from schemas.records import CaptureCursor, CaptureStatus

SILENT = 60.0
"""Seconds without a word after which the capture is taken to be down; it says something every ten."""
SNAPSHOT = tuple(name for name in COLUMNS if name != "why")


def add_to(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(status)


def status(json_: Json = False) -> None:
    """Show what the capture is doing. Exit status 1 when it waits for Odoo, is left without a word, or does not run.

    Example: burnline status --json
    """
    from producers.capture import standing
    from producers.core.snapshots import LIVING

    settings = environment.load().settings
    name, now = database(settings), datetime.now(UTC)
    said = standing.status(settings.kafka, name)
    capture = _capture(said, name, now)
    models = [_model(cursor, now) for cursor in standing.cursors(settings.kafka, name).values()]
    asked = [told(one) for one in standing.snapshots(settings.kafka, name).values() if one["state"] in LIVING]
    if json_:
        kinds = (("capture", [capture]), ("model", models), ("snapshot", asked))
        print_rows([{"kind": kind, **row} for kind, rows in kinds for row in rows], json_=True, empty="")
    else:
        _tell(capture)
        print_rows(models, json_=False, empty="no model was captured yet")
        if asked:
            print_rows([{name: one[name] for name in SNAPSHOT} for one in asked], json_=False, empty="")
    raise typer.Exit(0 if capture["state"] in {"loading", "capturing"} else 1)


def _capture(said: CaptureStatus | None, name: str, now: datetime) -> dict[str, Any]:
    if said is None:
        return {"database": name, "state": "never ran", "since": None, "why": None, "breaker_open": False}
    silent = (now - said["told_at"]).total_seconds()
    row: dict[str, Any] = {"database": name, **said, "silent_seconds": round(silent, 1)}
    if said["state"] != "stopped" and silent > SILENT:
        row |= {
            "state": "silent",
            "since": said["told_at"],
            "why": f"it was {said['state']} when it last said something",
        }
    return row


def _tell(capture: Mapping[str, Any]) -> None:
    console = Console(soft_wrap=True)
    colour = "green" if capture["state"] in {"loading", "capturing"} else "red"
    since = f" since {capture['since']:%Y-%m-%d %H:%M:%S} UTC" if capture["since"] else ""
    console.print(f"capture of {capture['database']}: [bold {colour}]{capture['state']}[/]{since}", highlight=False)
    if capture.get("url"):
        console.print(
            f"odoo: {capture['url']} over {capture['transport']}, a pass every {capture['poll_millis'] / 1000:.2f} s",
            highlight=False,
        )
    if capture["why"]:
        console.print(f"why: {escape(capture['why'])}", highlight=False)
    if capture["breaker_open"]:
        console.print(f"circuit breaker: open after {capture['failures']} failed calls in a row", highlight=False)


def _model(cursor: CaptureCursor, now: datetime) -> dict[str, Any]:
    """A model's snapshot, newest change and last sweep, in seconds before now."""
    total, rows = cursor["snapshot_expected"], cursor["snapshot_rows"]
    done = cursor["snapshot_done"]
    began = cursor["snapshot_began_at"]
    left = None
    if not done and total and rows and began is not None:
        left = round(max(0, total - rows) * (now - began).total_seconds() / rows, 1)
    return {
        "model": cursor["model"],
        "snapshot": "done" if done else "loading",
        "rows": rows,
        "total": total,
        "seconds_left": left,
        "newest_change_seconds": _age(cursor["high_water"], now),
        "swept_seconds": _age(cursor["swept_at"], now),
    }


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else round((now - moment).total_seconds(), 1)
