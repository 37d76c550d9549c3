"""`burnline odoo`: what Burnline needs to have set up in Odoo."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from burnline import environment
from infra.errors import Fatal
from infra.settings import WebhookSettings

app = typer.Typer(no_args_is_help=True, help="What Burnline needs to have set up in Odoo.")


@app.command("install-webhooks")
def install_webhooks(
    *,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where Odoo reaches `burnline webhooks`; else its own host and port."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what differs. Exit status 1 when anything does.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove all of them.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Have Odoo tell at once what changed: two automation rules for each captured model, called `Burnline: …`.

    They post to the address that BURNLINE_WEBHOOKS__ODOO_TOKEN keeps secret. Running it again changes nothing; after an upgrade, or with
    another token, it mends what differs. It needs a user of Odoo who may change settings; the capture does not.

    Example: burnline odoo install-webhooks --url https://hooks.example.com
    """
    from infra.config import section
    from infra.odoo import connect
    from producers.core.policy import CapturePolicy
    from producers.webhooks.automations import Automations

    found = environment.load(broker=False, registry=False)
    address = "" if remove else _address(url, found.settings.webhooks)
    automations = Automations(connect(found.settings.odoo))
    policy = section(found.config, "capture", CapturePolicy)
    todo = automations.leftovers() if remove else automations.differences(policy, address)
    if not check and not remove and not _answers(address):
        Console(stderr=True, soft_wrap=True).print(
            f"[yellow]nobody answers at {address.rpartition('/odoo/')[0]} from here:[/] until `burnline webhooks` does, each change that somebody makes"
            " in Odoo waits up to a second for it, and hints are lost (the capture's polls find the change)",
            highlight=False,
        )
    if not check:
        with Console(stderr=True).status("changing Odoo's automation rules"):
            automations.apply(todo)
    if json_:
        for change in todo:
            typer.echo(json.dumps({"action": change.action, "rule": change.name, "why": change.why, "done": not check}))
    elif todo:
        table = Table("rule", "to do" if check else "done", "why")
        for change in todo:
            table.add_row(change.name, change.action, change.why)
        Console(markup=False).print(table)
    else:
        typer.echo("no rule is left" if remove else "all rules are as they should be")
    raise typer.Exit(1 if check and todo else 0)


@app.command("log-connector")
def log_connector(
    *,
    host: Annotated[str, typer.Option(help="Where PostgreSQL listens, as Kafka Connect sees it.")] = "localhost",
    port: Annotated[int, typer.Option(help="On which port.")] = 5432,
) -> None:
    """Print the settings of Debezium's connector for Kafka Connect, with which the capture follows the database's log instead of polling.

    For an Odoo of your own, on PostgreSQL with wal_level=logical; docs/log.md says what else it takes.

    Example: burnline odoo log-connector --host db | curl -X PUT -H content-type:application/json -d @- connect:8083/connectors/odoo-log/config
    """
    from infra.config import section
    from producers.core.log import connector
    from producers.core.mapping import mappings
    from producers.core.policy import CapturePolicy

    found = environment.load(broker=False, registry=False)
    topic, database = found.settings.capture.log_topic, found.settings.odoo.db
    if topic is None or database is None:
        raise Fatal(
            "which topic the log goes to, or which database it is of, is not configured",
            remedy="set BURNLINE_CAPTURE__LOG_TOPIC, for example to odoo-log, and ODOO_DB",
        )
    policy = section(found.config, "capture", CapturePolicy)
    typer.echo(json.dumps(connector(mappings(policy), topic=topic, database=database, host=host, port=port), indent=2))


def _answers(address: str) -> bool:
    """Whether a receiver lives where Odoo is to post, as far as can be seen from here."""
    import httpx

    try:
        return httpx.get(f"{address.rpartition('/odoo/')[0]}/health", timeout=5.0).is_success
    except httpx.HTTPError:
        return False


def _address(url: str | None, settings: WebhookSettings) -> str:
    """Where Odoo is to post. Raises `Fatal` where no token keeps it secret."""
    tokens = settings.odoo_token.get_secret_value().split() if settings.odoo_token else []
    if not tokens:
        raise Fatal(
            "no token is configured, which keeps the address of Odoo's posts secret",
            remedy="set BURNLINE_WEBHOOKS__ODOO_TOKEN, for `burnline webhooks` too; python3 -c 'import secrets; print(secrets.token_urlsafe(32))' makes one",
        )
    base = url or f"http://{settings.host}:{settings.port}"
    if not base.startswith(("http://", "https://")):
        raise Fatal(f"{base} is no address", remedy="write it like https://hooks.example.com")
    return f"{base.rstrip('/')}/odoo/{tokens[0]}"
