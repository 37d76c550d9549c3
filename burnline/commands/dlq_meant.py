"""Which letters a command of `burnline dlq` means: the options that say so, for all of them, and the letters."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from burnline.commands.moments import when
from burnline.commands.output import progress
from consumers.core.letter_queue import Filter, Letter
from infra.errors import Fatal
from infra.kafka.unread import Told, logged
from infra.settings import Settings

_Text = str | None
OPTIONS: dict[str, Any] = {
    "topic": Annotated[_Text, typer.Option("--topic", help="Only letters of this topic.")],
    "owner": Annotated[_Text, typer.Option("--owner", help="Only letters this team owns.")],
    "stage": Annotated[_Text, typer.Option("--stage", help="Only what failed there, such as streams.route.")],
    "because": Annotated[
        _Text, typer.Option("--because", help="Only letters with this reason, such as unknown_schema.")
    ],
    "key": Annotated[_Text, typer.Option("--key", help="Only letters of this entity.")],
    "since": Annotated[datetime | None, when("--since", means="Only what failed from then on")],
}
STATUSES = ("parked", "retried", "discarded", "all")


def selecting(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `OPTIONS` in place of its parameter `wanted`, which is the filter that they make, of letters that are parked."""
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for name, parameter in signature.parameters.items() if name != "wanted"]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in OPTIONS.items()
    ]

    @functools.wraps(command)
    def call(**given: Any) -> None:
        asked = {name: given.pop(name) for name in OPTIONS}
        reason = asked.pop("because")
        command(wanted=Filter(**asked, reason=reason), **given)

    parameters = [*own, *options]
    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # what typer reads
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def meant(settings: Settings, wanted: Filter, told: Told = logged) -> list[Letter]:
    from consumers import dead_letters

    with progress("reading the letters"):
        found = dead_letters.queue(settings, told=told)
    return dead_letters.letters(found, wanted)


def chosen(settings: Settings, wanted: Filter, limit: int) -> list[Letter]:
    """The letters to decide, the oldest first. Raises `Fatal` for a call that names none in particular, or more than the limit."""
    if not wanted.narrow:
        raise Fatal(
            "no letter is named", remedy="give ids, or a filter such as --topic, --stage, --because, --owner or --since"
        )
    found = meant(settings, wanted)
    if len(found) > limit:
        raise Fatal(
            f"{len(found)} letters are meant, and no more than {limit} may be", remedy="narrow it, or raise --limit"
        )
    return found[::-1]
