"""A workflow tells of requests for a decision: those of Odoo Enterprise's approvals, or its own. Its references are its own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from producers.core.messages.base import (
    STRICT,
    Row,
    Table,
    check_begun,
    check_ids,
    check_moments,
    check_money,
    check_names,
    check_reference,
    check_texts,
    money,
    needed,
    utc,
)
from schemas.records import Approval, ApprovalStatus
from schemas.topics import topic

Type = Literal[
    "approval.requested",
    "approval.approved",
    "approval.rejected",
    "approval.delegated",
    "approval.expired",
    "approval.cancelled",
]
REQUESTED = "approval.requested"


@dataclass(frozen=True, slots=True)
class Decision:
    """Where the request stands now, and whether that is its end."""

    status: ApprovalStatus
    ends: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalData:
    """The request as its sender knows it. `requested_at` may be left out only by the message that asks."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    reference: str
    title: str
    category: str
    requester_id: int | None = None
    approver_id: int | None = None
    alternate_ids: list[int] = field(default_factory=list)
    delegated_from_id: int | None = None
    subject: str | None = None
    amount: str | None = None
    currency: str | None = None
    requested_at: datetime | None = None
    due_at: datetime | None = None
    decided_by_id: int | None = None
    reason: str | None = None
    company_id: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no request could have."""
        check_reference(self.reference)
        check_names(title=self.title, category=self.category)
        check_texts(reason=self.reason, subject=self.subject)
        check_ids(
            requester_id=self.requester_id,
            approver_id=self.approver_id,
            delegated_from_id=self.delegated_from_id,
            decided_by_id=self.decided_by_id,
            company_id=self.company_id,
        )
        for user in self.alternate_ids:
            check_ids(alternate_ids=user)
        check_money(self.amount, self.currency)
        check_moments(requested_at=self.requested_at, due_at=self.due_at)
        if self.subject is not None and (":" not in self.subject or not self.subject.isprintable()):
            raise ValueError("subject is no key of an entity, for example odoo:firm:sale.order:7")


@dataclass(frozen=True, slots=True)
class ApprovalMessage:
    """The moment is when it was asked, passed on, decided, or ran out."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    type: Type
    timestamp: datetime
    data: ApprovalData

    def __post_init__(self) -> None:
        """Refuse what the type contradicts, or must say."""
        check_moments(timestamp=self.timestamp)
        data = self.data
        check_begun("requested_at", data.requested_at, self, REQUESTED)
        if data.decided_by_id is not None and not APPROVALS.rows[self.type].means.ends:
            raise ValueError(f"data.decided_by_id contradicts {self.type}")
        if self.type == "approval.delegated":
            needed("delegated_from_id", data.delegated_from_id, "a delegation must say who passed it on")


def _approval(data: ApprovalData, moment: datetime, decision: Decision) -> Approval:
    at = moment.astimezone(UTC)
    return {
        "reference": data.reference,
        "title": data.title,
        "category": data.category,
        "status": decision.status,
        "requester_id": data.requester_id,
        "approver_id": data.approver_id,
        "alternate_ids": data.alternate_ids,
        "delegated_from_id": data.delegated_from_id,
        "subject_key": data.subject,
        "amount": money(data.amount),
        "currency": data.currency,
        "requested_at": utc(data.requested_at) or at,
        "due_at": utc(data.due_at),
        "decided_at": at if decision.ends else None,
        "decided_by_id": data.decided_by_id,
        "reason": data.reason,
        "company_id": data.company_id,
    }


APPROVALS: Table[Any] = Table(
    topic("governance.approval.v1"),
    subject=lambda data, origin: f"{origin.source}:approval:{data.reference}",
    state=_approval,
    rows={
        REQUESTED: Row("requested", Decision("requested")),
        "approval.approved": Row("approved", Decision("approved", ends=True)),
        "approval.rejected": Row("rejected", Decision("rejected", ends=True)),
        "approval.delegated": Row("delegated", Decision("requested")),
        "approval.expired": Row("expired", Decision("expired", ends=True)),
        "approval.cancelled": Row("cancelled", Decision("cancelled", ends=True)),
    },
)
