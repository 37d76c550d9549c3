"""Purchase orders, expenses and leave, as far as a capture reads them."""

import pytest

from tests.contract.odoo.conftest import Client


@pytest.fixture
def order(odoo: Client, unique: str) -> int:
    vendor = odoo("res.partner", "create", {"name": unique})
    line = (0, 0, {"name": "seats", "product_qty": 4.0, "price_unit": 25.0})
    record_id: int = odoo("purchase.order", "create", {"partner_id": vendor, "order_line": [line]})
    return record_id


def test_an_order_is_the_sum_of_its_lines_and_is_stamped_with_them(odoo: Client, order: int) -> None:
    fields = ["state", "amount_untaxed", "currency_rate", "invoice_status", "date_approve", "project_id", "order_line"]
    (row,) = odoo("purchase.order", "read", [order], fields)
    (line,) = row.pop("order_line")
    assert row == {
        "id": order,
        "state": "draft",
        "amount_untaxed": 100.0,
        "currency_rate": 1.0,
        "invoice_status": "no",
        "date_approve": False,
        "project_id": False,
    }
    before = odoo.stamp("purchase.order", order)
    odoo("purchase.order.line", "write", [line], {"product_qty": 6.0})
    assert odoo.stamp("purchase.order", order) > before
    assert odoo("purchase.order", "read", [order], ["amount_untaxed"])[0]["amount_untaxed"] == 150.0
    fields = ["product_qty", "qty_invoiced", "price_unit", "price_subtotal", "order_id"]
    (kept,) = odoo("purchase.order.line", "read", [line], fields, load="_classic_write")
    assert kept == {
        "id": line,
        "product_qty": 6.0,
        "qty_invoiced": 0.0,
        "price_unit": 25.0,
        "price_subtotal": 150.0,
        "order_id": order,
    }


def test_a_confirmed_order_knows_when(odoo: Client, unique: str) -> None:
    vendor = odoo("res.partner", "create", {"name": unique})
    order = odoo("purchase.order", "create", {"partner_id": vendor})
    odoo("purchase.order", "button_confirm", [order])
    (row,) = odoo("purchase.order", "read", [order], ["state", "date_approve", "name"])
    assert row["state"] == "purchase"
    assert row["date_approve"][:10] == odoo.stamp("purchase.order", order)[:10]
    assert row["name"].startswith("P")


def test_an_expense_says_in_json_which_accounts_bear_it(odoo: Client, employee: int, project: int) -> None:
    (account,) = odoo("project.project", "read", [project], ["account_id"], load="_classic_write")
    share = {str(account["account_id"]): 100.0}
    values = {"name": "train", "employee_id": employee, "total_amount_currency": 40.0, "analytic_distribution": share}
    expense = odoo("hr.expense", "create", values)
    (row,) = odoo("hr.expense", "read", [expense], ["state", "total_amount", "analytic_distribution", "approval_state"])
    expected = {"state": "draft", "total_amount": 40.0, "analytic_distribution": share, "approval_state": False}
    assert row == {"id": expense, **expected}
    odoo("hr.expense", "write", [expense], {"analytic_distribution": False})
    assert odoo("hr.expense", "read", [expense], ["analytic_distribution"])[0]["analytic_distribution"] is False


def test_leave_is_requested_approved_and_refused(odoo: Client, employee: int) -> None:
    ((kind, _),) = odoo("hr.leave.type", "name_search", "Sick Time Off", limit=1)
    dates = {"request_date_from": "2030-01-10", "request_date_to": "2030-01-14"}
    leave = odoo("hr.leave", "create", {"employee_id": employee, "holiday_status_id": kind, **dates})
    fields = ["state", "number_of_days", "number_of_hours", "employee_id", "request_date_from", "request_date_to"]
    (row,) = odoo("hr.leave", "read", [leave], fields, load="_classic_write")
    expected = {
        "id": leave,
        "state": "confirm",
        "number_of_days": 3.0,
        "number_of_hours": 24.0,
        "employee_id": employee,
    }
    assert row == expected | dates
    before = odoo.stamp("hr.leave", leave)
    odoo("hr.leave", "action_approve", [leave])
    assert odoo.stamp("hr.leave", leave) > before
    assert odoo("hr.leave", "read", [leave], ["state"])[0]["state"] == "validate"
    away = odoo("resource.calendar.leaves", "search_read", [["holiday_id", "=", leave]], ["resource_id"])
    (resource,) = odoo("hr.employee", "read", [employee], ["resource_id"])
    assert [row["resource_id"] for row in away] == [resource["resource_id"]]
    odoo("hr.leave", "action_refuse", [leave])
    assert odoo("hr.leave", "read", [leave], ["state"])[0]["state"] == "refuse"
    assert odoo("resource.calendar.leaves", "search_count", [["holiday_id", "=", leave]]) == 0


def test_lunch_is_an_attendance_that_is_no_working_time(odoo: Client) -> None:
    fields = ["dayofweek", "day_period", "hour_from", "hour_to", "week_type", "duration_hours"]
    rows = odoo("resource.calendar.attendance", "search_read", [["calendar_id", "=", 1]], fields)
    lunches = [row for row in rows if row["day_period"] == "lunch"]
    assert {row["duration_hours"] for row in lunches} == {0.0}
    assert {row["dayofweek"] for row in rows} == set("01234")
    assert sum(row["hour_to"] - row["hour_from"] for row in rows if row not in lunches) == 40.0
