"""`burnline snapshot`: reads Odoo again beside live capture, as far as asked, steered by signals that outlast the one who sends them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from burnline import environment
from burnline.commands.output import Json, print_rows
from burnline.commands.processes import database
from infra.errors import Fatal, PoisonMessage
from infra.settings import Settings
from schemas.records import CaptureSignal, CaptureSnapshot, SignalCommand

app = typer.Typer(no_args_is_help=True, help="Read Odoo again beside live capture: start, pause, resume, stop, status.")
Which = Annotated[str | None, typer.Argument(metavar="[ID]", help="The snapshot; all that are not over, if left out.")]
LOOK_EVERY = 1.0
COLUMNS = ("snapshot_id", "state", "models", "rows", "rows_expected", "progress", "seconds_left", "events", "why")


@app.command()
def start(
    models: Annotated[list[str] | None, typer.Argument(help="Odoo models; all that are captured, if left out.")] = None,
    ids: Annotated[str | None, typer.Option(help="Only these records of one model, apart by commas.")] = None,
    where: Annotated[str | None, typer.Option(help="Only records of one model of which this holds, as JSON.")] = None,
    rows_per_second: Annotated[int | None, typer.Option(min=1, help="Read no faster than this.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Show its progress until it is over.")] = False,
) -> None:
    """Ask for a snapshot, and print its id. What has changed is published, what has not is not.

    Example: burnline snapshot start account.analytic.line --where '[["date", ">=", "2026-01-01"]]' --rows-per-second 500
    """
    settings = environment.load().settings
    signal = _signal(
        "start",
        models=list(models or ()),
        record_ids=_numbers(ids),
        domain=where,
        rows_per_second=rows_per_second,
    )
    _check(signal)
    _send(settings, signal)
    typer.echo(signal["signal_id"])
    if wait:
        _follow(settings, signal["signal_id"])


@app.command()
def pause(snapshot: Which = None) -> None:
    """Pause a snapshot.

    Example: burnline snapshot pause
    """
    _steer("pause", snapshot)


@app.command()
def resume(snapshot: Which = None) -> None:
    """Go on with a paused snapshot, where it was.

    Example: burnline snapshot resume
    """
    _steer("resume", snapshot)


@app.command()
def stop(snapshot: Which = None) -> None:
    """End a snapshot before it is done. What was published stays.

    Example: burnline snapshot stop
    """
    _steer("stop", snapshot)


@app.command()
def status(json_: Json = False) -> None:
    """Show the snapshots that were asked for, the newest last: those that are not over, and the last 20 of the others.

    Exit status 1 when the newest was refused.

    Example: burnline snapshot status --json
    """
    from producers.capture import standing

    settings = environment.load().settings
    found = [told(one) for one in standing.snapshots(settings.kafka, database(settings)).values()]
    found.sort(key=lambda one: one["asked_at"])
    rows = found if json_ else [{name: one[name] for name in COLUMNS} for one in found]
    print_rows(rows, json_=json_, empty="no snapshot was asked for yet: `burnline snapshot start`")
    raise typer.Exit(1 if found and found[-1]["state"] == "refused" else 0)


def told(one: CaptureSnapshot) -> dict[str, Any]:
    """A snapshot with its progress and the seconds that are left."""
    from producers.core.snapshots import LIVING, seconds_left

    left = seconds_left(one)
    share = min(1.0, one["rows"] / one["rows_expected"]) if one["rows_expected"] else None
    return {
        **one,
        "progress": share,
        "seconds_left": round(left, 1) if left is not None and one["state"] in LIVING else None,
    }


def _numbers(ids: str | None) -> list[int]:
    words = [word.strip() for word in (ids or "").split(",") if word.strip()]
    if not all(word.isdecimal() for word in words):
        raise Fatal(f"--ids {ids} is no list of ids", remedy="write it like --ids 17,23,42")
    return sorted({int(word) for word in words})


def _signal(command: SignalCommand, **more: Any) -> CaptureSignal:
    empty: Mapping[str, Any] = {
        "snapshot_id": None,
        "models": [],
        "record_ids": [],
        "domain": None,
        "rows_per_second": None,
    }
    return {"signal_id": str(uuid.uuid4()), "command": command, "asked_at": datetime.now(UTC), **empty, **more}  # type: ignore[typeddict-item]


def _check(signal: CaptureSignal) -> None:
    """Refuse here what the capture would refuse, as far as it can be known without its Odoo."""
    from infra.config import section
    from producers.core.mapping import mappings
    from producers.core.policy import CapturePolicy
    from producers.core.snapshots import checked

    config = environment.load(registry=False).config
    declared = {one.model: (*one.needed, *one.optional) for one in mappings(section(config, "capture", CapturePolicy))}
    try:
        checked(signal, declared)
    except PoisonMessage as error:
        raise Fatal(str(error), remedy=error.remedy) from None


def _steer(command: SignalCommand, snapshot: str | None) -> None:
    settings = environment.load().settings
    if snapshot is not None:
        _known(settings, snapshot)
    _send(settings, _signal(command, snapshot_id=snapshot))


def _known(settings: Settings, snapshot: str) -> None:
    """Refuse an id that no snapshot has, also none that no capture has read yet, and one of a snapshot that is over: the signal would do nothing."""
    from producers.capture import standing
    from producers.core.snapshots import LIVING, applied

    known = standing.snapshots(settings.kafka, database(settings))
    one = known.get(snapshot)
    if one is not None and one["state"] not in LIVING:
        raise Fatal(
            f"the snapshot {snapshot} is over: {one['state']}", remedy="ask for another with `burnline snapshot start`"
        )
    if one is None and snapshot not in standing.awaited(settings.kafka, database(settings), applied(known.values())):
        raise Fatal(f"there is no snapshot {snapshot}", remedy="`burnline snapshot status` shows the ids")


def _send(settings: Settings, signal: CaptureSignal) -> None:
    from infra.kafka.clients import producer
    from infra.kafka.writer import EventWriter
    from producers.capture.standing import SIGNALS, internal_key
    from schemas import codec

    writer = EventWriter(producer(settings.kafka))
    writer.send_bytes(SIGNALS.name, internal_key(database(settings)), codec.encode(SIGNALS.record, signal))
    writer.flush()


def _follow(settings: Settings, snapshot_id: str) -> None:
    """Progress until the snapshot is over; 1 when it was refused."""
    from producers.capture import standing
    from producers.core.snapshots import LIVING

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("waiting for the capture", total=None)
        while True:
            one = standing.snapshots(settings.kafka, database(settings)).get(snapshot_id)
            if one is not None:
                progress.update(task, description=one["state"], total=one["rows_expected"], completed=one["rows"])
                if one["state"] not in LIVING:
                    break
            time.sleep(LOOK_EVERY)
    if one["why"]:
        Console(stderr=True, soft_wrap=True).print(
            f"[bold red]{one['state']}:[/] {escape(one['why'])}", highlight=False
        )
    raise typer.Exit(1 if one["state"] == "refused" else 0)
