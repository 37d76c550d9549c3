"""Every other model of the catalogue, from what people do in it to its events; where a double has no such module, the real Odoo alone."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.kafka
TASK, ASSIGNMENT, REQUEST = "delivery.task.v1", "delivery.assignment.v1", "delivery.change-request.v1"
CONTRACT, OPPORTUNITY, SKILL = "sales.contract.v1", "sales.opportunity.v1", "people.skill.v1"
RECEIPT, INVOICE = "finance.receipt.v1", "finance.invoice.v1"


def verbs(events: list[Any]) -> list[str]:
    return [event["meta"]["event_type"].split(".")[2] for event in events]


def tag(world: Any, model: str) -> int:
    """The tag that makes a change request; it may be there already."""
    found: list[int] = world.odoo(model, "search", [["name", "=", "Change Request"]])
    return found[0] if found else int(world.odoo(model, "create", {"name": "Change Request"}))


def user(world: Any, login: str) -> int:
    partner = world.odoo("res.partner", "create", {"name": login})
    record_id: int = world.odoo("res.users", "create", {"login": login, "partner_id": partner})
    return record_id


def service(world: Any, policy: str) -> int:
    """A service that is billed so: a field that is computed, and cannot be searched for."""
    services = world.odoo("product.product", "search_read", [["type", "=", "service"]], ["service_policy"])
    return next(int(row["id"]) for row in services if row["service_policy"] == policy)


def test_a_task_its_people_and_a_change_request(world: Any, project: int, unique: str) -> None:
    users = [user(world, f"{unique}-{n}") for n in (1, 2)]
    employee = world.odoo("hr.employee", "create", {"name": unique, "user_id": users[0]})
    world.verb("people.consultant.v1", "hr.employee", employee, "registered")
    values = {"name": unique, "project_id": project, "user_ids": [(6, 0, users)], "allocated_hours": 8.0}
    task = world.odoo("project.task", "create", values)
    one, other = (f"{task}:{user}" for user in users)
    first = world.verb(ASSIGNMENT, "project.task", one, "assigned")[-1]["current"]
    assert (first["employee_id"], first["planned_minutes"], first["people"]) == (employee, 240, 2)
    world.odoo("project.task", "write", [task], {"user_ids": [(3, users[1])]})
    gone = world.verb(ASSIGNMENT, "project.task", other, "unassigned")
    assert gone[-1]["current"] is None
    alone = world.until(ASSIGNMENT, "project.task", one, lambda events: len(events) == 2)
    assert alone[-1]["current"]["planned_minutes"] == 480
    world.odoo("project.task", "write", [task], {"tag_ids": [(4, tag(world, "project.tags"))]})
    world.verb(REQUEST, "project.task", task, "raised")
    world.odoo("project.task", "write", [task], {"state": "1_done"})
    world.verb(REQUEST, "project.task", task, "approved")
    done = world.verb(TASK, "project.task", task, "completed")
    assert (done[-1]["current"]["planned_minutes"], done[-1]["current"]["status"]) == (480, "done")
    world.odoo("project.task", "unlink", [task])
    world.verb(TASK, "project.task", task, "deleted")
    world.verb(ASSIGNMENT, "project.task", one, "unassigned")
    world.verb(REQUEST, "project.task", task, "deleted")


def test_a_contract_from_the_offer_to_its_cancellation(world: Any, unique: str) -> None:
    client = world.odoo("res.partner", "create", {"name": unique, "is_company": True})
    line = {
        "name": "work",
        "product_id": service(world, "delivered_timesheet"),
        "product_uom_qty": 10.0,
        "price_unit": 100.0,
    }
    order = world.odoo("sale.order", "create", {"partner_id": client, "order_line": [(0, 0, line)]})
    world.verb(CONTRACT, "sale.order", order, "quoted")
    world.odoo("sale.order", "action_confirm", [order])
    confirmed = world.verb(CONTRACT, "sale.order", order, "confirmed")[-1]
    assert confirmed["meta"]["occurred_at"] == confirmed["current"]["confirmed_at"]
    (line_id,) = world.odoo("sale.order.line", "search", [["order_id", "=", order]])
    world.odoo("sale.order.line", "write", [line_id], {"discount": 10.0})
    # an order and its lines are read one after the other: one event may tell the line alone
    amended = world.until(
        CONTRACT, "sale.order", order, lambda events: events[-1]["current"]["amount"] == Decimal(900)
    )[-1]["current"]
    assert amended["lines"][0]["kind"] == "time_and_material"
    assert amended["lines"][0]["discount"] == Decimal("0.1")
    world.odoo("sale.order", "write", [order], {"tag_ids": [(4, tag(world, "crm.tag"))]})
    raised = world.verb(REQUEST, "sale.order", order, "approved")
    assert raised[-1]["current"]["amount"] == Decimal(900)
    world.odoo("sale.order", "action_cancel", [order])
    world.verb(CONTRACT, "sale.order", order, "cancelled")
    world.verb(REQUEST, "sale.order", order, "rejected")


def test_what_is_delivered_shows_although_the_order_is_not_stamped(world: Any, unique: str) -> None:
    client = world.odoo("res.partner", "create", {"name": unique, "is_company": True})
    line = {
        "name": "by hand",
        "product_id": service(world, "delivered_manual"),
        "product_uom_qty": 10.0,
        "price_unit": 100.0,
    }
    order = world.odoo("sale.order", "create", {"partner_id": client, "order_line": [(0, 0, line)]})
    world.odoo("sale.order", "action_confirm", [order])
    world.verb(CONTRACT, "sale.order", order, "confirmed")
    (line_id,) = world.odoo("sale.order.line", "search", [["order_id", "=", order]])
    world.odoo("sale.order.line", "write", [line_id], {"qty_delivered": 4.0})
    changed = world.verb(CONTRACT, "sale.order", order, "changed")
    assert changed[-1]["current"]["lines"][0]["delivered"] == Decimal(4)


def test_an_opportunity_lost_and_open_again(world: Any, unique: str) -> None:
    lead = world.odoo("crm.lead", "create", {"name": unique, "type": "opportunity", "expected_revenue": 100.0})
    world.verb(OPPORTUNITY, "crm.lead", lead, "opened")
    world.odoo("crm.lead", "action_set_lost", [lead], lost_reason_id=1)
    lost = world.verb(OPPORTUNITY, "crm.lead", lead, "lost")[-1]
    assert (lost["current"]["lost_reason"], lost["current"]["active"]) == ("Too expensive", False)
    assert lost["meta"]["occurred_at"] == lost["current"]["closed_at"]
    world.odoo("crm.lead", "action_unarchive", [lead])
    assert verbs(world.verb(OPPORTUNITY, "crm.lead", lead, "opened")) == ["opened", "lost", "opened"]


def test_a_skill_held_expired_and_withdrawn(world: Any, employee: int) -> None:
    level, kind = world.odoo("hr.skill.level", "search_read", [], ["skill_type_id"], limit=1, load=None)[0].values()
    skill = world.odoo("hr.skill", "search", [["skill_type_id", "=", kind]], limit=1)[0]
    values = {"employee_id": employee, "skill_type_id": kind, "skill_id": skill, "skill_level_id": level}
    held = world.odoo("hr.employee.skill", "create", {**values, "valid_from": "2024-01-01"})
    world.verb(SKILL, "hr.employee.skill", held, "certified")
    world.odoo("hr.employee.skill", "write", [held], {"valid_to": "2025-12-31"})
    expired = world.verb(SKILL, "hr.employee.skill", held, "expired")[-1]
    assert expired["meta"]["occurred_at"].date() == date(2025, 12, 31)
    world.odoo("hr.employee.skill", "unlink", [held])
    world.verb(SKILL, "hr.employee.skill", held, "withdrawn")


def test_a_bill_is_spread_over_the_projects_that_bear_it(world: Any, project: int, unique: str) -> None:
    world.verb("delivery.project.v1", "project.project", project, "created")
    (row,) = world.odoo("project.project", "read", [project], ["account_id"], load="_classic_write")
    vendor = world.odoo("res.partner", "create", {"name": unique, "is_company": True})
    line = {"name": "parts", "quantity": 2, "price_unit": 50.0, "analytic_distribution": {str(row["account_id"]): 50.0}}
    if world.odoo.kind == "real":
        line["tax_ids"] = [(5,)]
    values = {
        "move_type": "in_invoice",
        "partner_id": vendor,
        "invoice_date": "2026-10-01",
        "invoice_line_ids": [(0, 0, line)],
    }
    bill = world.odoo("account.move", "create", values)
    drafted = world.verb(INVOICE, "account.move", bill, "drafted")
    (share,) = drafted[-1]["current"]["shares"]
    assert (share["project_id"], share["amount"], share["ordered_amount"]) == (project, Decimal(50), Decimal(0))


@pytest.mark.odoo
def test_goods_that_a_purchase_order_brings(world: Any, project: int, unique: str) -> None:
    if world.odoo.kind != "real":
        pytest.skip("the embedded Odoo has no stock: `burnline doctor` tells it as a missing module")
    vendor = world.odoo("res.partner", "create", {"name": unique, "is_company": True})
    (goods,) = world.odoo("product.product", "search", [["type", "=", "consu"]], limit=1)
    line = {"name": "seats", "product_id": goods, "product_qty": 4.0, "price_unit": 25.0}
    values = {"partner_id": vendor, "project_id": project, "order_line": [(0, 0, line)]}
    order = world.odoo("purchase.order", "create", values)
    world.odoo("purchase.order", "button_confirm", [order])
    (picking,) = world.odoo("purchase.order", "read", [order], ["picking_ids"])[0]["picking_ids"]
    expected = world.verb(RECEIPT, "stock.picking", picking, "expected")[-1]["current"]
    assert (expected["purchase_order_id"], expected["project_id"]) == (order, project)
    assert [(one["expected"], one["received"]) for one in expected["lines"]] == [(Decimal(4), Decimal(0))]
    (move,) = world.odoo("stock.move", "search", [["picking_id", "=", picking]])
    world.odoo("stock.move", "write", [move], {"quantity": 4.0, "picked": True})
    world.odoo("stock.picking", "button_validate", [picking])
    received = world.verb(RECEIPT, "stock.picking", picking, "received")[-1]["current"]
    assert [(one["expected"], one["received"]) for one in received["lines"]] == [(Decimal(4), Decimal(4))]
    world.until(RECEIPT, "stock.picking", picking, lambda events: events[-1]["current"]["project_id"] == project)
