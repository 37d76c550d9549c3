"""What follows a failed attempt: wait and try again, give up, or ask a person. Numbered rules; the first that holds decides.

1. no retry can cure it: the target will never take this, or is gone for good            abandon
2. it may have been done, and the target would do it a second time                       doubt: its owner looks, then decides
3. all attempts are used up                                                              abandon
4. the target asks for a longer wait than is allowed                                     abandon: a shorter one would be refused too
5. else wait: what the schedule says, spread by jitter, and not less than the target asks for
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SPREAD = 0.2
"""Waits differ by up to this share, so that what failed together does not come back together."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed.

    `final` where no retry can cure it; `uncertain` where it may have been done all the same; `gone` where the target wants to hear no
    more, of anything; `retry_after` in seconds, where the target named it.
    """

    reason: str
    final: bool = False
    uncertain: bool = False
    gone: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try: the waits in seconds after the first failure, the second, and so on; and the longest a target may ask for."""

    schedule: tuple[float, ...]
    longest_wait: float

    @property
    def attempts(self) -> int:
        """Number of attempts before giving up."""
        return len(self.schedule) + 1

    @property
    def span(self) -> float:
        """Seconds from the first attempt to the last."""
        return sum(self.schedule)


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Abandon:
    """Give up, and say why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """It may have been done, and asking again may do it twice: a person must look."""

    reason: str


def after_failure(
    attempt: int, failure: Failure, patience: Patience, chance: float, *, idempotent: bool
) -> Wait | Abandon | Doubt:
    """What follows attempt number `attempt` (from 1). `chance` in [0, 1) spreads the waits of many; `idempotent` is the target's promise."""
    if failure.final or failure.gone:
        return Abandon(failure.reason)
    if failure.uncertain and not idempotent:
        return Doubt(failure.reason)
    if attempt >= patience.attempts:
        return Abandon(f"{failure.reason}; {attempt} attempts are used up")
    asked = failure.retry_after or 0.0
    if asked > patience.longest_wait:
        return Abandon(
            f"{failure.reason}; it asks to wait {asked:.0f} s, longer than the {patience.longest_wait:.0f} s allowed"
        )
    return Wait(max(asked, patience.schedule[attempt - 1] * (1 - SPREAD + 2 * SPREAD * chance)))


def refused(status: int, retry_after: str | None, now: datetime) -> Failure:
    """The failure that an HTTP answer other than 2xx means (Standard Webhooks): 410 is for good, all else may pass.

    After 502 and 504 nobody knows: a proxy says that it got no answer, not that nothing was done.
    """
    return Failure(
        f"HTTP {status}",
        uncertain=status in {502, 504},
        gone=status == 410,
        retry_after=seconds_to_wait(retry_after, now),
    )


def seconds_to_wait(retry_after: str | None, now: datetime) -> float | None:
    """A Retry-After header in seconds from `now`: it is a number of seconds or an HTTP date; None where it is neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)
