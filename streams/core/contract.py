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

from typing import Any, NamedTuple

EVERYBODY = ""
"""The subject of an entry that concerns every subject of a partition: a tick, a public holiday."""

ALERTS = "#alerts"
"""The record under which a subject's memory of alerts is kept among its rows."""


class Contribution(NamedTuple):
    """What an event means to one processor: goes to the partition of its subject, or to all for `EVERYBODY`.

    `kind` is the full name of the entry's schema, for example `burnline.internal.TimeEntry`. A `twin` has the entry of the contribution
    before it, of the same event, but for the subject.
    """

    processor: str
    subject: str
    kind: str
    entry: Any
    twin: bool = False


class Row(NamedTuple):
    """A row to write to the changelog: its key is subject and record, its value the entry."""

    subject: str
    record: str
    kind: str
    entry: Any


class Step(NamedTuple):
    """What one entry led to: rows to remember, alert events to publish, contributions to other processors."""

    rows: list[Row]
    alerts: list[Any]
    contributions: list[Contribution]


NOTHING = Step([], [], [])
