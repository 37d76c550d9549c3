"""Where a poll must look. Times are seconds given by the caller: UTC stamps, and a steady clock.

Odoo's stamp says when a transaction began, in whole seconds; it commits later, and two may share a second. So
- `Clock` keeps a lower bound of the source's present: the newest stamp seen, plus what has passed since it was seen.
- `Window` starts a short look-back before the last complete fast pass, and the whole overlap before the last complete slow one,
  so that no outage and no late commit leaves a gap.
- what was read lately is read again at growing ages (`producers.capture.recent`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.records import CaptureCursor

SHORT_LOOK_BACK = timedelta(seconds=5)
SANE_FUTURE = timedelta(minutes=5)


def fresh(model: str) -> CaptureCursor:
    """The cursor of a model never captured."""
    return {
        "model": model,
        "snapshot_done": False,
        "snapshot_id": 0,
        "snapshot_rows": 0,
        "snapshot_expected": None,
        "snapshot_began_at": None,
        "high_water": None,
        "swept_at": None,
        "fields": [],
    }


class Clock:
    """A lower bound of the source's present time."""

    def __init__(self) -> None:
        """Nothing is known before the first observation."""
        self._zero: datetime | None = None

    def observe(self, stamp: datetime, steady: float, wall: datetime) -> bool:
        """Take in a stamp seen at `steady`; one far in the future of `wall` was made by hand and counts for nothing."""
        if stamp > wall + SANE_FUTURE:
            return False
        zero = stamp - timedelta(seconds=steady)
        if self._zero is None or zero > self._zero:
            self._zero = zero
        return True

    def now(self, steady: float) -> datetime | None:
        """The source's present is this or later; None before the first observation."""
        return None if self._zero is None else (self._zero + timedelta(seconds=steady)).replace(microsecond=0)


class Window:
    """From which stamp on a pass over one model must look."""

    def __init__(self, high_water: datetime | None, overlap: float) -> None:
        """Begin where the cursor stands."""
        self._overlap = timedelta(seconds=overlap)
        self._fast = self._slow = high_water

    def begin(self, *, slow: bool) -> datetime | None:
        """The first stamp to look at; None for all of them."""
        base, back = (self._slow, self._overlap) if slow else (self._fast, SHORT_LOOK_BACK)
        return None if base is None else base - back

    def covered(self, at: datetime | None, *, slow: bool) -> None:
        """A pass that began when the source's present was at least `at` is complete."""
        if at is None:
            return
        self._fast = at if self._fast is None else max(self._fast, at)
        if slow:
            self._slow = at if self._slow is None else max(self._slow, at)


def utc_seconds(stamp: str) -> datetime:
    """Odoo's stamp as a moment."""
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC)
