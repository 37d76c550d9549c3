"""Receipts: what is expected from vendors, and what came.

Trap: the moves of a receipt change without stamping it, and the project is its purchase order's: both are looked at, too.
"""

from __future__ import annotations

from datetime import datetime

from producers.core.mapping.base import Children, Context, Entity, Follow, ModelMapping, Period, Verbs, ids
from producers.core.mapping.units import units_needed
from producers.core.values import Row, moment, needed_ref, ref, share, text, written
from schemas.records import Receipt, ReceiptLine, ReceiptStatus

INCOMING = "incoming"
RECEIPT_VERBS = Verbs({"expected": "expected", "received": "received", "cancelled": "cancelled"}, first="expected")


def receipt(row: Row, context: Context, _previous: object) -> Receipt | None:
    """A transfer from a vendor; None for any other."""
    if row["picking_type_code"] != INCOMING:
        return None
    status = _status(row)
    order_id = ref(row.get("purchase_id"))
    bought_for = context.lookups.project_of_purchase.get(order_id) if order_id is not None else None
    number = text(row.get("name"))
    return {
        "id": row["id"],
        "number": None if number == "/" else number,
        "purchase_order_id": order_id,
        "vendor_id": ref(row.get("partner_id")),
        "project_id": ref(row.get("project_id")) or bought_for,
        "status": status,
        "expected_at": moment(row.get("scheduled_date")),
        "due_at": moment(row.get("date_deadline")),
        "received_at": moment(row.get("date_done")) if status == "received" else None,
        "backorder_of_id": ref(row.get("backorder_id")),
        "lines": [_line(line, context, received=status == "received") for line in row["lines"]],
        "company_id": ref(row.get("company_id")),
    }


def _status(row: Row) -> ReceiptStatus:
    if row["state"] == "done":
        return "received"
    return "cancelled" if row["state"] == "cancel" else "expected"


def _line(line: Row, context: Context, *, received: bool) -> ReceiptLine:
    unit = ref(line.get("product_uom"))
    return {
        "id": line["id"],
        "product_id": needed_ref(line, "product_id"),
        "purchase_line_id": ref(line.get("purchase_line_id")),
        "expected": share(line["product_uom_qty"]),
        "received": share(line.get("quantity") if received else 0),
        "unit": context.lookups.units.get(unit) if unit is not None else None,
    }


def receipt_occurred(row: Row, previous: Receipt | None, current: Receipt, _context: Context) -> datetime:
    """It came when Odoo says so, unless that is still to come; the rest when written."""
    at, came = written(row), current["received_at"]
    return min(at, came) if came is not None and RECEIPT_VERBS(previous, current) == "received" else at


RECEIPT = ModelMapping(
    model="stock.picking",
    module="stock",
    fields=("name", "state", "picking_type_code"),
    optional=(
        "purchase_id", "partner_id", "project_id", "scheduled_date", "date_deadline", "date_done", "backorder_id", "company_id",
    ),
    entities=(Entity("finance.receipt.v1", receipt, RECEIPT_VERBS, receipt_occurred),),
    where=(("picking_type_code", "=", INCOMING),),
    children=(
        Children(
            "lines", "stock.move", "picking_id", ("product_id", "product_uom_qty"),
            ("quantity", "product_uom", "purchase_line_id"),
        ),
    ),
    follows=(Follow("stock.move", "picking_id"),),
    uses=("units", "project_of_purchase"),
    needs=units_needed("product_uom"),
    sums=(ids("partner_id", "vendor_id"), ids("backorder_id", "backorder_of_id")),
    period=Period("scheduled_date", "expected_at"),
)  # fmt: skip
