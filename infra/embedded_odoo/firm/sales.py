"""What was sold, who works on it and what they are certified for: pure, like the history of time."""

from datetime import timedelta
from itertools import cycle
from typing import Any

from infra.embedded_odoo.firm.book import Book
from infra.embedded_odoo.firm.days import during, local
from infra.embedded_odoo.firm.history import Plan, Project
from infra.embedded_odoo.seed import SERVICES

_HOURLY, _FIXED = 1, 2
_RATE = 110.0
_FIXED_SHARE = 0.25
"""What is sold at a fixed price, beside the hours of the budget."""
_LEADS = (("pending", 2, 40.0), ("pending", 3, 65.0), ("pending", 1, 10.0), ("lost", 2, 0.0), ("lost", 3, 0.0))
"""State, stage and probability of what is not won."""
_WON_STAGE = 4
_CHANGE_REQUEST = "Change Request"
_CERTIFICATION, _CERTIFIED, _LANGUAGE, _LEVELS = (2, 3), 4, (1, 1), (1, 2, 3)


def write_sales(book: Book, plan: Plan) -> None:
    """Orders of every client project, leads, people on tasks, skills."""
    for project in plan.projects[:-1]:
        _order(book, plan, project)
    _leads(book, plan)
    _people(book, plan)
    _skills(book, plan)


def _order(book: Book, plan: Plan, project: Project) -> None:
    """A won opportunity, the order made of it, and its two lines."""
    row = next(row for row in book.rows["project.project"] if row["id"] == project.id)
    day, seller = book.first - timedelta(10), plan.consultants[project.id % 4].user_id
    at = during(book.rng, day, 9, 17, before=book.before)
    hours = row["allocated_hours"]
    fixed = round(hours * _RATE * _FIXED_SHARE, 2)
    total = round(hours * _RATE + fixed, 2)
    lead: dict[str, Any] = {
        "name": row["name"],
        "type": "opportunity",
        "won_status": "won",
        "stage_id": _WON_STAGE,
        "active": 1,
    }
    lead |= {"partner_id": project.client, "user_id": seller, "probability": 100.0, "expected_revenue": total}
    lead["date_deadline"] = book.first.isoformat()
    lead_id = book.add("crm.lead", at, lead | {"date_closed": at})
    order: dict[str, Any] = {
        "partner_id": project.client,
        "opportunity_id": lead_id,
        "project_id": project.id,
        "user_id": seller,
    }
    order |= {"state": "sale", "invoice_status": "to invoice", "locked": 0, "date_order": at, "signed_on": at}
    order["validity_date"] = book.first.isoformat()
    order |= {"currency_rate": 1.0, "amount_untaxed": total, "amount_total": total, "name": f"S{lead_id:05d}"}
    order_id = book.add("sale.order", at, order)
    for product, quantity, price in ((_HOURLY, hours, _RATE), (_FIXED, 1.0, fixed)):
        name, unit, _ = SERVICES[product]
        line: dict[str, Any] = {
            "order_id": order_id,
            "name": name,
            "product_id": product,
            "product_uom_id": unit,
            "project_id": project.id,
        }
        line |= {
            "product_uom_qty": quantity,
            "price_unit": price,
            "discount": 0.0,
            "qty_delivered": 0.0,
            "sequence": 10,
        }
        line |= {"price_subtotal": round(quantity * price, 2), "qty_invoiced": 0.0, "untaxed_amount_invoiced": 0.0}
        book.add("sale.order.line", at, line | {"is_service": 1, "is_expense": 0, "is_downpayment": 0})


