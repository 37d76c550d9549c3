"""`burnline policy`: is the policy right, and what would it have done?"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from burnline import environment
from burnline.commands.moments import when
from burnline.commands.output import Json, print_rows
from infra.config import read_config
from infra.errors import Fatal
from infra.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="The policy: check it, and try it on history.")
File = Annotated[Path | None, typer.Argument(help="A policy file; the configuration's by default.", show_default=False)]


@app.command()
def check(
    file: File = None,
    json_: Json = False,
    people: Annotated[bool, typer.Option("--people", help="Ask Kafka, too, who of the people has left.")] = False,
) -> None:
    """Check the policy: every mistake with its line, its cause and what to do. Exit status 1 where there is one.

    Example: burnline policy check firm.yaml
    """
    from consumers.core.directory import Directory
    from consumers.directory import read_directory
    from consumers.policy_check import check as findings

    path, text = _text(file)
    directory = read_directory(environment.load().settings.kafka) if people else Directory()
    found = findings(text, directory, load_settings().actions.allowed_networks)
    for one in found:
        if json_:
            typer.echo(json.dumps({"file": path, **asdict(one)}))
        else:
            place = f" {one.place}:" if one.place else ""
            typer.echo(f"{path}:{one.line}:{place} {one.cause}\n  what to do: {one.remedy}")
    if found:
        raise typer.Exit(1)
    if not json_:
        typer.echo(f"{path}: nothing is wrong")


@app.command("try")
def try_(
    since: Annotated[datetime, when(means="From then on")],
    file: File = None,
    json_: Json = False,
    until: Annotated[datetime | None, when(means="Up to then, or now")] = None,
) -> None:
    """Show what a policy would have done with what has happened since. Nothing is done, and nothing written.

    Attributes of subjects are those of today, and the clock ticks every five minutes.

    Example: burnline policy try --since 7d firm.yaml
    """
    from consumers.actions.policy import load_policy
    from consumers.trial import trial

    path, _ = _text(file)
    policy = load_policy(_sections(Path(path)) if path != PACKAGED else {})
    end = datetime.now(UTC) if until is None else until
    rows = trial(environment.load().settings.kafka, policy, since, end)
    if json_:
        shown = [asdict(row) for row in rows]
    else:
        shown = [
            {
                "at": f"{row.at:%Y-%m-%d %H:%M}",
                "rule": row.policy,
                "what": row.what,
                "who": row.who,
                "about": f"{row.subject} and {row.alerts - 1} more" if row.alerts > 1 else row.subject,
                "alert": row.alert,
                "targets": list(row.targets),
                "why": row.why,
            }
            for row in rows
        ]
    print_rows(shown, json_=json_, empty=f"nothing would have been done since {since:%Y-%m-%d %H:%M} UTC")


PACKAGED = "the packaged policy"


def _text(file: Path | None) -> tuple[str, str]:
    """Name and text of the policy: that of the file, else of the configuration, else the packaged one."""
    from consumers.actions.policy import packaged

    path = file or load_settings().config
    if path is None or (file is None and read_config(path).get("actions") is None):
        return PACKAGED, packaged()
    try:
        return str(path), path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Fatal(f"the policy {path} cannot be read: {error}", remedy="name a text file that is there") from error


def _sections(path: Path) -> dict[str, object]:
    """The file as a configuration, whether it is one or its section `actions` alone."""
    import yaml

    from infra.config import SECTIONS

    content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    if isinstance(content, dict) and set(content) & set(SECTIONS):
        return read_config(path)
    return {"actions": content}
