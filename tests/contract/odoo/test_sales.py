"""Leads, orders, skills and people on tasks, as far as a capture reads them."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.contract.odoo.conftest import Client


@pytest.fixture
def service(odoo: Client) -> int:
    """A service that is billed by the hours worked."""
    rows = odoo("product.product", "search_read", [["type", "=", "service"]], ["service_policy"])
    return next(int(row["id"]) for row in rows if row["service_policy"] == "delivered_timesheet")


@pytest.fixture
def order(odoo: Client, unique: str, service: int) -> int:
    client = odoo("res.partner", "create", {"name": unique})
    line = (0, 0, {"name": "work", "product_id": service, "product_uom_qty": 10.0, "price_unit": 100.0})
    record_id: int = odoo("sale.order", "create", {"partner_id": client, "order_line": [line]})
    return record_id


def read(odoo: Client, model: str, record_id: int, *fields: str) -> dict[str, Any]:
    (row,) = odoo(model, "search_read", [["id", "=", record_id]], fields, load=None, context={"active_test": False})
    row.pop("id")
    found: dict[str, Any] = row
    return found


def test_an_order_is_the_sum_of_its_lines_less_the_discount(odoo: Client, order: int) -> None:
    facts = read(odoo, "sale.order", order, "state", "amount_untaxed", "currency_rate", "locked", "invoice_status")
    assert facts == {
        "state": "draft",
        "amount_untaxed": 1000.0,
        "currency_rate": 1.0,
        "locked": False,
        "invoice_status": "no",
    }
    (line,) = odoo("sale.order.line", "search", [["order_id", "=", order]])
    before = odoo.stamp("sale.order", order)
    odoo("sale.order.line", "write", [line], {"discount": 10.0, "product_uom_qty": 12.0})
    assert read(odoo, "sale.order", order, "amount_untaxed") == {"amount_untaxed": 1080.0}
    assert odoo.stamp("sale.order", order) > before
    facts = read(odoo, "sale.order.line", line, "price_subtotal", "is_service", "qty_delivered", "display_type")
    assert facts == {"price_subtotal": 1080.0, "is_service": True, "qty_delivered": 0.0, "display_type": False}


def test_an_order_is_confirmed_and_cancelled(odoo: Client, order: int) -> None:
    odoo("sale.order", "action_confirm", [order])
    (line,) = odoo("sale.order.line", "search", [["order_id", "=", order]])
    assert read(odoo, "sale.order.line", line, "product_uom_id")["product_uom_id"]
    assert read(odoo, "sale.order", order, "state") == {"state": "sale"}
    assert odoo("sale.order", "action_cancel", [order]) is True
    assert read(odoo, "sale.order", order, "state", "amount_untaxed") == {"state": "cancel", "amount_untaxed": 1000.0}


def test_a_lead_is_lost_with_a_reason_archived_and_may_come_back(odoo: Client, unique: str) -> None:
    lead = odoo("crm.lead", "create", {"name": unique, "type": "opportunity"})
    fields = ("won_status", "active", "lost_reason_id")
    assert read(odoo, "crm.lead", lead, *fields) == {"won_status": "pending", "active": True, "lost_reason_id": False}
    odoo("crm.lead", "action_set_lost", [lead], lost_reason_id=1)
    assert read(odoo, "crm.lead", lead, *fields) == {"won_status": "lost", "active": False, "lost_reason_id": 1}
    assert read(odoo, "crm.lead", lead, "date_closed")["date_closed"]
    odoo("crm.lead", "action_unarchive", [lead])
    assert read(odoo, "crm.lead", lead, *fields) == {"won_status": "pending", "active": True, "lost_reason_id": False}
    assert read(odoo, "crm.lead", lead, "date_closed") == {"date_closed": False}


def test_a_lead_is_won_in_the_stage_of_those(odoo: Client, unique: str) -> None:
    lead = odoo("crm.lead", "create", {"name": unique, "type": "opportunity"})
    odoo("crm.lead", "action_set_won", [lead])
    facts = read(odoo, "crm.lead", lead, "won_status", "probability", "stage_id")
    (stage,) = odoo("crm.stage", "read", [facts.pop("stage_id")], ["is_won"])
    assert (facts, stage["is_won"]) == ({"won_status": "won", "probability": 100.0}, True)


def test_a_task_knows_when_it_first_had_people(odoo: Client, project: int, unique: str) -> None:
    task = odoo("project.task", "create", {"name": unique, "project_id": project, "user_ids": [(6, 0, [2])]})
    facts = read(odoo, "project.task", task, "user_ids", "date_assign", "date_end")
    assert facts.pop("date_assign")
    assert facts == {"user_ids": [2], "date_end": False}
    odoo("project.task", "write", [task], {"state": "1_done"})
    assert read(odoo, "project.task", task, "date_end") == {"date_end": False}, (
        "the end follows the stage, not the state"
    )


def test_a_skill_holds_from_the_day_on_which_odoo_started_without_an_end(odoo: Client, employee: int) -> None:
    """Odoo 19 asks for the day when it loads the model (`default=fields.Date.today()`), not when a skill is entered."""
    level = odoo("hr.skill.level", "search_read", [], ["skill_type_id"], limit=1, load=None)[0]
    (skill,) = odoo("hr.skill", "search", [["skill_type_id", "=", level["skill_type_id"]]], limit=1)
    values = {"employee_id": employee, "skill_type_id": level["skill_type_id"], "skill_id": skill}
    held = odoo("hr.employee.skill", "create", {**values, "skill_level_id": level["id"]})
    facts = read(odoo, "hr.employee.skill", held, "valid_from", "valid_to")
    started = date.fromisoformat(facts["valid_from"])
    entered = date.fromisoformat(odoo.stamp("hr.employee.skill", held)[:10])
    assert facts["valid_to"] is False
    assert entered - timedelta(days=31) < started <= entered
