"""Orders to vendors, and how much of them was billed. An order's lines bill without always stamping the order: they are read with it, and followed."""

from __future__ import annotations

from decimal import Decimal

from producers.core.mapping.base import Children, Context, Entity, Follow, ModelMapping, Period, amount, ids
from producers.core.mapping.units import minutes_of, units_needed
from producers.core.values import Row, day, money, number, ref, text
from schemas.records import PurchaseOrder, PurchaseStatus

ORDER_STATUS: dict[str, PurchaseStatus] = {
    "draft": "requested",
    "sent": "requested",
    "to approve": "to_approve",
    "purchase": "confirmed",
    "done": "confirmed",
    "cancel": "cancelled",
}


def purchase_order(row: Row, context: Context, _previous: object) -> PurchaseOrder:
    """An order to a vendor, and how much of it was billed."""
    company_id = ref(row.get("company_id"))
    rate = number(row.get("currency_rate")) or Decimal(1)
    billed = sum(
        (
            number(line["qty_invoiced"]) * number(line["price_unit"]) * (1 - number(line.get("discount")) / 100)
            for line in row["lines"]
        ),
        Decimal(0),
    )
    return {
        "id": row["id"],
        "number": text(row.get("name")) or "",
        "vendor_id": ref(row.get("partner_id")),
        "project_id": ref(row.get("project_id")),
        "status": ORDER_STATUS.get(str(row["state"]), "unknown"),
        "ordered_on": day(row.get("date_order")),
        "amount": money(row["amount_untaxed"]),
        "currency": context.lookups.currency(row.get("currency_id")),
        "company_amount": money(number(row["amount_untaxed"]) / rate),
        "billed_amount": money(billed / rate),
        "company_currency": context.lookups.company(company_id).currency,
        "invoiced": row.get("invoice_status") == "invoiced",
        "company_id": company_id,
        "ordered_minutes": minutes_of(row["lines"], "product_qty", context),
        "billed_minutes": minutes_of(row["lines"], "qty_invoiced", context),
    }


def purchase_order_verb(previous: PurchaseOrder | None, current: PurchaseOrder | None) -> str:
    """Requested, approved (confirmed after an approval), confirmed, invoiced, cancelled, changed or deleted."""
    if current is None:
        return "deleted"
    status, was = current["status"], previous["status"] if previous is not None else "unknown"
    if status == "cancelled" and was != status:
        return "cancelled"
    if current["invoiced"] and not (previous is not None and previous["invoiced"]):
        return "invoiced"
    if status == "confirmed" and was != status:
        return "approved" if was == "to_approve" else "confirmed"
    if status in {"requested", "to_approve"} and was not in {"requested", "to_approve"}:
        return "requested"
    return "changed" if previous is not None else "requested"


PURCHASE_ORDER = ModelMapping(
    model="purchase.order",
    module="purchase",
    fields=("name", "state", "amount_untaxed"),
    optional=("partner_id", "project_id", "date_order", "currency_id", "currency_rate", "invoice_status", "company_id"),
    entities=(Entity("finance.purchase-order.v1", purchase_order, purchase_order_verb),),
    sums=(amount("amount_untaxed", "amount"), ids("partner_id", "vendor_id"), ids("project_id")),
    period=Period("date_order", "ordered_on"),
    children=(
        Children(
            "lines",
            "purchase.order.line",
            "order_id",
            ("qty_invoiced", "price_unit"),
            ("discount", "product_qty", "product_uom_id"),
        ),
    ),
    follows=(Follow("purchase.order.line", "order_id"),),
    uses=("companies", "units"),
    needs=units_needed("product_uom_id"),
)
