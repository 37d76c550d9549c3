"""Rules of invoices, payments, purchase orders and expenses."""

from collections.abc import Sequence
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from infra.embedded_odoo.errors import user_error
from infra.embedded_odoo.orm import Env, Values
from infra.embedded_odoo.query import Row

_SIGN = MappingProxyType({"out_refund": -1, "in_invoice": -1, "out_invoice": 1, "in_refund": 1})
_AMOUNTS = ("amount_untaxed", "amount_total", "amount_residual")
_TERM = timedelta(days=30)


def _journal(env: Env, kind: str) -> Any:
    return env.scalar("SELECT id FROM account_journal WHERE type = ? ORDER BY id LIMIT 1", kind)


def new_move(env: Env, values: Values) -> Row:
    """An invoice finds its journal; without lines its amounts are those given, and nothing is paid yet."""
    kind = str(values["move_type"])
    journal = "sale" if kind.startswith("out") else "purchase" if kind.startswith("in") else "general"
    out: Row = {"journal_id": values.get("journal_id") or _journal(env, journal)}
    if values.get("amount_total"):
        out["amount_residual"] = values.get("amount_residual") or values["amount_total"]
        out["amount_untaxed"] = values.get("amount_untaxed") or values["amount_total"]
    if values.get("invoice_date"):
        out["date"] = values["invoice_date"]
        due = date.fromisoformat(str(values["invoice_date"])) + _TERM
        out["invoice_date_due"] = values.get("invoice_date_due") or due.isoformat()
    return out | signed_amounts(env, {"move_type": kind}, dict(values) | out)


def signed_amounts(_: Env, before: Row, values: Values) -> Row:
    """The amounts in the company's currency, with the sign of the kind of document."""
    sign = _SIGN.get(before["move_type"], 1)
    return {f"{name}_signed": sign * values[name] for name in _AMOUNTS if name in values}


def sum_move(env: Env, record_id: int, before: Row, values: Values) -> None:
    """Lines given with the document set its amounts."""
    if not values.get("invoice_line_ids"):
        return
    total = env.scalar("SELECT SUM(price_subtotal) FROM account_move_line WHERE move_id = ?", record_id) or 0.0
    kind = before.get("move_type") or values["move_type"]
    amounts = dict.fromkeys(_AMOUNTS, total)
    env.bump("account.move", record_id, amounts | signed_amounts(env, {"move_type": kind}, amounts))


def line_amount(env: Env, values: Values) -> Row:
    """Quantity times price; as a debit or, negative, as a credit of the journal."""
    amount = float(values["quantity"]) * float(values["price_unit"])
    kind = env.one("account.move", values["move_id"], "move_type")["move_type"]
    return {"price_subtotal": amount, "balance": -_SIGN.get(kind, 1) * amount}


def keep_posted(_: Env, before: Row) -> None:
    """What was posted stays."""
    if before["state"] == "posted":
        raise user_error(
            "You can't delete a posted journal item. Don\u2019t play games with your accounting records; "
            "reset the journal entry to draft before deleting it.",
        )


def action_post(env: Env, ids: Sequence[int]) -> bool:
    """Post drafts: they get their number, their date and a term."""
    for record_id in ids:
        move = env.one("account.move", record_id, "state", "name", "move_type", "invoice_date", "invoice_date_due")
        if move["state"] != "draft":
            raise user_error("The entry " + f"{move['name'] or record_id} must be in draft.")
        day = move["invoice_date"] or env.today
        due = move["invoice_date_due"] or (date.fromisoformat(day) + _TERM).isoformat()
        number = move["name"] or _next_name(env, "BILL" if move["move_type"].startswith("in") else "INV", day)
        values = {"state": "posted", "name": number, "invoice_date": day, "date": day, "invoice_date_due": due}
        env.write("account.move", [record_id], values)
    return False


def _next_name(env: Env, prefix: str, day: str) -> str:
    stem = f"{prefix}/{day[:4]}/"
    last = env.scalar("SELECT MAX(name) FROM account_move WHERE name LIKE ?", stem + "%")
    return f"{stem}{int(last[len(stem) :]) + 1 if last else 1:05d}"


def button_draft(env: Env, ids: Sequence[int]) -> None:
    """Back to draft."""
    env.write("account.move", ids, {"state": "draft"})


def action_toggle_block_payment(env: Env, ids: Sequence[int]) -> None:
    """Block the payment of an invoice, or let it go again."""
    for record_id in ids:
        move = env.one("account.move", record_id, "payment_state", "amount_total", "amount_residual")
        free = _payment_state(move["amount_total"], move["amount_residual"])
        state = free if move["payment_state"] == "blocked" else "blocked"
        env.write("account.move", [record_id], {"payment_state": state})


