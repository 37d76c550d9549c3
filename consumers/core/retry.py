"""What follows a failed attempt: wait and try again, or give up. Numbered rules; the first that holds decides.

1. the target said that it is gone for good, or that it will never take this   abandon
2. all attempts are used up                                                    abandon
3. the target asks for a longer wait than is allowed                           abandon: a short wait against its word would be refused too
4. else wait: the doubled first wait with jitter, and not less than the target asks for
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed. `final` where no retry can cure it; `retry_after` in seconds, where the target named it."""

    reason: str
    final: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try: at most `attempts`, waits that double from `first_wait`, none longer than `longest_wait` seconds."""

    attempts: int
    first_wait: float
    longest_wait: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Abandon:
    """Give up, and say why."""

    reason: str


def after_failure(attempt: int, failure: Failure, patience: Patience, chance: float) -> Wait | Abandon:
    """Wait or abandon after attempt number `attempt` (from 1). `chance` in [0, 1) spreads the waits of many."""
    if failure.final:
        return Abandon(failure.reason)
    if attempt >= patience.attempts:
        return Abandon(f"{failure.reason}; {attempt} attempts are used up")
    asked = failure.retry_after or 0.0
    if asked > patience.longest_wait:
        return Abandon(
            f"{failure.reason}; it asks to wait {asked:.0f} s, longer than the {patience.longest_wait:.0f} s allowed"
        )
    backoff = min(patience.first_wait * 2.0 ** (attempt - 1), patience.longest_wait)
    return Wait(max(asked, backoff * (0.5 + chance / 2)))


def refused(status: int, retry_after: str | None, now: datetime) -> Failure:
    """The failure that an HTTP answer other than 2xx means: 410 is for good, all else may pass (Standard Webhooks)."""
    return Failure(f"HTTP {status}", final=status == 410, retry_after=seconds_to_wait(retry_after, now))


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
