"""The three kinds of failure, classified in one place.

`PoisonMessage`  this one record can never be handled: park it as a dead letter with an owner, go on.
`Transient`      the same call may succeed later: bounded retries with backoff and jitter, then the retry path.
`Fatal`          nothing sensible can follow: stop, non-zero exit, nothing committed.

Every message names the thing, the cause and the remedy; `remedy` is kept apart so that the command line can show it
on a line of its own. A `PoisonMessage` has a `reason` besides, from the closed list of `burnline.ops.DeadLetter`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `records` is written by a program that needs this module
    from schemas.records import DeadLetterReason


class BurnlineError(Exception):
    """A failure that a person can act on: what happened, and what to do about it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        """Keep the sentence that says what failed and why, and the one that says what to do."""
        super().__init__(message)
        self.remedy = remedy


class PoisonMessage(BurnlineError):  # noqa: N818  the field calls it a poison message
    """A record that no retry can cure. `reason` says why, for those who count or choose; `rejected` by a rule, if nothing else."""

    def __init__(self, message: str, *, remedy: str = "", reason: DeadLetterReason = "rejected") -> None:
        """Keep what any failure has, and the reason."""
        super().__init__(message, remedy=remedy)
        self.reason = reason


class Transient(BurnlineError):  # noqa: N818  the name of a kind of failure, as in the error taxonomy
    """A failure that may pass: the caller retries, bounded, with backoff and jitter."""


class Fatal(BurnlineError):  # noqa: N818  the name of a kind of failure, as in the error taxonomy
    """A failure after which the process must stop without committing anything."""
