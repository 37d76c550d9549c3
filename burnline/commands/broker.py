"""`burnline broker`: the Kafka that Burnline brings along, running in the background."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from infra import embedded_kafka, logs
from infra.embedded_kafka import BrokerSettings, BrokerState
from infra.settings import load_settings

app = typer.Typer(
    name="broker",
    help="Start, stop and look at the Kafka broker that Burnline brings along.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.command()
def start(*, as_json: Json = False) -> None:
    """Start the broker in the background; returns once it answers.

    Example: `BURNLINE_BROKER__PORT=19092 burnline broker start`. Exit status: 0 it runs (also if it did before), 2 it cannot start.
    """
    settings = _settings()
    with _progress() as progress:
        state, fresh = embedded_kafka.start(settings, progress)
    _show(settings, state, "started" if fresh else "already running", as_json=as_json)


@app.command()
def stop() -> None:
    """Stop the broker in order; its data stays.

    Example: `burnline broker stop`. Exit status: 0, also if none was running.
    """
    stopped = embedded_kafka.stop(_settings())
    print(f"stopped: process {stopped.pid}" if stopped else "not running")


@app.command()
def status(*, as_json: Json = False) -> None:
    """Say whether the broker runs, and where.

    Example: `burnline broker status --json`. Exit status: 0 it runs, 1 it does not.
    """
    settings = _settings()
    state = embedded_kafka.status(settings)
    _show(settings, state, "running" if state else "not running", as_json=as_json)
    if state is None:
        raise typer.Exit(1)


def _settings() -> BrokerSettings:
    settings = load_settings()
    logs.configure(settings.log_level)
    return settings.broker


def _show(settings: BrokerSettings, state: BrokerState | None, word: str, *, as_json: bool) -> None:
    if as_json:
        known = {**asdict(state), "bootstrap_servers": f"127.0.0.1:{state.port}"} if state else {}
        print(json.dumps({"running": state is not None, **known, "data_dir": str(settings.data_dir)}))
    elif state:
        print(
            f"{word}: Apache Kafka {state.version} on 127.0.0.1:{state.port}, process {state.pid}, since {state.started_at}"
        )
        print(f"data in {settings.data_dir}")
    else:
        print(f"{word}; `burnline broker start` starts it")


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show the step that runs: a line that changes on a terminal, else a line per kind of step."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("looking for the broker") as line:
            yield line.update
        return
    shown: set[str] = set()

    def tell(step: str) -> None:
        kind = step.partition(":")[0]
        if kind not in shown:
            shown.add(kind)
            console.print(kind, soft_wrap=True)

    yield tell
