"""Invoices, payments, expenses and purchase orders.

Rules
- Drafts are never published as final: the status says so, and so does the verb.
- Totals in the company's currency are positive whatever the kind of document.
- A document falls overdue without anybody writing it: all are looked at again when the day turns.
- An order's lines bill without always stamping the order: they are read with it, and followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from producers.core.mapping.base import Children, Context, Entity, Follow, ModelMapping, Own, Period, amount, ids
from producers.core.mapping.disputes import dispute, dispute_occurred, dispute_verb
from producers.core.mapping.units import minutes_of
from producers.core.policy import CapturePolicy, DisputeRule
from producers.core.values import (
    Row,
    day,
    end_of,
    local_day,
    money,
    needed_day,
    number,
    ref,
    share,
    text,
    written,
)
from schemas.errors import PoisonMessage
from schemas.records import (
    Expense,
    ExpenseShare,
    ExpenseStatus,
    Invoice,
    InvoiceShare,
    InvoiceStatus,
    Payment,
    PaymentDirection,
    PaymentStatus,
    PurchaseOrder,
    PurchaseStatus,
)

VENDORS = ("in_invoice", "in_refund")
DOCUMENTS = ("out_invoice", "out_refund", *VENDORS)
INVOICE_STATUS: dict[str, InvoiceStatus] = {"draft": "draft", "posted": "posted", "cancel": "cancelled"}
SETTLEMENT = {
    "paid": "paid",
    "in_payment": "paid",
    "partial": "partially-paid",
    "reversed": "reversed",
    "blocked": "blocked",
}
EXPENSE_STATUS: dict[str, ExpenseStatus] = {
    "draft": "drafted",
    "submitted": "submitted",
    "approved": "approved",
    "posted": "posted",
    "in_payment": "paid",
    "paid": "paid",
    "refused": "refused",
}
ORDER_STATUS: dict[str, PurchaseStatus] = {
    "draft": "requested",
    "sent": "requested",
    "to approve": "to_approve",
    "purchase": "confirmed",
    "done": "confirmed",
    "cancel": "cancelled",
}
PAYMENT_STATUS: dict[str, PaymentStatus] = {
    "draft": "draft",
    "in_process": "in_process",
    "paid": "paid",
    "canceled": "cancelled",
    "rejected": "rejected",
}
DIRECTION: dict[str, PaymentDirection] = {"inbound": "inbound", "outbound": "outbound"}


def invoice(row: Row, context: Context, _previous: object) -> Invoice | None:
    """A customer's or vendor's invoice or credit note; None for any other journal entry."""
    if row["move_type"] not in DOCUMENTS:
        return None
    company_id = ref(row.get("company_id"))
    company = context.lookups.company(company_id)
    name, due = text(row.get("name")), day(row.get("invoice_date_due"))
    today = context.lookups.today.get(company.timezone) or local_day(written(row), company.timezone)
    return {
        "id": row["id"],
        "number": None if name == "/" else name,
        "move_type": str(row["move_type"]),
        "status": INVOICE_STATUS.get(str(row["state"]), "unknown"),
        "payment_status": text(row.get("payment_state")) or "not_paid",
        "partner_id": ref(row.get("partner_id")),
        "invoice_date": day(row.get("invoice_date")),
        "due_date": due,
        "total": money(row["amount_total"]),
        "residual": money(row["amount_residual"]),
        "currency": context.lookups.currency(row.get("currency_id")),
        "company_residual": abs(money(row.get("amount_residual_signed"))),
        "company_total": abs(money(row.get("amount_total_signed"))),
        "company_currency": company.currency,
        "timezone": company.timezone,
        "reversed_id": ref(row.get("reversed_entry_id")),
        "responsible_id": ref(row.get("invoice_user_id")),
        "company_id": company_id,
        "shares": _shares(row, context.lookups.project_of_account),
        "overdue": row["state"] == "posted" and bool(row["amount_residual"]) and due is not None and due < today,
    }


def _shares(row: Row, projects: Mapping[int, int]) -> list[InvoiceShare]:
    """The lines of a vendor's document by account: a bill is a debit, its credit note is not, and both are told positive."""
    sign = -1 if row["move_type"] == "in_refund" else 1
    whole: dict[int, Decimal] = {}
    ordered: dict[int, Decimal] = {}
    for line in row.get("lines") or ():
        parts = line["analytic_distribution"]
        for key, percentage in parts.items() if isinstance(parts, dict) else ():
            amount = sign * number(line["balance"]) * number(percentage) / 100
            for account in accounts_of(str(key)):
                whole[account] = whole.get(account, Decimal(0)) + amount
                if line.get("purchase_line_id"):
                    ordered[account] = ordered.get(account, Decimal(0)) + amount
    return [
        {
            "account_id": account,
            "project_id": projects.get(account),
            "amount": money(amount),
            "ordered_amount": money(ordered.get(account, Decimal(0))),
        }
        for account, amount in sorted(whole.items())
    ]


def invoice_verb(previous: Invoice | None, current: Invoice | None) -> str:
    """The status first, then what became of the money, then the rest."""
    if current is None:
        return "deleted"
    if current["status"] != "posted":
        told = "cancelled" if current["status"] == "cancelled" else "drafted"
        return told if previous is None or previous["status"] != current["status"] else "changed"
    if previous is not None and previous["status"] == "posted":
        return _settled_verb(previous, current)
    return "posted" if previous is not None else SETTLEMENT.get(current["payment_status"], "posted")


def _settled_verb(previous: Invoice, current: Invoice) -> str:
    settled = SETTLEMENT.get(current["payment_status"])
    paid_more = current["residual"] != previous["residual"]
    if settled and (
        settled != SETTLEMENT.get(previous["payment_status"]) or (settled == "partially-paid" and paid_more)
    ):
        return settled
    return "overdue" if current["overdue"] and not previous["overdue"] else "changed"


