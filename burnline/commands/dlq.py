"""`burnline dlq`: work on the queue of records that could not be handled."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from burnline import environment
from burnline.commands.output import Json, print_rows, tell_unread
from consumers.core.letter_queue import Filter, Letter, groups
from consumers.core.reentry import Refusal
from infra.errors import Fatal, PoisonMessage
from infra.kafka.unread import Told, Unread, logged
from infra.settings import Settings
from schemas import codec
from schemas.privacy import MASK, class_of, masked
from schemas.topics import TOPICS, DataClass

if TYPE_CHECKING:  # a command imports only what it runs
    from consumers.dead_letters_desk import Desk

app = typer.Typer(no_args_is_help=True, help="The queue of records that could not be handled.")
COLUMNS = ("id", "status", "topic", "offset", "reason", "error", "stage", "owner", "last_failed_at", "attempts")
SHOWN, MOST = 100, 100
"""Letters that a table shows, and that one command decides, unless it is told otherwise."""
SHORT = 8
Personal = Annotated[bool, typer.Option("--personal", help="Show the content of records about people, too.")]
Status = Annotated[str, typer.Option(help="parked, retried, discarded, or all.")]
TopicName = Annotated[str | None, typer.Option("--topic", help="Only letters of this topic.")]
Owner = Annotated[str | None, typer.Option(help="Only letters this team owns.")]
Stage = Annotated[str | None, typer.Option(help="Only what failed there, such as streams.route.")]
Why = Annotated[str | None, typer.Option("--because", help="Only letters with this reason, such as unknown_schema.")]
Key = Annotated[str | None, typer.Option(help="Only letters of this entity.")]
Since = Annotated[str | None, typer.Option(help="Only what failed since: a time, or an age such as 2h, 7d.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of letters, as `dlq list` shows them.")]
Reason = Annotated[str, typer.Option("--reason", help="Why it is done. It is recorded.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Decide no more than so many.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
By = Annotated[str | None, typer.Option("--by", help="Who decides; by default who is logged in.")]


@app.command("list")
def list_(
    *,
    status: Status = "parked",
    topic: TopicName = None,
    owner: Owner = None,
    stage: Stage = None,
    because: Why = None,
    key: Key = None,
    since: Since = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show no more than so many in a table.")] = SHOWN,
    personal: Personal = False,
    json_: Json = False,
) -> None:
    """List dead letters, the newest first, and how many failed alike. Exit status 1 when one of them could not be read.

    Example: burnline dlq list --owner finance-operations --since 24h
    """
    found: list[Unread] = []
    letters = _meant(
        environment.load().settings,
        _filter(ids=None, status=status, topic=topic, owner=owner, stage=stage, because=because, key=key, since=since),
        found.append,
    )
    rows = [shown(letter, personal=personal) for letter in letters]
    if not json_:
        rows = [{name: row[name] for name in COLUMNS} | {"id": row["id"][:SHORT]} for row in rows[:limit]]
    print_rows(rows, json_=json_, empty="no dead letters")
    if len(letters) > limit and not json_:
        _summary(letters, limit)
    tell_unread(found)


@app.command()
def show(
    identity: Annotated[str, typer.Argument(metavar="ID")], *, personal: Personal = False, json_: Json = False
) -> None:
    """Show all of one letter: where and why it failed, the record as far as it can be read, and what was decided.

    Example: burnline dlq show 3f2a91c0 --json
    """
    (letter,) = _meant(environment.load().settings, Filter(status=None, identities=frozenset({identity})))
    row = shown(letter, personal=personal) | {
        "record": _record(letter, personal=personal),
        "decisions": [decision._asdict() for decision in letter.decisions],
    }
    rows = [row] if json_ else [{"field": name, "what": "–" if value is None else value} for name, value in row.items()]
    print_rows(rows, json_=json_, empty="")


@app.command()
def retry(
    ids: Ids = None,
    *,
    reason: Reason,
    topic: TopicName = None,
    owner: Owner = None,
    stage: Stage = None,
    because: Why = None,
    key: Key = None,
    since: Since = None,
    limit: Limit = MOST,
    dry_run: DryRun = False,
    yes: Yes = False,
    by: By = None,
    json_: Json = False,
) -> None:
    """Send letters back to where they failed. Exit status 1 when one cannot go back; what to do instead is said.

    Example: burnline dlq retry --stage streams.decode --because unknown_schema --reason "updated to 1.4" --limit 500
    """
    settings, desk = _desk(reason, by, dry_run=dry_run)
    meant = _chosen(
        settings,
        _filter(ids=ids, status="parked", topic=topic, owner=owner, stage=stage, because=because, key=key, since=since),
        limit,
    )
    _retry(settings, desk, meant, reason=reason, yes=yes, json_=json_)


@app.command()
def discard(
    ids: Ids = None,
    *,
    reason: Reason,
    topic: TopicName = None,
    owner: Owner = None,
    stage: Stage = None,
    because: Why = None,
    key: Key = None,
    since: Since = None,
    limit: Limit = MOST,
    dry_run: DryRun = False,
    yes: Yes = False,
    by: By = None,
    json_: Json = False,
) -> None:
    """Record that letters need no remedy any more. The letters stay, and can be listed.

    Example: burnline dlq discard 3f2a91c0 --reason "the invoice was cancelled"
    """
    settings, desk = _desk(reason, by, dry_run=dry_run)
    meant = _chosen(
        settings,
        _filter(ids=ids, status="parked", topic=topic, owner=owner, stage=stage, because=because, key=key, since=since),
        limit,
    )
    if desk is not None and meant and _may(f"Discard {len(meant)} letters?", yes=yes):
        desk.discard(meant, reason)
    done = "would be discarded" if desk is None else "discarded"
    print_rows([_outcome(letter, done) for letter in meant], json_=json_, empty="no such letters")


@app.command()
def edit(
    identity: Annotated[str, typer.Argument(metavar="ID")],
    *,
    value: Annotated[
        Path | None, typer.Option(help="A file with the bytes to send instead.", exists=True, dir_okay=False)
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(help="A JSON file with the record, as `dlq show --json` has it.", exists=True, dir_okay=False),
    ] = None,
    reason: Reason,
    dry_run: DryRun = False,
    yes: Yes = False,
    by: By = None,
    json_: Json = False,
) -> None:
    """Send a letter back with other bytes. What was sent is known by its digest in the recorded reason.

    Example: burnline dlq edit 3f2a91c0 --record mended.json --reason "the amount had a comma"
    """
    import hashlib

    from consumers.core.edited import from_json

    if (value is None) == (record is None):
        raise Fatal("edit takes one file", remedy="give either --value with bytes, or --record with JSON")
    settings, desk = _desk(reason, by, dry_run=dry_run)
    (letter,) = _meant(settings, Filter(status=None, identities=frozenset({identity})))
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


@app.command()
def watch(lifeline: Annotated[bool, typer.Option("--lifeline", hidden=True)] = False) -> None:
    """Tell owners of letters by alerts, until told to stop: the first of a kind, the tenth, the hundredth; a storm is told in a few.

    What follows from the alerts is in the policy, for the rule dead-letter.

    Example: burnline dlq watch
    """
    from burnline.commands.processes import begin
    from consumers.dead_letters_watch import watch as watch_letters

    found, stop = begin(lifeline=lifeline)
    watch_letters(found.settings.kafka, stop)


def _desk(reason: str, by: str | None, *, dry_run: bool) -> tuple[Settings, Desk | None]:
    """The settings, and the desk; none for a dry run. It is taken before the letters are read, which ends what a dead one left open."""
    from consumers.dead_letters_desk import Desk

    if not reason.strip():
        raise Fatal("a decision without a reason", remedy="say in --reason why; it is recorded with the decision")
    settings = environment.load().settings
    return settings, None if dry_run else Desk(settings, by or getpass.getuser())


def _retry(
    settings: Settings,
    desk: Desk | None,
    meant: Sequence[Letter],
    *,
    reason: str,
    yes: bool,
    json_: bool,
    edited: bytes | None = None,
) -> None:
    from consumers.actions.policy import load_policy
    from consumers.dead_letters_plan import plan

    plans = plan(settings.kafka, meant, load_policy(environment.load().config), edited)
    todo = [one for one in plans if not isinstance(one.way, Refusal)]
    if desk is not None and todo and _may(f"Send {len(todo)} letters back?", yes=yes):
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


def _meant(settings: Settings, wanted: Filter, told: Told = logged) -> list[Letter]:
    from consumers import dead_letters

    return dead_letters.letters(dead_letters.queue(settings, told=told), wanted)


def _chosen(settings: Settings, wanted: Filter, limit: int) -> list[Letter]:
    """The letters to decide, the oldest first. Raises `Fatal` for a call that names none in particular, or more than the limit."""
    if not wanted.narrow:
        raise Fatal(
            "no letter is named", remedy="give ids, or a filter such as --topic, --stage, --because, --owner or --since"
        )
    found = _meant(settings, wanted)
    if len(found) > limit:
        raise Fatal(
            f"{len(found)} letters are meant, and no more than {limit} may be", remedy="narrow it, or raise --limit"
        )
    return found[::-1]


def _filter(
    *,
    ids: Sequence[str] | None,
    status: str,
    topic: str | None,
    owner: str | None,
    stage: str | None,
    because: str | None,
    key: str | None,
    since: str | None,
) -> Filter:
    if status not in {"parked", "retried", "discarded", "all"}:
        raise Fatal(f"no letter is {status}", remedy="name parked, retried, discarded or all")
    asked = None if status == "all" or ids else status
    return Filter(asked, topic, owner, stage, because, key, _moment(since), frozenset(ids or ()))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    try:
        if text[-1:] in units and text[:-1].isdecimal():
            return datetime.now(UTC) - timedelta(**{units[text[-1]]: int(text[:-1])})
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise Fatal(f"{text!r} is no time", remedy="write 2026-03-30T08:00Z, or an age such as 30m, 2h, 7d") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def shown(letter: Letter, *, personal: bool) -> dict[str, Any]:
    """A letter as it may be shown: the bytes of what is about people are masked unless they were asked for."""
    row: dict[str, Any] = {"id": letter.identity, **letter.event["current"], "status": letter.status}
    row |= {"key": letter.event["meta"]["subject"], "correlation_id": letter.event["meta"]["correlation_id"]}
    if not personal and class_of(row["topic"]) is DataClass.PERSONAL:
        row |= {"value": MASK if row["value"] is not None else None, "headers": dict.fromkeys(row["headers"], MASK)}
    return row


def _record(letter: Letter, *, personal: bool) -> Mapping[str, Any] | str | None:
    """The letter's record in words, where it can be read; its personal fields masked."""
    value = letter.event["current"]["value"]
    if value is None:
        return None
    try:
        name, content = codec.decode(value)
    except PoisonMessage as error:
        return f"it cannot be read: {error}"
    return content if personal else masked(name, content)  # type: ignore[no-any-return]  # what a schema says


def _summary(letters: Sequence[Letter], limit: int) -> None:
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"{len(letters) - limit} more; what failed alike:")
    for group, count in groups(letters):
        console.print(
            f"  {count} × {group.reason} ({group.error_class}) at {group.stage} on {group.topic}: {group.owner}",
            highlight=False,
        )


def _may(question: str, *, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise Fatal("this asks before it decides, and nobody is there to answer", remedy="add --yes")
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)
    return True