def _payment_state(total: float, residual: float) -> str:
    if residual <= 0 < total:
        return "paid"
    return "partial" if residual < total else "not_paid"


def pay(env: Env, move_id: int, amount: float, day: str) -> int:
    """Register a payment and reconcile it: the invoice's residual falls and the invoice is stamped."""
    move = env.one(
        "account.move",
        move_id,
        "name",
        "partner_id",
        "currency_id",
        "amount_total",
        "amount_residual",
        "payment_state",
        "state",
        "move_type",
    )
    if move["state"] != "posted" or move["amount_residual"] <= 0:
        raise user_error("You can only register payment for posted journal entries with an amount left to pay.")
    amount = round(min(amount, move["amount_residual"]), 2)
    residual = round(move["amount_residual"] - amount, 2)
    inbound = move["move_type"] in {"out_invoice", "in_refund"}
    values = {
        "state": "in_process" if residual else "paid",
        "amount": amount,
        "date": day,
        "partner_id": move["partner_id"],
        "payment_type": "inbound" if inbound else "outbound",
        "partner_type": "customer" if move["move_type"].startswith("out") else "supplier",
        "currency_id": move["currency_id"],
        "memo": move["name"],
        "invoice_ids": [(6, 0, [move_id])],
    }
    payment = env.create("account.payment", values)
    state = "blocked" if move["payment_state"] == "blocked" else _payment_state(move["amount_total"], residual)
    env.write("account.move", [move_id], {"amount_residual": residual, "payment_state": state})
    return payment


def new_payment(env: Env, values: Values) -> Row:
    """A payment goes through the bank and has a number."""
    journal = values.get("journal_id") or _journal(env, "bank")
    number = (env.scalar("SELECT MAX(id) FROM account_payment") or 0) + 1
    return {"journal_id": journal, "name": f"PBNK1/{str(values['date'])[:4]}/{number:05d}"}


def new_register(env: Env, values: Values) -> Row:
    """The payment wizard works on the invoices named in the context; its amount is what is left of them."""
    moves = list(env.context.get("active_ids") or [])
    left = sum(env.one("account.move", move, "amount_residual")["amount_residual"] for move in moves)
    return {"x_move_ids": moves, "amount": values.get("amount") or left}


def action_create_payments(env: Env, ids: Sequence[int]) -> Row:
    """Pay the wizard's invoices in turn until its amount is spent; answers with the action that shows the payment."""
    payment = 0
    for record_id in ids:
        wizard = env.one("account.payment.register", record_id, "amount", "payment_date", "x_move_ids")
        left = wizard["amount"]
        for move in wizard["x_move_ids"] or []:
            payment = pay(env, move, left, wizard["payment_date"])
            left -= env.one("account.payment", payment, "amount")["amount"]
    return {"type": "ir.actions.act_window", "res_model": "account.payment", "view_mode": "form", "res_id": payment}


def new_order(env: Env, values: Values) -> Row:
    """An order has its number from the first."""
    number = (env.scalar("SELECT MAX(id) FROM purchase_order") or 0) + 1
    return {"name": f"P{number:05d}"} if values["name"] == "New" else {}


def order_line_amount(_: Env, values: Values) -> Row:
    """Quantity times price."""
    return {"price_subtotal": float(values["product_qty"]) * float(values["price_unit"])}


def changed_order_line(env: Env, before: Row, values: Values) -> Row:
    """A new quantity or price is a new amount."""
    return order_line_amount(env, before | dict(values))


def sum_order(env: Env, record_id: int, _: Row, values: Values) -> None:
    """An order is the sum of its lines, and is stamped when that changes."""
    if not {"product_qty", "price_unit"} & values.keys():
        return
    order = env.scalar("SELECT order_id FROM purchase_order_line WHERE id = ?", record_id)
    total = env.scalar("SELECT SUM(price_subtotal) FROM purchase_order_line WHERE order_id = ?", order)
    env.bump("purchase.order", order, {"amount_untaxed": total, "amount_total": total})


def button_confirm(env: Env, ids: Sequence[int]) -> bool:
    """Confirm orders, which may then be billed."""
    env.write(
        "purchase.order",
        ids,
        {"state": "purchase", "date_approve": env.change.stamp, "invoice_status": "to invoice"},
    )
    return True


def new_expense(_: Env, values: Values) -> Row:
    """An expense in the company's currency has one amount."""
    total = values.get("total_amount") or values.get("total_amount_currency") or 0.0
    return {"total_amount": total, "total_amount_currency": values.get("total_amount_currency") or total}
