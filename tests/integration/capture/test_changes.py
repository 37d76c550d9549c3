"""What people do in Odoo arrives on Kafka, once and in order: the same story on a real Odoo and on the embedded one."""

import threading
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.kafka
LINE, MOVE = "account.analytic.line", "account.move"
TIMESHEET, INVOICE, DISPUTE = "delivery.timesheet.v1", "finance.invoice.v1", "finance.dispute.v1"


def verbs(events: list[Any]) -> list[str]:
    return [event["meta"]["event_type"].split(".")[2] for event in events]


def versions(events: list[Any]) -> list[int]:
    return [event["meta"]["version"] for event in events]


def test_a_timesheet_from_logging_to_deletion(world: Any, line: int, unique: str) -> None:
    odoo = world.odoo
    odoo(LINE, "write", [line], {"unit_amount": 3.5})
    world.until(TIMESHEET, LINE, line, lambda events: len(events) == 2)
    other = odoo("project.project", "create", {"name": f"{unique} other", "allow_timesheets": True})
    odoo(LINE, "write", [line], {"project_id": other, "task_id": False})
    world.until(TIMESHEET, LINE, line, lambda events: len(events) == 3)
    odoo(LINE, "unlink", [line])
    events = world.verb(TIMESHEET, LINE, line, "deleted")
    assert verbs(events) == ["logged", "corrected", "corrected", "deleted"]
    assert versions(events) == [1, 2, 3, 4]
    assert events[0]["current"]["date"] == date(2026, 3, 5)
    assert (events[0]["current"]["minutes"], events[1]["current"]["minutes"]) == (120, 210)
    assert events[0]["current"]["cost"] == Decimal(100)
    assert "minutes" in events[1]["changed"]
    assert events[2]["current"]["project_id"] == other
    assert events[3]["current"] is None
    assert events[3]["previous"] == events[2]["current"]


def test_writing_the_same_value_says_nothing(world: Any, line: int) -> None:
    world.odoo(LINE, "write", [line], {"unit_amount": 2.0})
    world.odoo(LINE, "write", [line], {"name": "a text that no event carries"})
    world.odoo(LINE, "write", [line], {"unit_amount": 4.0})
    events = world.until(TIMESHEET, LINE, line, lambda events: events[-1]["current"]["minutes"] == 240)
    assert versions(events) == [1, 2], "the event after the noise is the second one"


def test_there_and_back_are_two_events_and_each_state_is_seen_once(world: Any, line: int) -> None:
    world.odoo(LINE, "write", [line], {"unit_amount": 5.0})
    world.until(TIMESHEET, LINE, line, lambda events: len(events) == 2)
    world.odoo(LINE, "write", [line], {"unit_amount": 2.0})
    events = world.until(TIMESHEET, LINE, line, lambda events: len(events) == 3)
    assert [event["current"]["minutes"] for event in events] == [120, 300, 120]
    assert len({event["meta"]["event_id"] for event in events}) == 3


def test_a_second_edit_within_the_same_second_is_not_missed(world: Any, line: int) -> None:
    for hours in (3.0, 4.0, 5.0, 6.0):
        world.odoo(LINE, "write", [line], {"unit_amount": hours})
    events = world.until(TIMESHEET, LINE, line, lambda events: events[-1]["current"]["minutes"] == 360)
    assert versions(events) == list(range(1, len(events) + 1))


def test_a_transaction_that_commits_late_is_not_missed(world: Any, line: int, project: int, employee: int) -> None:
    """It is stamped with its beginning: newer stamps have long been read when it appears."""
    late = threading.Thread(target=world.odoo.commit_late, args=(line, 7.0, 8.0))
    late.start()
    values = {"name": "meanwhile", "project_id": project, "employee_id": employee, "unit_amount": 1.0}
    while late.is_alive():
        other = world.odoo(LINE, "create", values)
        world.verb(TIMESHEET, LINE, other, "logged")
        late.join(1.0)
    events = world.until(TIMESHEET, LINE, line, lambda events: events[-1]["current"]["minutes"] == 420)
    assert versions(events) == [1, 2]


def test_a_line_that_loses_its_project_is_deleted(world: Any, line: int) -> None:
    if world.odoo.kind == "real":
        world.odoo.odoo.sql(
            f"update account_analytic_line set project_id = null, task_id = null, write_date = now() at time zone 'utc' where id = {line}"  # noqa: S608  a number of our own
        )
    else:
        world.odoo(LINE, "write", [line], {"project_id": False, "task_id": False})
    events = world.verb(TIMESHEET, LINE, line, "deleted")
    assert events[-1]["previous"]["minutes"] == 120


def test_archived_records_are_archived_not_gone(world: Any, project: int, employee: int) -> None:
    world.verb("delivery.project.v1", "project.project", project, "created")
    world.verb("people.consultant.v1", "hr.employee", employee, "registered")
    world.odoo("project.project", "write", [project], {"active": False})
    world.odoo("hr.employee", "write", [employee], {"active": False})
    closed = world.verb("delivery.project.v1", "project.project", project, "closed")
    archived = world.verb("people.consultant.v1", "hr.employee", employee, "archived")
    assert closed[-1]["current"]["active"] is archived[-1]["current"]["active"] is False


