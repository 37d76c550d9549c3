"""An idea, and the event that proposes it to people.

A proposal's id is made of kind, subject and what it rests on: the same thing is proposed once, however often it is thought of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from schemas.events import deterministic_id, meta
from schemas.records import Meta, ProposalEvent
from schemas.topics import topic

PROPOSALS = topic("governance.proposal.v1")
SOURCE = "burnline.assist"
RULES = "rules/1"
LONGEST_TEXT = 500
Kind = Literal["priority", "summary", "duplicate_invoice"]


@dataclass(frozen=True, slots=True)
class Idea:
    """What is thought of an alert or an invoice. `basis` is what it rests on, `cause` the event that led to it."""

    kind: Kind
    basis: str
    text: str
    score: Decimal | None
    cause: Meta
    alert_id: str | None = None
    evidence: dict[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """The id of its proposal."""
        return deterministic_id("proposal", self.kind, self.basis)


def proposal_event(idea: Idea, made_by: str, at: datetime) -> ProposalEvent:
    """The event that proposes an idea. `at` is when."""
    cause = idea.cause
    score = None if idea.score is None else idea.score.quantize(Decimal("0.000000001"), ROUND_HALF_UP)
    return {
        "meta": meta(
            PROPOSALS,
            "proposed",
            source=SOURCE,
            subject=f"burnline:proposal:{idea.identity}",
            version=1,
            occurred_at=at,
            recorded_at=at,
            mode="derived",
            tenant=cause["tenant"],
            company_id=cause["company_id"],
            correlation_id=cause["correlation_id"],
            causation_id=cause["event_id"],
        ),
        "current": {
            "proposal_id": idea.identity,
            "kind": idea.kind,
            "subject_key": cause["subject"],
            "alert_id": idea.alert_id,
            "text": idea.text[:LONGEST_TEXT],
            "score": score,
            "evidence": idea.evidence,
            "made_by": made_by,
        },
    }
