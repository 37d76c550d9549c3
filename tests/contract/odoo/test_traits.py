"""What a change-data capture meets: stamps, noise, silence, deletions, archives."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.contract.odoo.conftest import Client


@pytest.fixture
def task(odoo: Client, project: int) -> int:
    record_id: int = odoo("project.task", "create", {"name": "work", "project_id": project})
    return record_id


@pytest.fixture
def line(odoo: Client, project: int, task: int, employee: int) -> int:
    values = {"name": "x", "project_id": project, "task_id": task, "employee_id": employee, "unit_amount": 2.0}
    record_id: int = odoo("account.analytic.line", "create", values)
    return record_id


def bumped(odoo: Client, act: Callable[[], Any], **records: int) -> set[str]:
    """The records, by the name given, whose stamp moved."""
    names = {name.replace("__", "."): record_id for name, record_id in records.items()}
    before = {name: odoo.stamp(name, record_id) for name, record_id in names.items()}
    act()
    return {name for name, record_id in names.items() if odoo.stamp(name, record_id) != before[name]}


def test_stamps_are_kept_in_microseconds_and_shown_in_whole_seconds(odoo: Client, project: int) -> None:
    stamps = [odoo.stamp("project.project", project)]
    for n in range(3):
        odoo("project.project", "write", [project], {"allocated_hours": n})
        stamps.append(odoo.stamp("project.project", project))
    assert any("." in stamp for stamp in stamps)
    (row,) = odoo("project.project", "read", [project], ["write_date"])
    assert row["write_date"] == stamps[-1][:19]


@pytest.mark.parametrize(
    ("operator", "seconds", "found"),
    [
        pytest.param(">=", 0, True, id="at least its second"),
        pytest.param(">", 0, False, id="later than a second means from the next one on"),
        pytest.param(">", -1, True, id="later than the second before"),
        pytest.param(">=", 1, False, id="at least the next second"),
        pytest.param("=", 0, True, id="its second"),
        pytest.param("=", 1, False, id="another second"),
        pytest.param("!=", 0, False, id="not its second"),
        pytest.param("in", 0, True, id="one of some seconds"),
        pytest.param("<=", 0, True, id="up to its second means up to the end of it"),
        pytest.param("<", 0, False, id="before its second"),
        pytest.param("<", 1, True, id="before the next one"),
    ],
)
def test_times_compare_in_whole_seconds(odoo: Client, project: int, operator: str, seconds: int, found: bool) -> None:
    second = datetime.fromisoformat(odoo.stamp("project.project", project)).replace(microsecond=0)
    bound: Any = str(second + timedelta(seconds=seconds))
    value = [bound] if operator == "in" else bound
    assert odoo("project.project", "search_count", [["id", "=", project], ["write_date", operator, value]]) == found


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Europe/Brussels", "Pacific/Pago_Pago"])
def test_a_bound_that_is_only_a_date_is_a_day_where_the_user_lives(odoo: Client, project: int, zone: str) -> None:
    written = datetime.fromisoformat(odoo.stamp("project.project", project)).replace(tzinfo=UTC)
    there = written.astimezone(ZoneInfo(zone)).date()
    for operator, days, found in ((">=", 0, 1), (">=", 1, 0), ("<=", 0, 1), ("<", 0, 0), (">", 0, 0), (">", -1, 1)):
        bound = (there + timedelta(days)).isoformat()
        domain = [["id", "=", project], ["write_date", operator, bound]]
        assert odoo("project.project", "search_count", domain, context={"tz": zone}) == found, (operator, bound)


def test_all_records_of_a_transaction_carry_the_time_it_began(odoo: Client, project: int) -> None:
    before = datetime.now(UTC).replace(tzinfo=None)
    ids = odoo("project.task", "create", [{"name": f"t{n}", "project_id": project} for n in range(25)])
    stamps = {odoo.stamp("project.task", record_id) for record_id in (ids[0], ids[12], ids[-1])}
    assert len(stamps) == 1
    assert before - timedelta(seconds=5) < datetime.fromisoformat(stamps.pop()) < datetime.now(UTC).replace(tzinfo=None)


def test_writing_the_same_value_is_stamped_all_the_same(odoo: Client, line: int) -> None:
    write = lambda: odoo("account.analytic.line", "write", [line], {"unit_amount": 2.0})  # noqa: E731  one act of the test
    assert bumped(odoo, write, account__analytic__line=line) == {"account.analytic.line"}


@pytest.mark.parametrize(
    ("values", "also"),
    [
        pytest.param({"unit_amount": 3.0}, {"project.task"}, id="hours change the task"),
        pytest.param({"unit_amount": 2.0}, set(), id="the same hours do not"),
        pytest.param({"name": "y"}, set(), id="a description does not"),
        pytest.param({"date": "2026-01-05"}, set(), id="a date does not"),
    ],
)
def test_a_timesheet_stamps_its_task_when_hours_change_and_never_its_project(
    odoo: Client, *, project: int, task: int, line: int, values: dict[str, Any], also: set[str]
) -> None:
    def act() -> None:
        odoo("account.analytic.line", "write", [line], values)

    moved = bumped(odoo, act, account__analytic__line=line, project__task=task, project__project=project)
    assert moved == {"account.analytic.line"} | also


def test_a_deleted_timesheet_stamps_its_task(odoo: Client, task: int, line: int) -> None:
    assert bumped(odoo, lambda: odoo("account.analytic.line", "unlink", [line]), project__task=task) == {"project.task"}


def test_a_timesheet_takes_what_it_needs_from_those_it_names(
    odoo: Client, project: int, line: int, employee: int
) -> None:
    fields = ["amount", "account_id", "timesheet_invoice_type", "holiday_id", "so_line", "project_id", "employee_id"]
    (row,) = odoo("account.analytic.line", "read", [line], fields, load="_classic_write")
    (known,) = odoo("project.project", "read", [project], ["account_id"], load="_classic_write")
    assert row == {
        "id": line,
        "amount": -100.0,
        "account_id": known["account_id"],
        "timesheet_invoice_type": "non_billable",
        "holiday_id": False,
        "so_line": False,
        "project_id": project,
        "employee_id": employee,
    }
    odoo("account.analytic.line", "write", [line], {"unit_amount": 3.0})
    assert odoo("account.analytic.line", "read", [line], ["amount"])[0]["amount"] == -150.0


def test_a_new_cost_rate_leaves_old_timesheets_alone(odoo: Client, line: int, employee: int) -> None:
    def act() -> None:
        odoo("hr.employee", "write", [employee], {"hourly_cost": 70.0})

    assert bumped(odoo, act, account__analytic__line=line, hr__employee=employee) == {"hr.employee"}
    assert odoo("account.analytic.line", "read", [line], ["amount"])[0]["amount"] == -100.0


def test_a_change_kept_in_the_employees_version_stamps_the_employee(odoo: Client, employee: int, unique: str) -> None:
    department = odoo("hr.department", "create", {"name": unique})

    def act() -> None:
        odoo("hr.employee", "write", [employee], {"department_id": department})

    (row,) = odoo("hr.employee", "read", [employee], ["current_version_id"], load="_classic_write")
    moved = bumped(odoo, act, hr__employee=employee, hr__version=row["current_version_id"])
    assert moved == {"hr.employee", "hr.version"}
    assert odoo("hr.employee", "search", [["department_id", "=", department]]) == [employee]
    assert odoo("hr.employee", "read", [employee], ["department_id"])[0]["department_id"][0] == department


def test_deleting_a_milestone_clears_its_tasks_in_silence(odoo: Client, project: int, task: int) -> None:
    milestone = odoo("project.milestone", "create", {"name": "m", "project_id": project})
    odoo("project.task", "write", [task], {"milestone_id": milestone})
    assert bumped(odoo, lambda: odoo("project.milestone", "unlink", [milestone]), project__task=task) == set()
    assert odoo("project.task", "read", [task], ["milestone_id"])[0]["milestone_id"] is False


def test_deleting_a_tag_clears_its_tasks_in_silence(odoo: Client, task: int, unique: str) -> None:
    tag = odoo("project.tags", "create", {"name": unique})
    odoo("project.task", "write", [task], {"tag_ids": [(6, 0, [tag])]})
    assert bumped(odoo, lambda: odoo("project.tags", "unlink", [tag]), project__task=task) == set()
    assert odoo("project.task", "read", [task], ["tag_ids"])[0]["tag_ids"] == []


def test_a_reached_milestone_knows_the_day(odoo: Client, project: int) -> None:
    milestone = odoo("project.milestone", "create", {"name": "m", "project_id": project})
    odoo("project.milestone", "write", [milestone], {"is_reached": True})
    (row,) = odoo("project.milestone", "read", [milestone], ["reached_date"])
    assert row["reached_date"] >= odoo.stamp("project.milestone", milestone)[:10]
    odoo("project.milestone", "write", [milestone], {"is_reached": False})
    assert odoo("project.milestone", "read", [milestone], ["reached_date"])[0]["reached_date"] is False


def test_a_deletion_leaves_nothing_for_a_poll_to_find(odoo: Client, line: int) -> None:
    second = odoo.stamp("account.analytic.line", line)[:19]
    odoo("account.analytic.line", "unlink", [line])
    recent = odoo("account.analytic.line", "search", [["write_date", ">=", second]], context={"active_test": False})
    assert line not in recent
    assert odoo("account.analytic.line", "read", [line], ["name"]) == []


def test_time_on_a_project_keeps_it_from_being_deleted(odoo: Client, project: int, line: int) -> None:
    error = odoo.refusal("project.project", "unlink", [project])
    assert error["data"]["name"] == "odoo.exceptions.RedirectWarning"
    assert odoo("project.project", "search_count", [["id", "=", project]]) == 1


def test_an_archived_project_is_hidden_and_its_time_is_not(odoo: Client, project: int, line: int) -> None:
    odoo("project.project", "write", [project], {"active": False})
    assert odoo("project.project", "search", [["id", "=", project]]) == []
    assert odoo("project.project", "search", [["id", "=", project]], context={"active_test": False}) == [project]
    assert odoo("account.analytic.line", "search", [["project_id", "=", project]]) == [line]


@pytest.fixture
def invoice(odoo: Client, unique: str) -> int:
    partner = odoo("res.partner", "create", {"name": unique})
    line = (0, 0, {"name": "work", "quantity": 2, "price_unit": 500.0})
    values = {"move_type": "out_invoice", "partner_id": partner, "invoice_date": "2026-10-01"}
    record_id: int = odoo("account.move", "create", values | {"invoice_line_ids": [line]})
    return record_id


_MOVE = ["state", "payment_state", "amount_total", "amount_residual", "amount_total_signed", "amount_residual_signed"]


def test_a_draft_has_no_number_and_a_posted_invoice_has_one(odoo: Client, invoice: int) -> None:
    (draft,) = odoo("account.move", "read", [invoice], ["name", "state", "amount_untaxed"])
    assert draft == {"id": invoice, "name": False, "state": "draft", "amount_untaxed": 1000.0}
    assert odoo("account.move", "action_post", [invoice]) is False
    (posted,) = odoo("account.move", "read", [invoice], ["name", "state", "invoice_date", "invoice_date_due"])
    assert posted["name"].startswith("INV/2026/")
    assert (posted["state"], posted["invoice_date"]) == ("posted", "2026-10-01")
    assert posted["invoice_date_due"] > "2026-10-01"


def test_a_draft_can_be_deleted_and_a_posted_invoice_cannot(odoo: Client, invoice: int) -> None:
    other = odoo("account.move", "create", {"move_type": "out_invoice"})
    assert odoo("account.move", "unlink", [other]) is True
    odoo("account.move", "action_post", [invoice])
    error = odoo.refusal("account.move", "unlink", [invoice])
    assert error["data"]["name"] == "odoo.exceptions.UserError"
    assert "posted" in error["data"]["message"]


def test_a_payment_stamps_the_invoice(odoo: Client, invoice: int) -> None:
    odoo("account.move", "action_post", [invoice])
    (before,) = odoo("account.move", "read", [invoice], _MOVE)
    total = before["amount_total"]

    def pay(amount: float) -> None:
        context = {"active_model": "account.move", "active_ids": [invoice]}
        values = {"payment_date": "2026-10-20", **({"amount": amount} if amount else {})}
        wizard = odoo("account.payment.register", "create", values, context=context)
        odoo("account.payment.register", "action_create_payments", [wizard])

    assert bumped(odoo, lambda: pay(400.0), account__move=invoice) == {"account.move"}
    (part,) = odoo("account.move", "read", [invoice], _MOVE)
    assert (part["payment_state"], part["amount_residual"]) == ("partial", total - 400.0)
    assert (part["amount_total_signed"], part["amount_residual_signed"]) == (total, total - 400.0)
    pay(0.0)
    (full,) = odoo("account.move", "read", [invoice], _MOVE)
    assert (full["payment_state"], full["amount_residual"]) == ("paid", 0.0)
    payments = odoo("account.payment", "search_read", [["invoice_ids", "in", [invoice]]], ["amount", "date", "state"])
    assert sorted(p["amount"] for p in payments) == sorted([400.0, total - 400.0])
    assert {p["date"] for p in payments} == {"2026-10-20"}


def test_blocking_a_payment_is_a_state_of_the_payment(odoo: Client, invoice: int) -> None:
    odoo("account.move", "action_post", [invoice])
    for expected in ("blocked", "not_paid"):
        assert odoo("account.move", "action_toggle_block_payment", [invoice]) is None
        assert odoo("account.move", "read", [invoice], ["payment_state"])[0]["payment_state"] == expected


def test_a_later_second_is_a_later_stamp(odoo: Client, project: int) -> None:
    before = odoo.stamp("project.project", project)
    deadline = time.monotonic() + 5
    while odoo.stamp("project.project", project)[:19] == before[:19] and time.monotonic() < deadline:
        odoo("project.project", "write", [project], {"allocated_hours": 1.0})
    found = odoo("project.project", "search", [["id", "=", project], ["write_date", ">", before[:19]]])
    assert found == [project]
