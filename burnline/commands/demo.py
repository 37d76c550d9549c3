"""`burnline demo`: the whole product on real parts in one terminal, and a proof at the end."""

from __future__ import annotations

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(demo)


def demo(
    seconds: Annotated[int, typer.Option("--seconds", min=1, help="How long the firm works.")] = 60,
    rate: Annotated[
        float, typer.Option("--rate", min=0.1, max=500, help="Changes per second in the embedded Odoo.")
    ] = 5.0,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end, and nothing else.")] = False,
) -> None:
    """Run everything on real parts, show it live, and prove every measure at the end. Exit status 1 when anything differs.

    Example: burnline demo --seconds 30. With ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD set, it runs against that Odoo.
    """
    from burnline.demo.course import run  # every other command is spared the memory of it

    raise typer.Exit(0 if run(seconds=seconds, rate=rate, as_json=json_) else 1)
