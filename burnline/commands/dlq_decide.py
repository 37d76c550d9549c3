"""The commands of `burnline dlq` that decide: `retry`, `discard`, `edit`. Each asks first, says why, and can be looked at without doing it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from burnline import environment
from burnline.commands.dlq_meant import chosen, meant, selecting
from burnline.commands.output import Json, print_rows, progress
from consumers.core.letter_queue import Filter, Letter
from consumers.core.reentry import Refusal
from infra.errors import Fatal
from infra.settings import Settings
from schemas.topics import TOPICS

if TYPE_CHECKING:  # a command imports only what it runs
    from consumers.dead_letters_desk import Desk

MOST = 100
"""Letters that one command decides, unless it is told otherwise."""
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of letters, as `dlq list` shows them.")]
Reason = Annotated[str, typer.Option("--reason", help="Why it is done. It is recorded.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Decide no more than so many.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (retry, discard, edit):
        app.command()(command)


@selecting
def retry(
    ids: Ids = None,
    *,
    reason: Reason,
    wanted: Filter,
    limit: Limit = MOST,
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Send letters back to where they failed. Exit status 1 when one cannot go back; what to do instead is said.

    Example: burnline dlq retry --stage streams.decode --because unknown_schema --reason "updated to 1.4" --limit 500
    """
    settings, desk = _desk(reason, dry_run=dry_run)
    letters = chosen(settings, named(wanted, ids), limit)
    _retry(settings, desk, letters, reason=reason, yes=yes, json_=json_)


@selecting
def discard(
    ids: Ids = None,
    *,
    reason: Reason,
    wanted: Filter,
    limit: Limit = MOST,
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Record that letters need no remedy any more. The letters stay, and can be listed.

    Example: burnline dlq discard 3f2a91c0 --reason "the invoice was cancelled"
    """
    settings, desk = _desk(reason, dry_run=dry_run)
    letters = chosen(settings, named(wanted, ids), limit)
    if desk is not None and letters and _may(f"Discard {len(letters)} letters?", yes=yes):
        desk.discard(letters, reason)
    done = "would be discarded" if desk is None else "discarded"
    print_rows([_outcome(letter, done) for letter in letters], json_=json_, empty="no such letters")


def edit(
    identity: Annotated[str, typer.Argument(metavar="ID")],
    *,
    value: Annotated[
        Path | None, typer.Option(help="A file with the bytes to send instead.", exists=True, dir_okay=False)
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            help="A JSON file with the record, or all that `dlq show ID --personal --json` shows.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    reason: Reason,
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Send a letter back with other bytes. What was sent is known by its digest in the recorded reason.

    Example: burnline dlq show 3f2a91c0 --personal --json > mended.json; then, mended: burnline dlq edit 3f2a91c0 --record mended.json --reason "the amount had a comma"
    """
    import hashlib

    from consumers.core.edited import from_json

    if (value is None) == (record is None):
        raise Fatal("edit takes one file", remedy="give either --value with bytes, or --record with JSON")
    settings, desk = _desk(reason, dry_run=dry_run)
    (letter,) = meant(settings, Filter(status=None, identities=frozenset({identity})))
    topic = TOPICS.get(letter.event["current"]["topic"])
    if record is not None and topic is None:
        raise Fatal("the letter is of no topic, so nobody knows its schema", remedy="give the bytes with --value")
    if record is not None and topic is not None:
        content = from_json(topic.record, record.read_text(encoding="utf-8"))
    else:
        content = value.read_bytes() if value is not None else b""
    digest = hashlib.sha256(content).hexdigest()
    note = f"{reason} (edited: {len(content)} bytes, sha256 {digest})"
    _retry(settings, desk, [letter], reason=note, yes=yes, json_=json_, edited=content)


def named(wanted: Filter, ids: Sequence[str] | None) -> Filter:
    """The filter, narrowed to letters by their ids: of any status then, so that what was decided is told."""
    return replace(wanted, status=None, identities=frozenset(ids)) if ids else wanted


def _desk(reason: str, *, dry_run: bool) -> tuple[Settings, Desk | None]:
    """The settings, and the desk; none for a dry run. It is taken before the letters are read, which ends what a dead one left open."""
    from consumers.by_hand import principal
    from consumers.dead_letters_desk import Desk

    if not reason.strip():
        raise Fatal("a decision without a reason", remedy="say in --reason why; it is recorded with the decision")
    settings = environment.load().settings
    return settings, None if dry_run else Desk(settings, principal(settings))


def _retry(
    settings: Settings,
    desk: Desk | None,
    letters: Sequence[Letter],
    *,
    reason: str,
    yes: bool,
    json_: bool,
    edited: bytes | None = None,
) -> None:
    from consumers.actions.policy import load_policy
    from consumers.dead_letters_plan import plan

    policy = load_policy(environment.load().config)
    with progress("looking what stands behind them"):
        plans = plan(settings.kafka, letters, policy, edited)
    todo = [one for one in plans if not isinstance(one.way, Refusal)]
    if desk is not None and todo and _may(f"Send {len(todo)} letters back?", yes=yes):
        with progress("sending them back"):
            desk.retry(todo, reason)
        todo = [one for one in todo if not isinstance(one.way, Refusal)]
    rows = []
    for one in plans:
        if isinstance(one.way, Refusal):
            rows.append(_outcome(one.letter, "refused", one.way.why, one.way.remedy))
        else:
            rows.append(_outcome(one.letter, "would be retried" if desk is None else "retried", f"as a {one.way}"))
    print_rows(rows, json_=json_, empty="no such letters")
    raise typer.Exit(1 if len(todo) < len(plans) else 0)


def _outcome(letter: Letter, done: str, how: str = "", remedy: str = "") -> dict[str, Any]:
    return {
        "id": letter.identity,
        "subject": letter.event["meta"]["subject"],
        "stage": letter.event["current"]["stage"],
        "outcome": done,
        "how": how,
        "remedy": remedy,
    }


def _may(question: str, *, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise Fatal("this asks before it decides, and nobody is there to answer", remedy="add --yes")
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)
    return True
