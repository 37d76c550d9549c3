"""Invoices, bills and credit notes; one read of them feeds disputes, too.

Rules
- Drafts are never published as final: the status says so, and so does the verb.
- Totals in the company's currency are positive whatever the kind of document.
- A document falls overdue without anybody writing it: all are looked at again when the day turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from producers.core.mapping.analytic import accounts_needed, parts_of
from producers.core.mapping.base import Children, Context, Entity, ModelMapping, Own, Period, amount, ids
from producers.core.mapping.disputes import dispute, dispute_occurred, dispute_verb
from producers.core.policy import CapturePolicy, DisputeRule
from producers.core.values import Row, day, end_of, local_day, money, number, ref, text, written
from schemas.records import Invoice, InvoiceShare, InvoiceStatus

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
        for account, part in parts_of(line["analytic_distribution"]):
            borne = sign * number(line["balance"]) * part
            whole[account] = whole.get(account, Decimal(0)) + borne
            if line.get("purchase_line_id"):
                ordered[account] = ordered.get(account, Decimal(0)) + borne
    return [
        {
            "account_id": account,
            "project_id": projects.get(account),
            "amount": money(borne),
            "ordered_amount": money(ordered.get(account, Decimal(0))),
        }
        for account, borne in sorted(whole.items())
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


def _lines_needed(row: Row) -> Iterable[tuple[str, int | None]]:
    for line in row.get("lines") or ():
        yield from accounts_needed(line)


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
