"""Money in and out, and the documents it settles."""

from __future__ import annotations

from producers.core.mapping.base import Context, Entity, ModelMapping, Period, amount, ids
from producers.core.values import Row, money, needed_day, ref
from schemas.records import Payment, PaymentDirection, PaymentStatus

PAYMENT_STATUS: dict[str, PaymentStatus] = {
    "draft": "draft",
    "in_process": "in_process",
    "paid": "paid",
    "canceled": "cancelled",
    "rejected": "rejected",
}
DIRECTION: dict[str, PaymentDirection] = {"inbound": "inbound", "outbound": "outbound"}


def payment(row: Row, context: Context, _previous: object) -> Payment:
    """Money in or out, and the documents it settles."""
    settled = {
        i for name in ("invoice_ids", "reconciled_invoice_ids", "reconciled_bill_ids") for i in row.get(name) or ()
    }
    return {
        "id": row["id"],
        "status": PAYMENT_STATUS.get(str(row["state"]), "unknown"),
        "direction": DIRECTION.get(str(row["payment_type"]), "unknown"),
        "partner_id": ref(row.get("partner_id")),
        "amount": money(row["amount"]),
        "currency": context.lookups.currency(row.get("currency_id")),
        "date": needed_day(row, "date"),
        "invoice_ids": sorted(settled),
        "company_id": ref(row.get("company_id")),
    }


def payment_verb(previous: Payment | None, current: Payment | None) -> str:
    """Registered, settled, rejected, cancelled, changed or deleted."""
    if current is None:
        return "deleted"
    ends = {"paid": "settled", "rejected": "rejected", "cancelled": "cancelled"}
    end = ends.get(current["status"])
    if end and (previous is None or previous["status"] != current["status"]):
        return end
    return "registered" if previous is None else "changed"


PAYMENT = ModelMapping(
    model="account.payment",
    module="account",
    fields=("state", "payment_type", "amount", "date"),
    optional=(
        "partner_id",
        "currency_id",
        "company_id",
        "invoice_ids",
        "reconciled_invoice_ids",
        "reconciled_bill_ids",
    ),
    entities=(Entity("finance.payment.v1", payment, payment_verb),),
    sums=(amount("amount", "amount"), ids("partner_id")),
    period=Period("date", "date"),
    hot=True,
)
