"""Contracts: sale orders with what was ordered, from the quotation to the last invoice.

Rules
- A line's delivered and invoiced quantities change without stamping the order: lines are read with it, and followed.
- After the confirmation a change of client, price or what is ordered is an amendment; deliveries and invoices are not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from producers.core.mapping.base import Children, Context, Entity, Follow, ModelMapping, amount, ids
from producers.core.mapping.change_requests import CHANGE_REQUEST_VERBS, order_change_request
from producers.core.values import Row, day, local_day, moment, money, number, ref, share, text, written
from schemas.records import Contract, ContractInvoiceStatus, ContractLine, ContractLineKind, ContractStatus

STATUS: dict[str, ContractStatus] = {"draft": "draft", "sent": "sent", "sale": "confirmed", "done": "confirmed", "cancel": "cancelled"}  # fmt: skip
INVOICING: dict[str, ContractInvoiceStatus] = {"no": "nothing", "to invoice": "to_invoice", "invoiced": "invoiced", "upselling": "upselling"}  # fmt: skip
KINDS: dict[str, ContractLineKind] = {
    "ordered_prepaid": "fixed_price",
    "delivered_timesheet": "time_and_material",
    "delivered_milestones": "milestones",
    "delivered_manual": "manual",
}
OFFERED = frozenset({"draft", "sent"})


def contract(row: Row, context: Context, _previous: object) -> Contract:
    """A sale order with its lines."""
    company_id = ref(row.get("company_id"))
    company = context.lookups.company(company_id)
    status = STATUS.get(str(row["state"]), "unknown")
    lines = [_line(line, context) for line in sorted(row["lines"], key=_place) if not line.get("display_type")]
    invoiced = sum((number(line.get("untaxed_amount_invoiced")) for line in row["lines"]), Decimal(0))
    made = moment(row.get("create_date"))
    return {
        "id": row["id"],
        "number": text(row.get("name")),
        "client_reference": text(row.get("client_order_ref")),
        "status": status,
        "locked": bool(row.get("locked")),
        "client_id": ref(row.get("partner_id")),
        "opportunity_id": ref(row.get("opportunity_id")),
        "project_id": ref(row.get("project_id")),
        "project_ids": _projects(row, lines),
        "responsible_id": ref(row.get("user_id")),
        "quoted_on": local_day(made, company.timezone) if made is not None else None,
        "valid_until": day(row.get("validity_date")),
        "signed_at": moment(row.get("signed_on")),
        "confirmed_at": moment(row.get("date_order")) if status == "confirmed" else None,
        "amount": money(row["amount_untaxed"]),
        "currency": context.lookups.currency(row.get("currency_id")),
        "company_amount": money(number(row["amount_untaxed"]) / (number(row.get("currency_rate")) or 1)),
        "company_currency": company.currency,
        "invoiced_amount": money(invoiced),
        "invoice_status": INVOICING.get(str(row.get("invoice_status")), "unknown"),
        "lines": lines,
        "company_id": company_id,
    }


def _place(line: Row) -> tuple[int, int]:
    return line.get("sequence") or 0, line["id"]


def _projects(row: Row, lines: Iterable[ContractLine]) -> list[int]:
    told = row.get("project_ids")
    if told is not None:
        return sorted(told)
    return sorted({p for p in (ref(row.get("project_id")), *(line["project_id"] for line in lines)) if p is not None})


def _line(line: Row, context: Context) -> ContractLine:
    unit = ref(line.get("product_uom_id"))
    return {
        "id": line["id"],
        "name": text(line.get("name")) or "",
        "product_id": ref(line.get("product_id")),
        "kind": _kind(line, context),
        "quantity": share(line.get("product_uom_qty")),
        "unit": context.lookups.units.get(unit) if unit is not None else None,
        "delivered": share(line.get("qty_delivered")),
        "invoiced": share(line.get("qty_invoiced")),
        "unit_price": money(line.get("price_unit")),
        "discount": share(number(line.get("discount")) / 100),
        "amount": money(line["price_subtotal"]),
        "project_id": ref(line.get("project_id")),
        "task_id": ref(line.get("task_id")),
    }


def _kind(line: Row, context: Context) -> ContractLineKind:
    if line.get("is_downpayment"):
        return "down_payment"
    if line.get("is_expense"):
        return "expense"
    product_id = ref(line.get("product_id"))
    if product_id is not None and line.get("is_service") is False:
        return "goods"
    policy = context.lookups.service_policies.get(product_id) if product_id is not None else None
    return KINDS.get(policy, "unknown") if policy is not None else "unknown"


def _agreed(state: Contract) -> tuple[object, ...]:
    what = [
        (line["id"], line["product_id"], line["quantity"], line["unit_price"], line["discount"], line["amount"])
        for line in state["lines"]
    ]
    return state["client_id"], state["amount"], state["currency"], what


def contract_verb(previous: Contract | None, current: Contract | None) -> str:
    """The status first (quoted, confirmed, cancelled), then the signature, then an amendment, then the rest."""
    if current is None:
        return "deleted"
    status, was = current["status"], previous["status"] if previous is not None else "unknown"
    if status != was and status in {"confirmed", "cancelled"}:
        return status
    if current["signed_at"] is not None and (previous is None or previous["signed_at"] is None):
        return "signed"
    if previous is None or (status in OFFERED and was not in OFFERED):
        return "quoted"
    if status == "confirmed" and _agreed(previous) != _agreed(current):
        return "amended"
    return "changed"


def contract_occurred(row: Row, previous: Contract | None, current: Contract, _context: Context) -> datetime:
    """A confirmation and a signature when Odoo says they were, unless that is still to come; the rest when written."""
    at = written(row)
    verb = contract_verb(previous, current)
    told = {"confirmed": current["confirmed_at"], "signed": current["signed_at"]}.get(verb)
    return min(told, at) if told is not None else at


def _needs(row: Row) -> Iterable[tuple[str, int | None]]:
    for tag_id in row.get("tag_ids") or ():
        yield "order_tags", tag_id
    for line in row["lines"]:
        yield "units", ref(line.get("product_uom_id"))
        if line.get("is_service"):
            yield "service_policies", ref(line.get("product_id"))


CONTRACT = ModelMapping(
    model="sale.order",
    module="sale",
    fields=("name", "state", "amount_untaxed"),
    optional=(
        "partner_id", "client_order_ref", "locked", "opportunity_id", "project_id", "project_ids", "user_id", "validity_date",
        "signed_on", "date_order", "currency_id", "currency_rate", "invoice_status", "company_id", "tag_ids",
        "create_uid", "write_uid",
    ),
    entities=(
        Entity("sales.contract.v1", contract, contract_verb, contract_occurred),
        Entity("delivery.change-request.v1", order_change_request, CHANGE_REQUEST_VERBS),
    ),
    children=(
        Children(
            "lines", "sale.order.line", "order_id", ("price_subtotal",),
            (
                "name", "sequence", "display_type", "product_id", "product_uom_qty", "product_uom_id", "qty_delivered",
                "qty_invoiced", "untaxed_amount_invoiced", "price_unit", "discount", "project_id", "task_id", "is_expense",
                "is_downpayment", "is_service",
            ),
        ),
    ),
    follows=(Follow("sale.order.line", "order_id"),),
    uses=("companies", "order_tags", "units", "service_policies"),
    needs=_needs,
    sums=(
        amount("amount_untaxed", "amount"), ids("partner_id", "client_id"), ids("opportunity_id"), ids("project_id"),
        ids("user_id", "responsible_id"),
    ),
)  # fmt: skip
