"""What senders of signed deliveries may say: a module for each kind of source, with a table from its messages to events of the catalogue.

A milestone is not among them: its facts are Odoo's, and an event of another source under the same key would hide what Odoo says later.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from producers.core.messages.approvals import APPROVALS, ApprovalMessage
from producers.core.messages.bank import PAYMENTS, PaymentMessage
from producers.core.messages.base import Origin, Table
from producers.core.messages.changes import CHANGE_REQUESTS, ChangeRequestMessage
from producers.core.messages.esign import CONTRACTS, ContractMessage
from producers.core.messages.helpdesk import DISPUTES, DisputeMessage

__all__ = ["KINDS", "TABLES", "Message", "Origin", "Table", "table_of"]

Message: TypeAlias = DisputeMessage | ContractMessage | PaymentMessage | ApprovalMessage | ChangeRequestMessage

TABLES: tuple[Table[Any], ...] = (DISPUTES, CONTRACTS, PAYMENTS, APPROVALS, CHANGE_REQUESTS)
KINDS: dict[str, tuple[Table[Any], ...]] = {
    "helpdesk": (DISPUTES,),
    "esign": (CONTRACTS,),
    "bank": (PAYMENTS,),
    "approvals": (APPROVALS,),
    "n8n": TABLES,
}
"""What each kind of source may speak of. A workflow tool speaks for all the others."""


def table_of(kind: str) -> Table[Any]:
    """The table that knows this type of message. Raises `KeyError` for one that nobody declared."""
    return _BY_TYPE[kind]


_BY_TYPE = {kind: table for table in TABLES for kind in table.rows}
