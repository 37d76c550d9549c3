"""Moments as people write them at the command line: one way for every option that takes one.

| written | means |
|---|---|
| 2026-03-30 | the beginning of that day, UTC |
| 2026-03-30T08:00, 2026-03-30T08:00Z | that moment, UTC |
| 2026-03-30T10:00+02:00 | that moment, told in UTC |
| 30m, 12h, 7d, 2w | so long ago |
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import typer

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
WRITTEN = "a day (2026-03-30), a moment (2026-03-30T08:00Z; UTC unless it says otherwise) or an age (30m, 12h, 7d, 2w)"


def moment(text: str, now: datetime) -> datetime:
    """The moment in UTC that a text means. Raises `ValueError` for a text that means none."""
    try:
        if text[-1:] in UNITS and text[:-1].isdecimal():
            return now - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no moment: write {WRITTEN}") from error


def when(*names: str, means: str) -> Any:
    """What typer needs to know of an option that takes a moment."""
    return typer.Option(
        *names, parser=_read, metavar="WHEN", help=f"{means}: a day, a moment (UTC), or an age such as 12h or 7d."
    )


def _read(text: str) -> datetime:
    try:
        return moment(text, datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
