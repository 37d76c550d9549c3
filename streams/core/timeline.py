"""A dispute over time: what its sources say and when its invoice was settled, made into episodes.

Rules
- A source's status holds from its day until a later version's. Before its first version a dispute is open from the day it says
  it was opened; the newest version of an open stretch tells that day.
- The dispute is open while any source that was not deleted holds it open. Of open statuses the most telling speaks: escalated,
  then awaiting_customer, then open.
- What was said before a deletion counts for nothing once the dispute is there again.
- A settled invoice (paid, credited, no longer posted) closes the dispute for as long as it is settled.
- Reopened within the window, the same episode goes on and its age counts from the first opening; later, a new one begins.
- The service-level clock counts the days of the episode on which the dispute was open and the customer was not awaited.

Invariant: the result depends on the versions known and on `as_of`, not on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple, cast

from schemas.records import AgingStatus
from schemas.wire import DisputeEntry, InvoiceEntry
from streams.core.days import business_days
from streams.core.history import History, Run

CLOSED = ("resolved", "withdrawn")
_SPEAKS_FIRST = ("escalated", "awaiting_customer", "open")


class Change(NamedTuple):
    """From this day on this status."""

    day: int
    status: str


class Timeline(NamedTuple):
    """Where a dispute stands. Days are whole numbers since 1970; ages count up to `as_of` or the closing."""

    status: AgingStatus
    episode: int
    opened: int
    closed: int | None
    sla_days: int
    first_response: int | None
    reopened: bool

    def end(self, as_of: int) -> int:
        """The day up to which its age counts: never before it was opened."""
        return max(self.opened, as_of if self.closed is None else min(as_of, self.closed))


def changes(history: History) -> list[Change]:
    """What one source says, day by day."""
    out: list[Change] = []
    stretch: list[Change] = []
    opened = 0
    closed: int | None = None
    for run in _since_deletion(history):
        entry = cast("DisputeEntry", run.entry)
        opened = entry["opened_day"]
        if entry["status"] not in CLOSED:
            stretch.append(Change(run.day, entry["status"]))
            continue
        out += _begun(stretch, opened, closed, run.day)
        out.append(Change(run.day, entry["status"]))
        stretch, closed = [], run.day
    return out + (_begun(stretch, opened, closed, None) if stretch else [])


def _since_deletion(history: History) -> list[Run]:
    """What was said since the dispute was deleted the last time, or all of it where nothing was said since."""
    runs = history.segments()
    gone = [place for place, run in enumerate(runs[:-1]) if not run.entry["present"]]
    return runs[gone[-1] + 1 :] if gone else runs


def _begun(stretch: list[Change], opened: int, after: int | None, before: int | None) -> list[Change]:
    """An open stretch from the day it says it was opened, if that lies between the last closing and the next."""
    if (after is not None and opened <= after) or (before is not None and opened >= before):
        return stretch
    held = [change.status for change in stretch if change.day <= opened]
    return [Change(opened, held[-1] if held else "open"), *(change for change in stretch if change.day > opened)]


def _status(said: Iterable[str | None]) -> str | None:
    known = [status for status in said if status is not None]
    still_open = [status for status in known if status not in CLOSED]
    if still_open:
        return next((status for status in _SPEAKS_FIRST if status in still_open), "open")
    return known[-1] if known else None


def trace(sources: list[History], invoice: History | None, as_of: int, window: int) -> Timeline | None:
    """Where the dispute stands; nothing where no source speaks of one."""
    spoken = [changes(history) for history in sources]
    settled = _settlements(invoice)
    every = sorted({change.day for source in (*spoken, settled) for change in source})
    walk = _Walk(window)
    for day in every:
        status = _status(_at(source, day) for source in spoken)
        if status is not None and _at(settled, day) == "settled" and status not in CLOSED:
            status = "resolved"
        walk.step(day, status)
    return walk.result(as_of)


def _settlements(invoice: History | None) -> list[Change]:
    if invoice is None:
        return []
    return [Change(run.day, "settled" if is_settled(run.entry) else "due") for run in invoice.segments()]


def is_settled(entry: InvoiceEntry) -> bool:
    """Whether nothing can be contested any more: nothing is due, it was credited, or it is not posted."""
    return entry["credited"] or entry["residual"] <= 0 or not entry["posted"]


def _at(source: list[Change], day: int) -> str | None:
    status = None
    for change in source:
        if change.day > day:
            break
        status = change.status
    return status


class _Walk:
    """Goes through the days on which something changed."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._episode = 0
        self._opened = 0
        self._closed: int | None = None
        self._status: str | None = None
        self._response: int | None = None
        self._reopened = False
        self._counted: list[tuple[int, int | None]] = []

    def step(self, day: int, status: str | None) -> None:
        if status == self._status or status is None:
            return
        was_open = self._status is not None and self._status not in CLOSED
        is_open = status not in CLOSED
        if is_open and not was_open:
            self._open(day)
        if self._episode == 0:  # closed, and never seen open
            self._episode, self._opened = 1, day
        if self._counted and self._counted[-1][1] is None:
            self._counted[-1] = (self._counted[-1][0], day)
        if is_open and status != "awaiting_customer":
            self._counted.append((day, None))
        if status != "open" and self._response is None:
            self._response = day
        if not is_open and self._closed is None:
            self._closed = day
        self._status = status

    def _open(self, day: int) -> None:
        again = self._closed is not None
        if self._closed is None or day - self._closed > self._window:
            self._episode += 1
            self._opened = day
            self._response = None
            self._counted = []
        self._reopened = again
        self._closed = None

    def result(self, as_of: int) -> Timeline | None:
        if self._status is None:
            return None
        running = [(start, as_of if end is None else min(as_of, end)) for start, end in self._counted]
        return Timeline(
            cast("AgingStatus", self._status),
            self._episode,
            self._opened,
            self._closed,
            sum(max(0, end - start) for start, end in running),
            self._response,
            self._reopened,
        )


def response_days(timeline: Timeline, as_of: int, off: Collection[int] = ()) -> int:
    """Business days, none of them `off`, until the first response, or until now without one."""
    end = timeline.end(as_of)
    answered = end if timeline.first_response is None else min(end, timeline.first_response)
    return business_days(timeline.opened, answered, off)
