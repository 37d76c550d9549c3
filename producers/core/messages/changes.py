"""A workflow tells of requests to change what was agreed with a client. Its references are its own."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
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
    utc,
)
from schemas.records import ChangeRequest, ChangeRequestStatus
from schemas.topics import topic

Type = Literal[
    "change-request.raised",
    "change-request.changed",
    "change-request.approved",
    "change-request.rejected",
    "change-request.withdrawn",
]
RAISED = "change-request.raised"
MOST_MINUTES = 10_000_000


@dataclass(frozen=True, slots=True)
class ChangeRequestData:
    """The request as its sender knows it. `raised_at` may be left out only by the message that raises it."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    reference: str
    title: str
    project_id: int | None = None
    contract_id: int | None = None
    client_id: int | None = None
    minutes: int | None = None
    amount: str | None = None
    currency: str | None = None
    requester_id: int | None = None
    raised_at: datetime | None = None
    due_on: date | None = None
    decided_by_id: int | None = None
    reason: str | None = None
    company_id: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no request could have."""
        check_reference(self.reference)
        check_names(title=self.title)
        check_texts(reason=self.reason)
        check_ids(
            project_id=self.project_id,
            contract_id=self.contract_id,
            client_id=self.client_id,
            requester_id=self.requester_id,
            decided_by_id=self.decided_by_id,
            company_id=self.company_id,
        )
        check_money(self.amount, self.currency, negative=True)
        check_moments(raised_at=self.raised_at)
        if self.minutes is not None and abs(self.minutes) > MOST_MINUTES:
            raise ValueError("minutes is more than anybody works")


@dataclass(frozen=True, slots=True)
class ChangeRequestMessage:
    """The moment is when it was raised, changed, decided or withdrawn."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    type: Type
    timestamp: datetime
    data: ChangeRequestData

    def __post_init__(self) -> None:
        """Refuse what the type contradicts, or must say."""
        check_moments(timestamp=self.timestamp)
        data = self.data
        check_begun("raised_at", data.raised_at, self, RAISED)
        if data.decided_by_id is not None and CHANGE_REQUESTS.rows[self.type].means == "raised":
            raise ValueError(f"data.decided_by_id contradicts {self.type}")


def _change_request(data: ChangeRequestData, moment: datetime, status: ChangeRequestStatus) -> ChangeRequest:
    at = moment.astimezone(UTC)
    return {
        "reference": data.reference,
        "kind": "external",
        "title": data.title,
        "status": status,
        "project_id": data.project_id,
        "contract_id": data.contract_id,
        "task_id": None,
        "client_id": data.client_id,
        "minutes": data.minutes,
        "amount": money(data.amount),
        "currency": data.currency,
        "requester_id": data.requester_id,
        "raised_at": utc(data.raised_at) or at,
        "due_on": data.due_on,
        "decided_at": None if status == "raised" else at,
        "decided_by_id": data.decided_by_id,
        "reason": data.reason,
        "company_id": data.company_id,
    }


CHANGE_REQUESTS: Table[Any] = Table(
    topic("delivery.change-request.v1"),
    subject=lambda data, origin: f"{origin.source}:change-request:{data.reference}",
    state=_change_request,
    rows={
        RAISED: Row("raised", "raised"),
        "change-request.changed": Row("changed", "raised"),
        "change-request.approved": Row("approved", "approved"),
        "change-request.rejected": Row("rejected", "rejected"),
        "change-request.withdrawn": Row("withdrawn", "withdrawn"),
    },
)
