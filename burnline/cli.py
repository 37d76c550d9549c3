"""The command line: one typer application, made of one module per group of commands.

Exit status: 0 done, 1 a check found something wrong, 2 the call or the environment is wrong, 3 a failure that may pass.
Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.markup import escape

from burnline.commands import (
    audit,
    broker,
    by_hand,
    dlq,
    doctor,
    look,
    odoo,
    policy,
    privacy,
    processes,
    schemas,
    snapshot,
    status,
    streams,
    topics,
    trail,
)
from burnline.commands.demo import add_to as add_demo
from infra.errors import BurnlineError, Transient

app = typer.Typer(
    name="burnline",
    help="Business events from Odoo on Kafka, and the measures a services firm lives by, live.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(broker.app, name="broker")
app.add_typer(topics.app, name="topics")
app.add_typer(schemas.app, name="schemas")
app.add_typer(odoo.app, name="odoo")
app.add_typer(dlq.app, name="dlq")
app.add_typer(privacy.app, name="privacy")
app.add_typer(trail.app, name="trail")
app.command()(trail.trace)
app.add_typer(policy.app, name="policy")
app.add_typer(snapshot.app, name="snapshot")
app.add_typer(streams.app, name="streams")
add_demo(app)
doctor.add_to(app)
processes.add_to(app)
look.add_to(app)
status.add_to(app)
audit.add_to(app)
by_hand.add_to(app)


def main() -> None:
    """Run the command; a failure that a person can act on is told in two lines, without a traceback."""
    try:
        app()
    except BurnlineError as error:
        console = Console(stderr=True, soft_wrap=True)
        console.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False)
        if error.remedy:
            console.print(f"[bold]what to do:[/] {escape(error.remedy)}", highlight=False)
        sys.exit(3 if isinstance(error, Transient) else 2)
    except KeyboardInterrupt:
        sys.exit(130)