def invoice_occurred(row: Row, previous: Invoice | None, current: Invoice, _context: Context) -> datetime:
    """A posting became true at the end of the invoice's day, and it fell overdue at the end of its due day; the rest when written.

    What is still to come has not occurred.
    """
    at, on = written(row), current["invoice_date"]
    if current["due_date"] is not None and invoice_verb(previous, current) == "overdue":
        return min(at, end_of(current["due_date"], current["timezone"]))
    posted_now = current["status"] == "posted" and (previous is None or previous["status"] != "posted")
    if posted_now and on is not None and on < local_day(at, current["timezone"]):
        return end_of(on, current["timezone"])
    return at


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


def expense(row: Row, context: Context, _previous: object) -> Expense:
    """An expense and the accounts that bear it."""
    company_id = ref(row.get("company_id"))
    return {
        "id": row["id"],
        "employee_id": ref(row.get("employee_id")),
        "date": day(row.get("date")) or needed_day(row, "create_date"),
        "status": EXPENSE_STATUS.get(str(row["state"]), "unknown"),
        "amount": money(row["total_amount"]),
        "currency": context.lookups.company(company_id).currency,
        "distribution": distribution(row.get("analytic_distribution"), context.lookups.project_of_account),
        "company_id": company_id,
    }


def accounts_of(key: str) -> list[int]:
    """The accounts of one key of a distribution: `7,12` is one of each of two plans."""
    try:
        return [int(part) for part in key.split(",") if part.strip()]
    except ValueError:
        raise PoisonMessage(
            f"{key!r} is no list of analytic accounts", remedy="correct the analytic distribution in Odoo"
        ) from None


def distribution(value: object, projects: Mapping[int, int]) -> list[ExpenseShare]:
    """Odoo's percentages as shares by account, in the order of the accounts."""
    shares: dict[int, Decimal] = {}
    for key, percentage in value.items() if isinstance(value, dict) else ():
        for account in accounts_of(str(key)):
            shares[account] = shares.get(account, Decimal(0)) + number(percentage) / 100
    return [
        {"account_id": account, "project_id": projects.get(account), "share": share(part)}
        for account, part in sorted(shares.items())
    ]


def expense_verb(previous: Expense | None, current: Expense | None) -> str:
    """The status where it is new, or `changed`."""
    if current is None:
        return "deleted"
    if current["status"] != "unknown" and (previous is None or previous["status"] != current["status"]):
        return current["status"]
    return "changed" if previous is not None else "drafted"


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


def _units_needed(row: Row) -> Iterable[tuple[str, int | None]]:
    for line in row["lines"]:
        yield "units", ref(line.get("product_uom_id"))


def _lines_needed(row: Row) -> Iterable[tuple[str, int | None]]:
    for line in row.get("lines") or ():
        yield from _accounts_needed(line)


def _accounts_needed(row: Row) -> Iterable[tuple[str, int | None]]:
    value = row.get("analytic_distribution")
    for key in value if isinstance(value, dict) else ():
        for part in str(key).split(","):
            if part.strip().isdecimal():
                yield "project_of_account", int(part)


def account_moves(policy: CapturePolicy) -> ModelMapping:
    """One read of account.move feeds invoices and disputes; a dispute field that the firm named must exist."""
    rule, usual = policy.dispute, DisputeRule()
    own = (
        Own(rule.state_field, ("selection", "char"), tuple(rule.states)),
        Own(rule.date_field, ("date", "datetime")),
        Own(rule.amount_field, ("float", "monetary", "integer")),
        Own(rule.reason_field, ("char", "text", "selection")),
    )
    defaults = {usual.state_field, usual.date_field, usual.amount_field, usual.reason_field}
    return ModelMapping(
        model="account.move",
        module="account",
        fields=("name", "move_type", "state", "payment_state", "amount_total", "amount_residual", "company_id"),
        own=tuple(one for one in own if one.name not in defaults),
        optional=(
            "partner_id", "invoice_date", "invoice_date_due", "currency_id", "amount_total_signed",
            "amount_residual_signed", "reversed_entry_id", "invoice_user_id", *(one.name for one in own),
        ),
        children=(
            Children(
                "lines", "account.move.line", "move_id", ("analytic_distribution", "balance"), ("purchase_line_id",),
                where=(("move_id.move_type", "in", VENDORS), ("display_type", "=", "product")), needed=False,
            ),
        ),
        entities=(
            Entity("finance.invoice.v1", invoice, invoice_verb, invoice_occurred),
            Entity("finance.dispute.v1", dispute, dispute_verb, dispute_occurred),
        ),
        where=(("move_type", "in", DOCUMENTS),),
        watch=(("move_type", "in", DOCUMENTS),),
        uses=("companies", "project_of_account", "today"),
        needs=_lines_needed,
        sums=(
            amount("amount_total", "total"), amount("amount_residual", "residual"), ids("partner_id"),
            ids("reversed_entry_id", "reversed_id"), ids("invoice_user_id", "responsible_id"),
        ),
        period=Period("invoice_date", "invoice_date"),
        hot=True,
    )  # fmt: skip


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

EXPENSE = ModelMapping(
    model="hr.expense",
    module="hr_expense",
    fields=("date", "state", "total_amount"),
    optional=("employee_id", "analytic_distribution", "company_id"),
    entities=(Entity("finance.expense.v1", expense, expense_verb),),
    sums=(amount("total_amount", "amount"), ids("employee_id")),
    period=Period("date", "date"),
    uses=("companies", "project_of_account"),
    needs=_accounts_needed,
)

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
    needs=_units_needed,
)