def test_a_budget_that_is_raised(world: Any, project: int) -> None:
    world.verb("delivery.project.v1", "project.project", project, "created")
    world.odoo("project.project", "write", [project], {"allocated_hours": 200.0})
    events = world.verb("delivery.project.v1", "project.project", project, "changed")
    assert events[-1]["changed"] == ["budget_minutes"]
    assert events[-1]["current"]["budget_minutes"] == 12_000


def test_another_calendar_changes_the_consultant(world: Any, employee: int) -> None:
    """On a real Odoo the calendar stands on the employee's version."""
    events = world.verb("people.consultant.v1", "hr.employee", employee, "registered")
    calendar = world.odoo("resource.calendar", "create", {"name": "mornings", "attendance_ids": [
        (0, 0, {"name": str(d), "dayofweek": str(d), "hour_from": 8.0, "hour_to": 12.0, "day_period": "morning"}) for d in range(5)
    ]})  # fmt: skip
    world.odoo("hr.employee", "write", [employee], {"resource_calendar_id": calendar})
    events = world.until(
        "people.consultant.v1", "hr.employee", employee, lambda events: events[-1]["current"]["calendar_id"] == calendar
    )
    assert events[-1]["current"]["weekday_minutes"] == [240] * 5 + [0, 0]


def test_a_changed_calendar_changes_those_who_work_by_it(world: Any, employee: int) -> None:
    """Nothing stamps the employee: the lookup changed, and the sweep looks at those who use it."""
    hours = {"name": "Monday", "dayofweek": "0", "hour_from": 8.0, "hour_to": 12.0, "day_period": "morning"}
    calendar = world.odoo("resource.calendar", "create", {"name": "Mondays", "attendance_ids": [(0, 0, hours)]})
    world.odoo("hr.employee", "write", [employee], {"resource_calendar_id": calendar})
    world.until(
        "people.consultant.v1",
        "hr.employee",
        employee,
        lambda events: bool(events) and events[-1]["current"]["weekday_minutes"][0] == 240,
    )
    (attendance,) = world.odoo("resource.calendar.attendance", "search", [["calendar_id", "=", calendar]])
    world.odoo("resource.calendar.attendance", "write", [attendance], {"hour_to": 11.0})
    events = world.until(
        "people.consultant.v1",
        "hr.employee",
        employee,
        lambda events: events[-1]["current"]["weekday_minutes"][0] == 180,
    )
    assert events[-1]["meta"]["recorded_at"] > events[-2]["meta"]["recorded_at"], "it holds from when it was seen"


def test_a_deleted_milestone_is_found_without_a_hint(world: Any, project: int) -> None:
    milestone = world.odoo("project.milestone", "create", {"name": "half", "project_id": project})
    world.verb("delivery.milestone.v1", "project.milestone", milestone, "planned")
    world.odoo("project.milestone", "write", [milestone], {"is_reached": True})
    world.verb("delivery.milestone.v1", "project.milestone", milestone, "reached")
    world.odoo("project.milestone", "unlink", [milestone])
    events = world.verb("delivery.milestone.v1", "project.milestone", milestone, "deleted")
    # no stamp tells of a deletion; only a poll that is just reading the record may be before the sweep
    assert events[-1]["meta"]["mode"] in {"sweep", "poll"}


def test_a_blocked_invoice_is_disputed_until_it_is_released(world: Any, invoice: int) -> None:
    world.odoo(MOVE, "action_toggle_block_payment", [invoice])
    (opened,) = world.verb(DISPUTE, MOVE, invoice, "opened")
    assert world.verb(INVOICE, MOVE, invoice, "blocked")[-1]["current"]["payment_status"] == "blocked"
    assert opened["current"]["invoice_id"] == invoice
    world.odoo(MOVE, "action_toggle_block_payment", [invoice])
    disputes = world.verb(DISPUTE, MOVE, invoice, "resolved")
    assert disputes[-1]["current"]["closed_on"] is not None
    world.odoo(MOVE, "action_toggle_block_payment", [invoice])
    assert verbs(world.verb(DISPUTE, MOVE, invoice, "reopened")) == ["opened", "resolved", "reopened"]


def test_an_invoice_is_paid_in_two_parts(world: Any, invoice: int) -> None:
    context = {"active_model": MOVE, "active_ids": [invoice]}
    for values, verb in (({"amount": 400.0}, "partially-paid"), ({}, "paid")):
        wizard = world.odoo(
            "account.payment.register", "create", {"payment_date": "2026-10-20", **values}, context=context
        )
        world.odoo("account.payment.register", "action_create_payments", [wizard])
        last = world.verb(INVOICE, MOVE, invoice, verb)[-1]["current"]
    assert last["residual"] == last["company_residual"] == 0
    assert last["total"] >= 1000
    payments = world.odoo("account.payment", "search", [["invoice_ids", "in", [invoice]]])
    for payment in payments:
        key = world.key("account.payment", payment)
        settled = world.subscriber.until("finance.payment.v1", key, bool)[-1]["current"]
        assert settled["invoice_ids"] == [invoice]
        assert settled["direction"] == "inbound"
