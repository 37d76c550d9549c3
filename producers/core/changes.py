"""From states to events: what changed since the state last published, if anything did.

Laws
- An identical state gives no event; a change and its taking back are two.
- Versions grow by one from the last published one, through deletion and return; ids are made of subject, version and type,
  so the same change captured twice has one id.
- What changed under a stamp that is not newer than the last event's (a lookup changed, something else wrote into the record, or
  it was rewritten within the same second) was recorded when it was seen: times of recording only grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from producers.core.mapping.base import Context, Entity, Event, State
from producers.core.values import Row, written
from schemas import events
from schemas.records import Mode


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from and how it was noticed. `seen_at` stands in where Odoo gives no time of its own."""

    source: str
    tenant: str
    mode: Mode
    seen_at: datetime


def state_before(previous: Event | None) -> State | None:
    """The state last published; None for an entity never seen, or deleted."""
    found: State | None = previous["current"] if previous is not None else None
    return found


def change(
    entity: Entity, previous: Event | None, row: Row | None, context: Context, *, subject: str, origin: Origin
) -> Event | None:
    """The event that takes the last published event to this row (None: the record is gone), or None without a difference.

    Raises `PoisonMessage` for a row that no state can be made of.
    """
    before = state_before(previous)
    current = entity.state(row, context, before) if row is not None else None
    if before == current:
        return None
    row = _stamped(row, previous, origin)
    at = written(row) if row is not None else origin.seen_at
    told = row is not None and current is not None
    return {
        "meta": events.meta(
            entity.topic,
            entity.verb(before, current),
            source=origin.source,
            subject=subject,
            version=(previous["meta"]["version"] if previous is not None else 0) + 1,
            occurred_at=entity.occurred_at(row, before, current, context) if row is not None and told else at,
            recorded_at=at,
            mode=origin.mode,
            tenant=origin.tenant,
            company_id=(current if current is not None else before or {}).get("company_id"),
        ),
        "previous": before,
        "current": current,
        "changed": [name for name, value in current.items() if before.get(name) != value]
        if before is not None and current is not None
        else [],
    }


def told_again(entity: Entity, last: Event, *, at: datetime) -> Event:
    """The last event of a record once more, as the next version: the same state, for those who may have taken another one for it."""
    state, meta = last["current"], last["meta"]
    return {
        "meta": events.meta(
            entity.topic,
            entity.verb(state, state),
            source=meta["source"],
            subject=meta["subject"],
            version=meta["version"] + 1,
            occurred_at=meta["occurred_at"],
            recorded_at=max(at, meta["recorded_at"]),
            mode="repair",
            tenant=meta["tenant"],
            company_id=meta["company_id"],
        ),
        "previous": state,
        "current": state,
        "changed": [],
    }


def _stamped(row: Row | None, previous: Event | None, origin: Origin) -> Row | None:
    if row is None or previous is None or written(row) > previous["meta"]["recorded_at"]:
        return row
    return {**row, "write_date": origin.seen_at.isoformat()}