def _leads(book: Book, plan: Plan) -> None:
    """What may come and what was lost, and an offer for a change of the first project."""
    for (status, stage, probability), project in zip(_LEADS, cycle(plan.projects[:-1]), strict=False):
        opened = during(book.rng, book.today - timedelta(60), 9, 17, before=book.before)
        closed = during(book.rng, book.today - timedelta(20), 9, 17, before=book.before) if status == "lost" else None
        lead: dict[str, Any] = {
            "name": f"Next phase for client {project.client}",
            "type": "opportunity",
            "won_status": status,
        }
        lead |= {"stage_id": stage, "probability": probability, "partner_id": project.client, "active": int(not closed)}
        lead |= {"expected_revenue": round(book.rng.uniform(10_000, 90_000), 2), "date_closed": closed}
        lead |= {"lost_reason_id": 1 if closed else None, "user_id": plan.consultants[0].user_id}
        lead["date_deadline"] = (book.today + timedelta(30)).isoformat()
        book.add("crm.lead", opened, lead, closed or opened)
    project, at = plan.projects[0], during(book.rng, book.today - timedelta(3), 9, 17, before=book.before)
    tag = book.add("crm.tag", at, {"name": _CHANGE_REQUEST, "color": 1})
    offer: dict[str, Any] = {
        "partner_id": project.client,
        "project_id": project.id,
        "state": "sent",
        "invoice_status": "no",
        "locked": 0,
    }
    offer |= {"date_order": at, "currency_rate": 1.0, "amount_untaxed": 20 * _RATE, "amount_total": 20 * _RATE}
    offer["validity_date"] = (book.today + timedelta(30)).isoformat()
    offer_id = book.add("sale.order", at, offer | {"name": "S00900", "user_id": plan.consultants[0].user_id})
    line: dict[str, Any] = {
        "order_id": offer_id,
        "name": "A second language",
        "product_id": _HOURLY,
        "product_uom_qty": 20.0,
    }
    line |= {"product_uom_id": SERVICES[_HOURLY][1], "price_unit": _RATE, "price_subtotal": 20 * _RATE, "discount": 0.0}
    line |= {"qty_delivered": 0.0, "qty_invoiced": 0.0, "untaxed_amount_invoiced": 0.0, "sequence": 10, "is_service": 1}
    book.add("sale.order.line", at, line | {"is_expense": 0, "is_downpayment": 0})
    book.link("sale_order_tag_rel", offer_id, tag)


def _people(book: Book, plan: Plan) -> None:
    """Every consultant on two tasks of each of the two projects that they work for."""
    clients = plan.projects[:-1]
    on: dict[int, list[int]] = {}
    for who in plan.consultants:
        for place in who.projects(len(clients)) if who.until > book.today else ():
            tasks = clients[place].tasks[1:]
            for task in {tasks[who.id % len(tasks)], tasks[-1]}:
                on.setdefault(task, []).append(who.user_id)
    for number, row in enumerate(book.rows["project.task"]):
        if people := sorted(set(on.get(row["id"], ()))):
            row["date_assign"] = row["create_date"]
            row["date_deadline"] = local(book.today + timedelta(7 * (1 + number % 12)), 17)
        for user in people:
            book.link("project_task_user_rel", row["id"], user)


def _skills(book: Book, plan: Plan) -> None:
    """A language for everybody; a certification for two in three, which for some has run out and for some soon will."""
    at = local(book.first - timedelta(1), 9)
    since = book.first - timedelta(400)
    for who in plan.consultants:
        kind, skill = _LANGUAGE
        held: dict[str, Any] = {
            "employee_id": who.id,
            "skill_type_id": kind,
            "skill_id": skill,
            "valid_from": since.isoformat(),
        }
        book.add("hr.employee.skill", at, held | {"skill_level_id": _LEVELS[who.id % 3]})
        if who.id % 3:
            ends = book.today + timedelta((-20, 15, 300, 700)[who.id % 4])
            held |= {"skill_type_id": _CERTIFICATION[0], "skill_id": _CERTIFICATION[1]}
            book.add("hr.employee.skill", at, held | {"skill_level_id": _CERTIFIED, "valid_to": ends.isoformat()})
