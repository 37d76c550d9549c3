"""From a state of a record to what it says to each subject, and the end of what its former state said.

Rules
- An event becomes one entry for each subject it counts for, and a tombstone of the same version for each subject it counted for
  before and no longer does.
- What never counted and does not count now means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from schemas.topics import PROCESSORS
from streams.core.contract import Contribution

UTILIZATION, BUDGET_BURN, DISPUTE_AGING, CLIENT_EXPOSURE, MONITORS = PROCESSORS
EMPLOYEE, PROJECT, INVOICE, CLIENT = "hr.employee", "project.project", "account.move", "res.partner"

_CODE = 3
"""Letters of an ISO 4217 code."""
_NO_CURRENCY = "XXX"
"""ISO 4217's own code for no currency at all."""

Fields = dict[str, Any]
Counted = Mapping[str, Fields]
"""The subjects that a state of a record counts for, and what it says to each."""
Means = Callable[[Any], Iterable[Contribution]]
"""What an event means."""


def system_of(meta: Any) -> str:
    """The prefix of Odoo's keys, `odoo:<database>:`. What a webhook says is about the Odoo database of its tenant."""
    subject: str = meta["subject"]
    if subject.startswith("odoo:") and (end := subject.find(":", 5)) > 0:
        return subject[: end + 1]
    return f"odoo:{meta['tenant']}:"


def iso(currency: str | None) -> str:
    """A currency as it is remembered: nothing where none is known, and `_NO_CURRENCY` for what is no code."""
    if currency is None or len(currency) == _CODE:
        return currency or ""
    return _NO_CURRENCY


def contribution_of(
    processor: str, kind: str, meta: Any, subject: str, fields: Fields, *, present: bool, record: str | None = None
) -> Contribution:
    """What an event says to a subject, under the key of its own record or of the one named."""
    entry = {
        "subject": subject,
        "record": record or meta["subject"],
        "version": meta["version"],
        "present": present,
        "event_id": meta["event_id"],
        "recorded_at": meta["recorded_at"],
        **fields,
    }
    return Contribution(processor, subject, kind, entry)


def by_difference(processor: str, kind: str, counts: Callable[[Any, str], Counted]) -> Means:
    """What the current state counts for, and tombstones for what only the previous one did."""

    def means(event: Any) -> Iterator[Contribution]:
        meta, system = event["meta"], system_of(event["meta"])
        now = {} if event["current"] is None else counts(event["current"], system)
        before = {} if event["previous"] is None else counts(event["previous"], system)
        for subject, fields in now.items():
            yield contribution_of(processor, kind, meta, subject, fields, present=True)
        for subject, fields in before.items():
            if subject not in now:
                yield contribution_of(processor, kind, meta, subject, fields, present=False)

    return means
