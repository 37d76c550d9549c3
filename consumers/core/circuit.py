"""A circuit breaker: a target that is down is left alone, then asked by one action at a time until it answers again. Pure.

Rules
- Closed: everybody may call. `LIMIT` failures in a row open it, and so does a target that names a time to come back.
- Open: nobody may call before `until`. Each opening lasts twice as long as the one before, up to `LONGEST`.
- Half open, from `until` on: one call at a time may probe. Its success closes the circuit, its failure opens it again.
- What a target refuses because of the action itself says that it is up.
"""

from dataclasses import dataclass, replace

from consumers.core.retry import Failure

LIMIT = 5
FIRST = 1.0
LONGEST = 60.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """Failures in a row, openings in a row, and until when nobody may call (seconds on any clock)."""

    failures: int = 0
    openings: int = 0
    until: float = 0.0
    probing: bool = False

    @property
    def closed(self) -> bool:
        """True while everybody may call."""
        return not self.openings


def wait_before(circuit: Circuit, now: float) -> float:
    """Seconds before a call may be made; none where it may be made now."""
    if circuit.closed:
        return 0.0
    if circuit.probing:
        return FIRST
    return max(circuit.until - now, 0.0)


def begun(circuit: Circuit) -> Circuit:
    """A call was begun that `wait_before` let pass."""
    return circuit if circuit.closed else replace(circuit, probing=True)


def ended(circuit: Circuit, failure: Failure | None, now: float) -> Circuit:
    """A call ended, with a failure or without."""
    if failure is None or failure.final:
        return Circuit()
    failures = circuit.failures + 1
    if circuit.closed and failures < LIMIT and failure.retry_after is None:
        return replace(circuit, failures=failures)
    if not circuit.closed and not circuit.probing:  # begun before it opened: it tells nothing new
        return replace(circuit, failures=failures, until=max(circuit.until, now + (failure.retry_after or 0.0)))
    pause = min(FIRST * 2.0**circuit.openings, LONGEST)
    return Circuit(failures, circuit.openings + 1, now + max(pause, failure.retry_after or 0.0))
