"""What the audit trail says of an event: who did what to which subject, when and why. Pure.

Taken are the events that somebody may have to answer for: alerts, duties, actions, overrides, freezes, approvals, proposals, dead letters and their
decisions, erasures, and the events of entities by which something is decided, released, paid, disputed or cancelled. A change that decides nothing is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas.records import TrailKind
from schemas.topics import TOPICS, Topic

STATUS: dict[str, frozenset[str]] = {
    "sales.opportunity.v1": frozenset({"won", "lost"}),
    "sales.contract.v1": frozenset({"signed", "confirmed", "amended", "cancelled"}),
    "delivery.project.v1": frozenset({"created", "activated", "closed", "deleted"}),
    "delivery.timesheet.v1": frozenset({"submitted", "approved", "corrected", "reopened", "invoiced", "deleted"}),
    "delivery.milestone.v1": frozenset({"reached", "approved", "reopened", "deleted"}),
    "delivery.change-request.v1": frozenset({"raised", "approved", "rejected", "withdrawn"}),
    "finance.expense.v1": frozenset({"submitted", "approved", "refused", "posted", "paid", "deleted"}),
    "finance.purchase-order.v1": frozenset({"requested", "approved", "confirmed", "cancelled", "deleted"}),
    "finance.invoice.v1": frozenset({"posted", "paid", "reversed", "blocked", "cancelled", "deleted"}),
    "finance.payment.v1": frozenset({"registered", "settled", "rejected", "cancelled"}),
    "finance.dispute.v1": frozenset({"opened", "escalated", "resolved", "withdrawn", "reopened", "deleted"}),
}
"""The events of entities that are taken, by topic."""
ALWAYS = ("governance.alert.v1", "governance.action.v1", "governance.duty.v1", "governance.freeze.v1", "governance.approval.v1",
    "governance.proposal.v1", "ops.dead-letter.v1")  # fmt: skip
"""Topics of which every event is taken."""
ERASURES = "people.consultant.v1"
"""Of this topic only the tombstones are taken."""
SOURCES = (*STATUS, *ALWAYS, ERASURES)
_NAMES = {topic.record: name for name, topic in TOPICS.items() if name in SOURCES}
_KINDS: dict[str, TrailKind] = {
    "governance.alert.v1": "exception",
    "governance.duty.v1": "escalation",
    "governance.freeze.v1": "intervention",
    "governance.approval.v1": "approval",
    "governance.proposal.v1": "proposal",
    "governance.action.v1": "integration",
    "ops.dead-letter.v1": "exception",
}
_BY_VERB: dict[tuple[str, str], TrailKind] = {
    ("governance.action.v1", "overridden"): "override",
    ("governance.action.v1", "override-requested"): "override",
    ("ops.dead-letter.v1", "retried"): "retry",
    ("ops.dead-letter.v1", "discarded"): "intervention",
}
_WHO = ("confirmed_by", "decided_by", "released_by", "decided_by_id", "assignee", "made_by")
_WHY = ("note", "error", "reason", "detail", "text")
_TOLD = (
    "rule",
    "level",
    "severity",
    "target",
    "kind",
    "attempt",
    "step",
    "stage",
    "reason",
    "policy",
    "owner",
    "alert_id",
    "action_id",
    "letter_id",
    "error_class",
)
LONGEST = 500


def takes(topic: Topic, verb: str) -> bool:
    """Whether an event of this type is taken."""
    return _NAMES[topic.record] in ALWAYS or verb in STATUS.get(_NAMES[topic.record], ())


def verb_of(event_type: str) -> str:
    """The past-tense verb of an event type."""
    return event_type.rsplit(".", 2)[1]


def content(topic: Topic, event: Mapping[str, Any], partition: int, offset: int) -> dict[str, Any]:
    """The content of the entry about an event."""
    meta, state = event["meta"], event.get("current") or event.get("previous") or {}
    verb, name = verb_of(meta["event_type"]), _NAMES[topic.record]
    kind = _BY_VERB.get((name, verb)) or _KINDS.get(name) or "status"
    return {
        "kind": kind,
        "event_type": meta["event_type"],
        "subject": meta["subject"],
        "status": _text(state.get("status")) or verb,
        "actor": _actor(state),
        "reason": next((_text(state[field]) for field in _WHY if state.get(field)), None) if name in ALWAYS else None,
        "occurred_at": meta["occurred_at"],
        "recorded_at": meta["recorded_at"],
        "event_id": meta["event_id"],
        "correlation_id": meta["correlation_id"],
        "causation_id": meta["causation_id"],
        "source_topic": topic.name,
        "source_partition": partition,
        "source_offset": offset,
        "facts": _facts(state) if name in ALWAYS else {},
    }


def is_erasure(topic: Topic) -> bool:
    """Whether of a topic only the erasures are taken."""
    return _NAMES[topic.record] == ERASURES


def erasure(
    topic: Topic, key: str, reason: str, *, at: datetime, place: tuple[int, int], identity: str
) -> dict[str, Any]:
    """The content of the entry about a person's erasure."""
    return {
        "kind": "erasure",
        "event_type": "people.consultant.erased.v1",
        "subject": key,
        "status": "erased",
        "actor": None,
        "reason": reason[:LONGEST],
        "occurred_at": at,
        "recorded_at": at,
        "event_id": identity,
        "correlation_id": identity,
        "causation_id": None,
        "source_topic": topic.name,
        "source_partition": place[0],
        "source_offset": place[1],
        "facts": {},
    }


def _actor(state: Mapping[str, Any]) -> str | None:
    return next((f"{state[name]}" for name in _WHO if state.get(name) is not None), None)


def _facts(state: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name in _TOLD if (text := _text(state.get(name)))}


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)[:LONGEST]
