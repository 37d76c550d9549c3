"""The commands that run until they are told to stop: each process alone, and all of them in one tree.

Each command imports only what it runs, since every process of a deployment pays for its imports in memory.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Annotated, TypeVar

import structlog
import typer

from burnline import environment
from burnline.environment import Environment
from burnline.supervisor import Supervisor, burnline_child
from infra import logs
from infra.errors import Fatal, Transient
from infra.settings import Settings
from schemas.topics import TOPICS

log = structlog.get_logger()
T = TypeVar("T")
Lifeline = Annotated[bool, typer.Option("--lifeline", hidden=True, help="End when standard input closes.")]
COMMANDS = ("webhooks", "capture", "streams", "actions", "governor", "trail keep", "dlq watch")
"""What `run` starts at once; the clock follows when the history is loaded."""
LOOK_EVERY = 1.0


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (capture, webhooks, clock, actions, governor, assist, run):
        app.command()(command)


def begin(*, lifeline: bool) -> tuple[Environment, threading.Event]:
    """The environment, and an event that a signal to stop sets."""
    if lifeline:
        from infra.lifeline import watch_parent

        watch_parent()
    found = environment.load()
    logs.configure(found.settings.log_level)
    return found, stopped_by_signals()


def stopped_by_signals() -> threading.Event:
    """An event that a signal to stop sets."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def capture(
    once: Annotated[bool, typer.Option("--once", help="Catch up, sweep, print what was published, and end.")] = False,
    lifeline: Lifeline = False,
) -> None:
    """Publish what changes in Odoo.

    Example: ODOO_URL=http://127.0.0.1:8069 ODOO_DB=firm ODOO_PASSWORD=… burnline capture --once
    """
    from infra.metrics import served
    from producers.capture import run as run_capture

    found, stop = begin(lifeline=lifeline)
    with served(None if once else found.settings.capture.metrics):
        published = run_capture(found.settings, found.config, once=once, stop=stop)
    if once:
        for topic, count in sorted(published.items()):
            typer.echo(f"{topic}\t{count}")


def webhooks(lifeline: Lifeline = False) -> None:
    """Receive signed webhooks and Odoo's hints.

    Example: BURNLINE_WEBHOOKS__SOURCES='{"n8n": "whsec_…"}' burnline webhooks
    """
    from infra.config import section
    from producers.core.policy import CapturePolicy
    from producers.webhooks import serve

    found, _stop = begin(lifeline=lifeline)
    policy = section(found.config, "capture", CapturePolicy)
    serve(found.settings, database=database(found.settings), policy=policy)


def clock(lifeline: Lifeline = False) -> None:
    """Publish ticks: time as an event.

    Example: BURNLINE_CLOCK__PERIOD=60 burnline clock
    """
    from producers.clock import run as run_clock

    found, stop = begin(lifeline=lifeline)
    run_clock(found.settings, stop)


def actions(
    govern: Annotated[bool, typer.Option("--govern", help="Govern in this process, too: one process less.")] = False,
    lifeline: Lifeline = False,
) -> None:
    """Carry out what the policy says about alerts.

    Example: BURNLINE_CONFIG=firm.yaml burnline actions
    """
    from consumers.actions import run as run_actions
    from consumers.governor import beside

    found, stop = begin(lifeline=lifeline)
    odoo = found.settings.odoo if found.settings.odoo.url else None
    with beside(found.settings, found.config, stop) if govern else nullcontext():
        run_actions(found.settings, found.config, odoo, stop)


def governor(lifeline: Lifeline = False) -> None:
    """Decide whose turn it is about alerts and requests for approval, and what must wait.

    Example: BURNLINE_CONFIG=firm.yaml burnline governor
    """
    from consumers.governor import run as run_governor

    found, stop = begin(lifeline=lifeline)
    run_governor(found.settings, found.config, stop)


def assist(lifeline: Lifeline = False) -> None:
    """Propose priorities, summaries and suspicions of invoices entered twice. It can do nothing else, and everything works without it.

    Example: BURNLINE_ASSIST__MODEL_URL=https://model.example burnline assist
    """
    from consumers.assist import run as run_assist

    found, stop = begin(lifeline=lifeline)
    run_assist(found.settings, stop)


def run(lifeline: Lifeline = False) -> None:
    """Run everything in one process tree; a process that dies is started again.

    The clock starts when the first snapshot is complete, so that no alert speaks of a half-read history.

    Example: ODOO_URL=https://odoo.example ODOO_DB=firm ODOO_PASSWORD=… burnline run
    """
    from burnline.readiness import history_is_loaded
    from infra.kafka.states import missing
    from producers.capture.survey import readable_models

    found, stop = begin(lifeline=lifeline)
    name = database(found.settings)
    if lacking := missing(found.settings.kafka, TOPICS):
        raise Fatal(f"{len(lacking)} topics are missing, {lacking[0]} among them", remedy="run `burnline topics apply`")
    variables = {**os.environ, "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": found.settings.kafka.bootstrap_servers or ""}
    with Supervisor([burnline_child(*command.split(), environment=variables) for command in COMMANDS]) as supervisor:
        models = _first(lambda: readable_models(found.settings, found.config), stop)
        if models and _first(lambda: history_is_loaded(found.settings.kafka, name, models), stop):
            supervisor.add(burnline_child("clock", environment=variables))
            stop.wait()


def _first(ask: Callable[[], T], stop: threading.Event) -> T | None:
    """The first answer that says something; None when told to stop. Who does not answer now is asked again: so does the load go on."""
    while not stop.is_set():
        try:
            if found := ask():
                return found
        except Transient as error:
            log.warning("waiting_to_start_the_clock", reason=str(error), remedy=error.remedy)
        stop.wait(LOOK_EVERY)
    return None


def database(settings: Settings) -> str:
    """The Odoo database. Raises `Fatal` when none is named."""
    if settings.odoo.url is None or settings.odoo.db is None:
        raise Fatal(
            "no Odoo is configured", remedy="set ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD, or run `burnline demo`"
        )
    return settings.odoo.db
