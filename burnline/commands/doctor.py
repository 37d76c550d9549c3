"""`burnline doctor`: every connection, permission, topic and schema, and what to do about each that fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from burnline import environment
from burnline.commands import cluster_checks
from burnline.commands.finding import Finding
from burnline.commands.output import progress
from burnline.environment import Environment
from infra.errors import BurnlineError
from infra.kafka import clients
from infra.kafka.names import GOVERNOR
from schemas import catalogue, gate, generate, released
from schemas.topics import TOPICS


def add_to(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(doctor)


def doctor(json_: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False) -> None:
    """Check everything that Burnline needs. Exit status 1 when something fails.

    Example: ODOO_URL=http://127.0.0.1:8069 ODOO_DB=firm ODOO_PASSWORD=… burnline doctor
    """
    findings: list[Finding] = []
    with progress("checking") as tell:
        for finding in examine():
            findings.append(finding)
            tell(f"checking; {finding.check}: {finding.verdict}")
            if json_:
                typer.echo(json.dumps(asdict(finding)))
    if not json_:
        table = Table("check", "verdict", "detail", "what to do")
        for finding in findings:
            colour = {"ok": "green", "warning": "yellow"}.get(finding.verdict, "red")
            table.add_row(
                finding.check, f"[{colour}]{finding.verdict}[/]", escape(finding.detail), escape(finding.remedy)
            )
        Console().print(table)
    raise typer.Exit(1 if any(finding.verdict == "failed" for finding in findings) else 0)


def examine() -> Iterator[Finding]:
    """Each check in turn; one that needs what failed before is left out."""
    try:
        found = environment.load(registry=False)
    except BurnlineError as error:
        yield Finding("settings", "failed", str(error), error.remedy)
        return
    yield Finding("settings", "ok", "every BURNLINE_ variable is known")
    yield from _checked("schemas", _schemas)
    yield from _checked("registry", lambda: _registry(found))
    yield from _checked("configuration", lambda: _configuration(found))
    broker = list(_checked("kafka", lambda: _kafka(found)))
    yield from broker
    complete = False
    if broker[0].verdict == "ok":
        topics = list(_checked("topics", lambda: cluster_checks.topics(found.settings)))
        yield from topics
        yield from _checked("access", lambda: cluster_checks.access(found.settings))
        complete = all(finding.verdict != "failed" for finding in topics)
        if complete:
            yield from _checked("records", lambda: _records(found))
            yield from _checked("governor", lambda: _governor(found))
    if found.settings.odoo.url is None:
        yield Finding("odoo", "warning", "no Odoo is configured", "set ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD")
    else:
        yield from _checked("odoo", lambda: _odoo(found, captured=complete))


def _checked(name: str, check: Callable[[], list[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except BurnlineError as error:
        yield Finding(name, "failed", str(error), error.remedy)


def _schemas() -> list[Finding]:
    index = released.index()
    today = datetime.now(UTC).date()
    found = gate.examine(TOPICS, index, avro=catalogue.AVRO_FOLDER, released=released.RELEASED_FOLDER, today=today)
    if found:
        return [Finding("schemas", "failed", finding.sentence, finding.fix) for finding in found]
    stale = [path.name for path, text in generate.modules().items() if path.read_text(encoding="utf-8") != text]
    if stale:
        return [Finding("schemas", "failed", f"{', '.join(stale)} do not match schemas/avro", "run `make docs`")]
    return [Finding("schemas", "ok", f"{len(index.releases)} schemas as released, {len(TOPICS)} topics")]


def _registry(found: Environment) -> list[Finding]:
    from burnline.commands import registry_checks

    return registry_checks.registry(found.settings)


def _records(found: Environment) -> list[Finding]:
    from burnline.commands import registry_checks

    return registry_checks.records(found.settings)


def _configuration(found: Environment) -> list[Finding]:
    from consumers.actions.policy import load_policy
    from infra.config import section
    from producers.core.policy import CapturePolicy
    from streams.core.policy import Measures

    section(found.config, "measures", Measures)
    section(found.config, "capture", CapturePolicy)
    policy = load_policy(found.config)
    source = found.settings.config or "defaults"
    return [Finding("configuration", "ok", f"{source}: {len(policy.rules)} policy rules, each with an owner")]


def _governor(found: Environment) -> list[Finding]:
    from consumers.actions.policy import load_policy
    from consumers.core.lag_verdict import Verdict
    from consumers.lag import lag

    policy = load_policy(found.config)
    waiting = [rule.name for rule in policy.rules if policy.needs_governor(rule) or rule.service_level]
    rows = [one for one in lag(found.settings) if one.group == GOVERNOR]
    rules = f"the policy rules {', '.join(waiting)} wait for it" if waiting else "no policy rule waits for it"
    start = "run `burnline governor`, or `burnline run`, which starts it with all else"
    if not rows:
        return [
            Finding("governor", "warning" if waiting else "ok", f"none has run yet; {rules}", start if waiting else "")
        ]
    behind = sum(one.lag for one in rows)
    if any(one.verdict is not Verdict.OK for one in rows):
        return [Finding("governor", "warning", f"{behind} records behind, and it does not move; {rules}", start)]
    return [Finding("governor", "ok", f"{behind} records behind; {rules}")]


def _kafka(found: Environment) -> list[Finding]:
    clients.broker_answers(found.settings.kafka)
    return [Finding("kafka", "ok", f"answers on {found.settings.kafka.bootstrap_servers}")]


def _odoo(found: Environment, *, captured: bool) -> list[Finding]:
    """What can be captured here; where the topics are there, also what was and can be no more."""
    from infra.odoo.client import connect
    from producers.capture import standing
    from producers.capture.survey import survey

    client = connect(found.settings.odoo)
    findings = [Finding("odoo", "ok", f"version {client.version()} answers as {found.settings.odoo.user}")]
    cursors = standing.cursors(found.settings.kafka, client.database) if captured else {}
    read = {model: cursor["fields"] for model, cursor in cursors.items()}
    problems = survey(client, found.config, read)
    return [*findings, *(Finding(f"odoo: {p.model}", "warning", p.detail, p.remedy) for p in problems)]
