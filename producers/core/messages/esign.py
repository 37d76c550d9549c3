"""An e-signature service tells that a contract was signed. It knows the order and the moment; all else is Odoo's to say."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from producers.core.messages.base import STRICT, Row, Table, check_ids, check_moments
from schemas.events import odoo_key
from schemas.records import Contract
from schemas.topics import topic


@dataclass(frozen=True, slots=True)
class ContractData:
    """The order that was signed."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    contract_id: int

    def __post_init__(self) -> None:
        """Refuse what is no order."""
        check_ids(contract_id=self.contract_id)


@dataclass(frozen=True, slots=True)
class ContractMessage:
    """The moment is when the client signed."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    type: Literal["contract.signed"]
    timestamp: datetime
    data: ContractData

    def __post_init__(self) -> None:
        """Refuse a moment that is none."""
        check_moments(timestamp=self.timestamp)


def _contract(data: ContractData, moment: datetime, _means: None) -> Contract:
    return {
        "id": data.contract_id,
        "signed_at": moment.astimezone(UTC),
        "status": "unknown",
        "invoice_status": "unknown",
        "project_ids": [],
        "lines": [],
        "number": None,
        "client_reference": None,
        "locked": None,
        "client_id": None,
        "opportunity_id": None,
        "project_id": None,
        "responsible_id": None,
        "quoted_on": None,
        "valid_until": None,
        "confirmed_at": None,
        "amount": None,
        "currency": None,
        "company_amount": None,
        "company_currency": None,
        "invoiced_amount": None,
        "company_id": None,
    }


CONTRACTS: Table[Any] = Table(
    topic("sales.contract.v1"),
    subject=lambda data, origin: odoo_key(origin.database, "sale.order", data.contract_id),
    state=_contract,
    rows={"contract.signed": Row("signed", None)},
)
