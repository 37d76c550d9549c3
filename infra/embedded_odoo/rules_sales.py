"""Rules of leads, sale orders and their lines."""

from collections.abc import Sequence
from typing import Any

from infra.embedded_odoo.errors import user_error
from infra.embedded_odoo.orm import Env, Values
from infra.embedded_odoo.query import Row


def new_lead(env: Env, values: Values) -> Row:
    """A lead begins in the first stage."""
    return {"stage_id": values.get("stage_id") or env.scalar("SELECT id FROM crm_stage ORDER BY sequence, id LIMIT 1")}


def action_set_lost(env: Env, ids: Sequence[int], **values: Any) -> None:
    """Lost leads are archived, and know when and why."""
    lost = {"active": False, "probability": 0.0, "won_status": "lost", "date_closed": env.change.stamp}
    env.write("crm.lead", ids, lost | values)


def action_set_won(env: Env, ids: Sequence[int]) -> bool:
    """Won leads stand in the stage of those, and know when."""
    stage = env.scalar("SELECT id FROM crm_stage WHERE is_won = 1 ORDER BY sequence, id LIMIT 1")
    won = {"active": True, "probability": 100.0, "won_status": "won", "date_closed": env.change.stamp}
    env.write("crm.lead", ids, won | {"stage_id": stage})
    return True


def action_unarchive(env: Env, ids: Sequence[int]) -> None:
    """A lead brought back is open again."""
    env.write("crm.lead", ids, {"active": True, "won_status": "pending", "date_closed": False, "lost_reason_id": False})


def new_order(env: Env, values: Values) -> Row:
    """An order has its number from the first."""
    number = (env.scalar("SELECT MAX(id) FROM sale_order") or 0) + 1
    return {"name": f"S{number:05d}"} if values["name"] == "New" else {}


def new_line(env: Env, values: Values) -> Row:
    """A line takes its unit and its kind from its product."""
    out = line_amount(env, {}, values)
    if values.get("product_id"):
        product = env.one("product.product", values["product_id"], "type", "product_tmpl_id")
        unit = env.scalar("SELECT uom_id FROM product_template WHERE id = ?", product["product_tmpl_id"])
        out |= {"is_service": product["type"] == "service", "product_uom_id": values.get("product_uom_id") or unit}
    return out


def line_amount(_: Env, before: Row, values: Values) -> Row:
    """Quantity times price, less the discount."""
    now = before | dict(values)
    full = float(now["product_uom_qty"]) * float(now["price_unit"])
    return {"price_subtotal": round(full * (1 - float(now["discount"] or 0.0) / 100), 2)}


def sum_order(env: Env, record_id: int, _: Row, values: Values) -> None:
    """An order is the sum of its lines, and is stamped when that changes."""
    if not {"product_uom_qty", "price_unit", "discount"} & values.keys():
        return
    order = env.scalar("SELECT order_id FROM sale_order_line WHERE id = ?", record_id)
    total = env.scalar("SELECT SUM(price_subtotal) FROM sale_order_line WHERE order_id = ?", order)
    env.bump("sale.order", order, {"amount_untaxed": total, "amount_total": total})


def action_confirm(env: Env, ids: Sequence[int]) -> bool:
    """Quotations become orders, dated now."""
    for record_id in ids:
        if env.one("sale.order", record_id, "state")["state"] not in {"draft", "sent"}:
            raise user_error("Some orders are not in a state requiring confirmation.")
        env.write("sale.order", [record_id], {"state": "sale", "date_order": env.change.stamp})
    return True


def action_cancel(env: Env, ids: Sequence[int]) -> bool:
    """Cancelled orders keep what was ordered."""
    env.write("sale.order", ids, {"state": "cancel"})
    return True


def assigned_now(env: Env, before: Row, values: Values) -> Row:
    """A task knows when it first had people."""
    return {"date_assign": env.change.stamp} if values.get("user_ids") and not before.get("date_assign") else {}
