"""Invoices, disputes, payments, purchase orders and expenses of the past half year: pure, like the history of time."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from infra.embedded_odoo.firm.book import Book
from infra.embedded_odoo.firm.days import during, local
from infra.embedded_odoo.firm.history import Plan, Project
from infra.embedded_odoo.firm.people import VENDORS
from infra.embedded_odoo.seed import EUR, USD

_VAT = 0.21
_DISPUTES = (
    (5, "open", False),
    (12, "awaiting_customer", False),
    (29, "open", True),
    (30, "open", False),
    (47, "escalated", True),
    (62, "awaiting_customer", False),
    (75, "resolved", False),
    (88, "open", False),
    (104, "withdrawn", False),
    (130, "escalated", False),
)
"""Days since the opening, state, whether the payment is blocked."""
REASONS = ("Hours not agreed", "Wrong rate", "Scope not delivered", "Missing purchase order", "Duplicate")
_ORDERS = (
    ("draft", 0.0),
    ("sent", 0.0),
    ("to approve", 0.0),
    ("purchase", 0.0),
    ("purchase", 0.0),
    ("purchase", 0.4),
    ("purchase", 0.5),
    ("purchase", 1.0),
    ("purchase", 1.0),
    ("cancel", 0.0),
)
"""State, and the share already billed."""
_EXPENSES = ("draft", "submitted", "approved", "posted", "in_payment", "paid", "refused")


def write_money(book: Book, plan: Plan) -> None:
    """All that moves money."""
    vendors = [row["id"] for row in book.rows["res.partner"] if row["name"] in VENDORS]
    invoices = _invoices(book, plan)
    _dispute(book, invoices)
    _book_invoices(book, invoices)
    _orders(book, plan, vendors)
    _expenses(book, plan)


def move_values(kind: str, partner: int, total: float, day: date, user: int | None) -> dict[str, Any]:
    """The columns of an unpaid document of this total."""
    untaxed, sign = round(total / (1 + _VAT), 2), -1 if kind in {"out_refund", "in_invoice"} else 1
    return {
        "move_type": kind,
        "partner_id": partner,
        "journal_id": 1 if kind.startswith("out") else 2,
        "date": day.isoformat(),
        "invoice_date": day.isoformat(),
        "invoice_date_due": (day + timedelta(30)).isoformat(),
        "invoice_user_id": user,
        "amount_untaxed": untaxed,
        "amount_tax": round(total - untaxed, 2),
        "amount_total": total,
        "amount_residual": total,
        "amount_untaxed_signed": sign * untaxed,
        "amount_total_signed": sign * total,
        "amount_residual_signed": sign * total,
        "payment_state": "not_paid",
        "state": "posted",
        "x_dispute_state": "none",
    }


def _invoices(book: Book, plan: Plan) -> list[dict[str, Any]]:
    """One a month and client project, oldest first."""
    out = []
    day = (book.first.replace(day=1) + timedelta(32)).replace(day=3)
    while day <= book.today:
        for project in plan.projects[:-1]:
            total = round(book.rng.uniform(6_000, 38_000), 2)
            manager = plan.consultants[project.id % 4].user_id
            out.append(
                move_values("out_invoice", project.client, total, day, manager)
                | {"paid": _paid(book, book.today - day)}
            )
        day = (day.replace(day=1) + timedelta(32)).replace(day=3)
    return out


def _paid(book: Book, age: timedelta) -> float:
    """The share of an invoice that was paid by now."""
    if age.days > 75:
        return 1.0 if book.rng.random() < 0.85 else 0.0
    if age.days > 30:
        return book.rng.choice((1.0, 1.0, 0.4, 0.0, 0.0))
    return 0.0


def _dispute(book: Book, invoices: Sequence[dict[str, Any]]) -> None:
    for days_ago, state, blocked in _DISPUTES:
        opened = book.today - timedelta(days_ago)
        fitting = [i for i in invoices if i["x_dispute_state"] == "none" and i["invoice_date"] <= opened.isoformat()]
        if not fitting:
            continue
        invoice = book.rng.choice(fitting[-22:])
        closed = state in {"resolved", "withdrawn"}
        invoice["paid"] = invoice["paid"] if closed else 0.0
        invoice |= {
            "x_dispute_state": state,
            "x_dispute_date": opened.isoformat(),
            "x_dispute_amount": round(invoice["amount_total"] * book.rng.choice((0.25, 0.5, 1.0)), 2),
            "x_dispute_reason": book.rng.choice(REASONS),
            "payment_state": "blocked" if blocked else "not_paid",
        }


def _book_invoices(book: Book, invoices: Sequence[dict[str, Any]]) -> None:
    for number, invoice in enumerate(invoices, start=1):
        paid, day = invoice.pop("paid"), date.fromisoformat(invoice["invoice_date"])
        invoice["name"] = f"INV/{day.year}/{number:05d}"
        at = during(book.rng, day, 10, 16, before=book.before)
        disputed = invoice.get("x_dispute_date")
        changed = during(book.rng, date.fromisoformat(disputed), 9, 17, before=book.before) if disputed else at
        row = dict(invoice)
        book.add("account.move", at, row, changed)
        if paid:
            when = min(day + timedelta(book.rng.randint(12, 60)), book.today - timedelta(1))
            _pay(book, book.rows["account.move"][-1], round(paid * row["amount_total"], 2), when)
    for draft in invoices[-3:]:
        values = move_values(
            "out_invoice", draft["partner_id"], round(book.rng.uniform(5_000, 9_000), 2), book.today, None
        )
        unposted = {"state": "draft", "invoice_date": None, "invoice_date_due": None}
        book.add(
            "account.move", during(book.rng, book.today - timedelta(2), 10, 16, before=book.before), values | unposted
        )
    original = book.rows["account.move"][0]
    credit = move_values(
        "out_refund", original["partner_id"], original["amount_total"], book.today - timedelta(20), None
    )
    credit |= {"name": f"RINV/{book.today.year}/00001", "reversed_entry_id": original["id"], "payment_state": "paid"}
    credit |= {"amount_residual": 0.0, "amount_residual_signed": 0.0}
    book.add("account.move", during(book.rng, book.today - timedelta(20), 10, 16, before=book.before), credit)


def _pay(book: Book, row: dict[str, Any], amount: float, day: date) -> None:
    at = min(local(day, 11.5), book.before)
    values = {
        "name": f"PBNK1/{day.year}/{row['id']:05d}",
        "state": "paid",
        "amount": amount,
        "date": day.isoformat(),
        "partner_id": row["partner_id"],
        "payment_type": "inbound",
        "partner_type": "customer",
        "journal_id": 6,
        "memo": row["name"],
    }
    payment = book.add("account.payment", at, values)
    book.link("account_move__account_payment", row["id"], payment)
    residual = round(row["amount_total"] - amount, 2)
    row |= {"amount_residual": residual, "amount_residual_signed": residual, "write_date": max(row["write_date"], at)}
    row["payment_state"] = "partial" if residual else "paid"


def _orders(book: Book, plan: Plan, vendors: Sequence[int]) -> None:
    for number, (state, billed) in enumerate(_ORDERS):
        project = plan.projects[number]
        day = book.today - timedelta(book.rng.randint(10, 120))
        at = during(book.rng, day, 9, 17, before=book.before)
        lines = [(float(book.rng.randint(2, 10)), float(book.rng.randint(100, 900))) for _ in range(2)]
        untaxed = round(sum(quantity * price for quantity, price in lines), 2)
        status = "invoiced" if billed == 1.0 else "to invoice" if state == "purchase" else "no"
        values = {
            "name": f"P{number + 1:05d}",
            "partner_id": vendors[number % len(vendors)],
            "project_id": project.id,
            "state": state,
            "invoice_status": status,
            "date_order": at,
            "date_approve": at if state == "purchase" else None,
            "currency_id": USD if number == 4 else EUR,
            "currency_rate": 1.08 if number == 4 else 1.0,
            "amount_untaxed": untaxed,
            "amount_tax": 0.0,
            "amount_total": untaxed,
        }
        order = book.add("purchase.order", at, values)
        for quantity, price in lines:
            line = {"name": "Services", "order_id": order, "product_qty": quantity, "price_unit": price, "sequence": 10}
            line |= {
                "qty_invoiced": round(quantity * billed, 2),
                "qty_received": 0.0,
                "price_subtotal": quantity * price,
            }
            book.add(
                "purchase.order.line",
                at,
                line | {"analytic_distribution": json.dumps({str(project.account_id): 100.0})},
            )
        if billed:
            _bill(book, project, values, round(untaxed * billed, 2), day + timedelta(5))


def _bill(book: Book, project: Project, order: dict[str, Any], amount: float, day: date) -> None:
    """A vendor's bill, and the analytic line by which it costs the project: it names no project, only the account."""
    at = min(local(day, 14), book.before)
    bill = move_values("in_invoice", order["partner_id"], round(amount * (1 + _VAT), 2), day, None)
    number = len(book.rows["account.move"]) + 1
    book.add("account.move", at, bill | {"name": f"BILL/{day.year}/{number:05d}", "invoice_origin": order["name"]})
    cost = {"name": order["name"], "date": day.isoformat(), "amount": -amount, "unit_amount": 1.0, "x_approved": 0}
    cost |= {"account_id": project.account_id, "partner_id": order["partner_id"], "category": "vendor_bill"}
    book.add("account.analytic.line", at, cost)


def _expenses(book: Book, plan: Plan) -> None:
    for number in range(42):
        state = _EXPENSES[number % len(_EXPENSES)]
        who = book.rng.choice(plan.consultants[:-1])
        one, other = book.rng.sample(plan.projects[:-1], 2)
        shares = {str(one.account_id): 100.0}
        if number % 4 == 0:
            shares = {str(one.account_id): 60.0, str(other.account_id): 40.0}
        day = book.today - timedelta(book.rng.randint(2, 120))
        total = round(book.rng.uniform(20, 900), 2)
        values = {
            "name": book.rng.choice(("Train", "Hotel", "Client dinner", "Licence", "Taxi")),
            "employee_id": who.id,
            "state": state,
            "approval_state": {"draft": None, "submitted": "submitted", "refused": "refused"}.get(state, "approved"),
            "payment_mode": "own_account",
            "date": day.isoformat(),
            "total_amount": total,
            "total_amount_currency": total,
            "analytic_distribution": json.dumps(shares) if number % 11 else None,
        }
        book.add("hr.expense", during(book.rng, day, 9, 18, before=book.before), values)
