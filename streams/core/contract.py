"""What the engine and the processors know of each other: small types, and the four functions between them.

Rules
- A processor is pure. Time reaches it as `TickEntry`; everything else as the other entries of `schemas.wire`.
- A row is one record's latest contribution to one subject, guarded by the record's version: writing it again changes
  nothing, and a lower version never replaces a higher one. Everything else in a state is derived from rows.
- Alerts are judged after every entry and measures are taken at the end of a batch, so that the set of alerts does not depend on
  how the records were cut into batches.
- `step` owns the partition it is given and returns what to write; after an abort the partition is rebuilt from its rows.
"""

from __future__ import annotations

from typing import Any, Final, final

from mypy_extensions import mypyc_attr

EVERYBODY = ""
"""The subject of an entry that concerns every subject of a partition: a tick, a public holiday."""

ALERTS = "#alerts"
"""The record under which a subject's memory of alerts is kept among its rows."""


@final
@mypyc_attr(acyclic=True)
class Contribution:
    """What an event means to one processor: goes to the partition of its subject, or to all for `EVERYBODY`.

    `kind` is the full name of the entry's schema, for example `burnline.internal.TimeEntry`. A `twin` has the entry of the contribution
    before it, of the same event, but for the subject.
    """

    __slots__ = ("entry", "kind", "processor", "subject", "twin")

    def __init__(self, processor: str, subject: str, kind: str, entry: Any, twin: bool = False) -> None:
        """Mean this. An object, not a tuple: several are made for each event, and a compiler makes these for a tenth of the cost."""
        self.processor = processor
        self.subject = subject
        self.kind = kind
        self.entry = entry
        self.twin = twin

    def __eq__(self, other: object) -> bool:
        """Whether both mean the same."""
        return isinstance(other, Contribution) and _told(self) == _told(other)

    def __hash__(self) -> int:
        """By whom it is for: entries have no hash."""
        return hash((self.processor, self.subject, self.kind))

    def __repr__(self) -> str:
        """As it was made."""
        return f"Contribution{_told(self)!r}"


def _told(one: Contribution) -> tuple[object, ...]:
    return one.processor, one.subject, one.kind, one.entry, one.twin


@final
@mypyc_attr(acyclic=True)
class Row:
    """A row to write to the changelog: its key is subject and record, its value the entry."""

    __slots__ = ("entry", "kind", "record", "subject")

    def __init__(self, subject: str, record: str, kind: str, entry: Any) -> None:
        """Write this."""
        self.subject = subject
        self.record = record
        self.kind = kind
        self.entry = entry

    def __eq__(self, other: object) -> bool:
        """Whether both write the same."""
        return isinstance(other, Row) and _written(self) == _written(other)

    def __hash__(self) -> int:
        """By its key."""
        return hash((self.subject, self.record))

    def __repr__(self) -> str:
        """As it was made."""
        return f"Row{_written(self)!r}"


def _written(row: Row) -> tuple[object, ...]:
    return row.subject, row.record, row.kind, row.entry


@final
@mypyc_attr(acyclic=True)
class Step:
    """What one entry led to: rows to remember, alert events to publish, contributions to other processors."""

    __slots__ = ("alerts", "contributions", "rows")

    def __init__(self, rows: list[Row], alerts: list[Any], contributions: list[Contribution]) -> None:
        """Lead to these."""
        self.rows = rows
        self.alerts = alerts
        self.contributions = contributions


NOTHING: Final = Step([], [], [])
