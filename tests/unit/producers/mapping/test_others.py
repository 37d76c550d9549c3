"""Skills, opportunities and receipts; what falls due or runs out when the day turns."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from producers.core.lookups import build
from producers.core.mapping import Context
from schemas.errors import PoisonMessage
from schemas.topics import topic
from tests.support.rows import BASE, LOOKUPS, mapping_of, state

SKILL, OPPORTUNITY, RECEIPT, INVOICE = (
    "people.skill.v1",
    "sales.opportunity.v1",
    "finance.receipt.v1",
    "finance.invoice.v1",
)
HELD = {
    "employee_id": 7,
    "skill_id": 14,
    "skill_type_id": 3,
    "skill_level_id": 9,
    "valid_from": "2025-01-01",
    "valid_to": False,
}


@pytest.mark.parametrize(
    ("row", "status"),
    [
        pytest.param({}, "valid", id="without an end"),
        pytest.param({"valid_to": "2026-03-10"}, "valid", id="its last day is a day on which it holds"),
        pytest.param({"valid_to": "2026-03-09"}, "expired", id="the day after"),
        pytest.param({"valid_from": "2026-03-11"}, "upcoming", id="from tomorrow on"),
        pytest.param({"valid_from": "2026-03-10"}, "valid", id="from today on"),
    ],
)
def test_whether_a_skill_holds_today(row: dict[str, Any], status: str) -> None:
    found = state(SKILL, {**HELD, **row})
    assert found["status"] == status
    assert (found["skill"], found["level"], found["level_percent"]) == ("Solution Architect", "Professional", 80)
    assert (found["certification"], found["company_id"]) == (True, 1)


def test_a_skill_whose_kind_nobody_may_read_is_poison_with_a_remedy() -> None:
    with pytest.raises(PoisonMessage, match="kind 4 or the level 9") as caught:
        state(SKILL, {**HELD, "skill_type_id": 4})
    assert "hr.skill.type" in caught.value.remedy


@pytest.mark.parametrize(
    ("topic_name", "previous", "current", "verb"),
    [
        pytest.param(SKILL, None, "valid", "certified", id="a skill first seen"),
        pytest.param(SKILL, None, "upcoming", "certified", id="a skill that will hold"),
        pytest.param(SKILL, None, "expired", "expired", id="a skill first seen expired"),
        pytest.param(SKILL, "valid", "expired", "expired", id="a skill run out"),
        pytest.param(SKILL, "expired", "valid", "certified", id="a skill renewed"),
        pytest.param(SKILL, "valid", "valid", "changed", id="a skill at another level"),
        pytest.param(SKILL, "valid", None, "withdrawn", id="a skill deleted"),
        pytest.param(OPPORTUNITY, None, "open", "opened", id="an opportunity first seen"),
        pytest.param(OPPORTUNITY, None, "won", "won", id="an opportunity first seen won"),
        pytest.param(OPPORTUNITY, "open", "lost", "lost", id="an opportunity lost"),
        pytest.param(OPPORTUNITY, "lost", "open", "opened", id="an opportunity open again"),
        pytest.param(OPPORTUNITY, "open", "open", "changed", id="an opportunity in another stage"),
        pytest.param(OPPORTUNITY, None, "unknown", "opened", id="an opportunity in a state newer than us"),
        pytest.param(OPPORTUNITY, "won", None, "deleted", id="an opportunity deleted"),
        pytest.param(RECEIPT, None, "expected", "expected", id="a receipt expected"),
        pytest.param(RECEIPT, "expected", "received", "received", id="a receipt that came"),
        pytest.param(RECEIPT, "expected", "cancelled", "cancelled", id="a receipt cancelled"),
        pytest.param(RECEIPT, "received", "received", "changed", id="a receipt corrected"),
        pytest.param(RECEIPT, "expected", None, "deleted", id="a receipt deleted"),
    ],
)
def test_what_a_change_is_called(topic_name: str, previous: Any, current: Any, verb: str) -> None:
    _, entity = mapping_of(topic_name)
    states = [{"status": name} if name else None for name in (previous, current)]
    assert entity.verb(*states) == verb
    assert verb in topic(topic_name).verbs


LEAD: dict[str, Any] = {
    "name": "Website", "won_status": "pending", "active": True, "type": "opportunity", "stage_id": 2, "probability": 60.0,
    "expected_revenue": 24000.0, "recurring_revenue_monthly": 0.0, "company_currency": 1, "date_closed": "2026-03-02 10:00:00",
    "lost_reason_id": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            {},
            {"status": "open", "stage": "Proposition", "probability": Decimal("0.6"), "recurring_revenue": None, "closed_at": None},
            id="open: a date of closing that Odoo kept says nothing",
        ),
        pytest.param(
            {"won_status": "lost", "active": False, "lost_reason_id": 5},
            {"status": "lost", "active": False, "lost_reason": "Too expensive", "closed_at": datetime(2026, 3, 2, 10, tzinfo=UTC)},
            id="lost is archived",
        ),
        pytest.param({"recurring_revenue_monthly": 100.0}, {"recurring_revenue": Decimal(100)}, id="each month"),
        pytest.param({"company_currency": False, "company_id": 2}, {"currency": "USD"}, id="else the company's currency"),
        pytest.param({"won_status": "paused"}, {"status": "unknown"}, id="a state newer than us"),
    ],
)  # fmt: skip
def test_opportunity(row: dict[str, Any], expected: dict[str, Any]) -> None:
    found = state(OPPORTUNITY, {**LEAD, **row})
    assert {name: found[name] for name in expected} == expected


MOVE = {
    "id": 61,
    "picking_id": 3,
    "product_id": 40,
    "product_uom_qty": 10.0,
    "quantity": 4.0,
    "product_uom": 1,
    "purchase_line_id": 8,
}
PICKING = {
    "name": "WH/IN/00001",
    "state": "assigned",
    "picking_type_code": "incoming",
    "purchase_id": 77,
    "lines": [MOVE],
}


@pytest.mark.parametrize(
    ("row", "expected", "received"),
    [
        pytest.param(
            {}, {"status": "expected", "project_id": 5, "received_at": None}, "0", id="for its order's project"
        ),
        pytest.param({"project_id": 6}, {"project_id": 6}, "0", id="for a project of its own"),
        pytest.param(
            {"purchase_id": False}, {"project_id": None, "purchase_order_id": None}, "0", id="without an order"
        ),
        pytest.param(
            {"state": "done", "date_done": "2026-03-09 10:00:00"},
            {"status": "received", "received_at": datetime(2026, 3, 9, 10, tzinfo=UTC)},
            "4",
            id="what came",
        ),
        pytest.param({"state": "cancel"}, {"status": "cancelled"}, "0", id="cancelled"),
        pytest.param(
            {"state": "draft", "name": "/"}, {"status": "expected", "number": None}, "0", id="without a number"
        ),
    ],
)
def test_receipt(row: dict[str, Any], expected: dict[str, Any], received: str) -> None:
    found = state(RECEIPT, {**PICKING, **row})
    assert {name: found[name] for name in expected} == expected
    (line,) = found["lines"]
    assert (line["expected"], line["received"], line["unit"]) == (Decimal(10), Decimal(received), "Units")


def test_a_delivery_to_a_client_is_no_receipt() -> None:
    assert state(RECEIPT, {**PICKING, "picking_type_code": "outgoing"}) is None


BILL: dict[str, Any] = {
    "name": "BILL/1", "move_type": "in_invoice", "state": "posted", "payment_state": "not_paid", "amount_total": 121.0,
    "amount_residual": 121.0, "invoice_date": "2026-03-01", "invoice_date_due": "2026-03-09",
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "overdue"),
    [
        pytest.param({}, True, id="due yesterday"),
        pytest.param({"invoice_date_due": "2026-03-10"}, False, id="due today is in time"),
        pytest.param({"amount_residual": 0.0}, False, id="paid"),
        pytest.param({"state": "draft"}, False, id="a draft"),
        pytest.param({"invoice_date_due": False}, False, id="without a due day"),
    ],
)
def test_what_is_overdue(row: dict[str, Any], overdue: bool) -> None:
    assert state(INVOICE, {**BILL, **row})["overdue"] is overdue


@pytest.mark.parametrize(
    ("move_type", "sign"),
    [pytest.param("in_invoice", 1, id="a bill is a debit"), pytest.param("in_refund", -1, id="a credit note is not")],
)
def test_a_bill_is_spread_over_projects_and_says_what_an_order_counts_already(move_type: str, sign: int) -> None:
    lines = [
        {"analytic_distribution": {"27": 50.0, "28": 50.0}, "balance": sign * 80.0, "purchase_line_id": False},
        {"analytic_distribution": {"27": 100.0}, "balance": sign * 20.0, "purchase_line_id": 4},
        {"analytic_distribution": False, "balance": sign * 7.0, "purchase_line_id": False},
    ]
    assert state(INVOICE, {**BILL, "move_type": move_type, "lines": lines})["shares"] == [
        {"account_id": 27, "project_id": 5, "amount": Decimal(60), "ordered_amount": Decimal(20)},
        {"account_id": 28, "project_id": None, "amount": Decimal(40), "ordered_amount": Decimal(0)},
    ]
    assert state(INVOICE, {**BILL, "lines": None})["shares"] == [], "lines that nobody may read"


def test_days_are_those_of_each_companys_zone_and_turn_a_lookup() -> None:
    rows = {
        "res.company": [{"id": 1, "resource_calendar_id": 4}, {"id": 2, "resource_calendar_id": 5}],
        "resource.calendar": [{"id": 4, "tz": "Asia/Tokyo"}, {"id": 5, "tz": "America/Los_Angeles"}],
    }
    before, after = (build(rows, datetime(2026, 3, 10, hour, tzinfo=UTC)) for hour in (14, 16))
    assert (before.day_in(1), after.day_in(1), after.day_in(2)) == (
        date(2026, 3, 10),
        date(2026, 3, 11),
        date(2026, 3, 10),
    )
    assert before.today != after.today


def test_a_consultant_names_the_department() -> None:
    row = {"name": "Ada", "active": True, "department_id": 3}
    assert state("people.consultant.v1", row)["department"] == "Data"
    assert state("people.consultant.v1", {**row, "department_id": False})["department"] is None


def test_it_expired_when_its_last_day_ended() -> None:
    _, entity = mapping_of(SKILL)
    row, context = {**BASE, **HELD, "valid_to": "2026-03-08"}, Context(LOOKUPS)
    assert entity.occurred_at(row, None, entity.state(row, context, None), context) == datetime(
        2026, 3, 8, 22, 59, 59, 999999, UTC
    )
