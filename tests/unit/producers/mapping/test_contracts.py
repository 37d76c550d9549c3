"""Sale orders as contracts, and as change requests where they are tagged."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from producers.core.mapping import Context
from producers.core.mapping.contracts import contract_verb
from schemas.topics import topic
from tests.support.rows import BASE, LOOKUPS, mapping_of, state

CONTRACT, REQUEST = "sales.contract.v1", "delivery.change-request.v1"
LINE: dict[str, Any] = {
    "id": 21, "sequence": 10, "order_id": 3, "name": "by the hour", "product_id": 8, "is_service": True, "product_uom_qty": 200.0,
    "product_uom_id": 6, "qty_delivered": 12.5, "qty_invoiced": 10.0, "price_unit": 100.0, "discount": 10.0,
    "price_subtotal": 18000.0, "untaxed_amount_invoiced": 900.0, "project_id": 5, "task_id": False, "display_type": False,
}  # fmt: skip
ROW: dict[str, Any] = {
    "name": "S00058", "state": "sale", "amount_untaxed": 18000.0, "partner_id": 12, "currency_id": 2, "currency_rate": 1.25,
    "date_order": "2026-03-09 08:00:00", "signed_on": False, "invoice_status": "to invoice", "locked": False, "project_id": False,
    "tag_ids": [], "lines": [LINE], "create_uid": 2, "write_uid": 4, "validity_date": "2026-04-01",
}  # fmt: skip


def test_a_contract_with_its_lines_in_two_currencies() -> None:
    found = state(CONTRACT, ROW)
    assert (found["status"], found["invoice_status"], found["number"]) == ("confirmed", "to_invoice", "S00058")
    assert (found["amount"], found["currency"]) == (Decimal(18000), "USD")
    assert (found["company_amount"], found["company_currency"]) == (Decimal(14400), "EUR")
    assert found["invoiced_amount"] == Decimal(900)
    assert found["project_ids"] == [5], "without the field, the projects of its lines"
    assert found["quoted_on"] == date(2026, 3, 1)
    assert found["lines"] == [
        {
            "id": 21, "name": "by the hour", "product_id": 8, "kind": "time_and_material", "quantity": Decimal(200),
            "unit": "Hours", "delivered": Decimal("12.5"), "invoiced": Decimal(10), "unit_price": Decimal(100),
            "discount": Decimal("0.1"), "amount": Decimal(18000), "project_id": 5, "task_id": None,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        pytest.param({"product_id": 10}, "fixed_price", id="prepaid"),
        pytest.param({"product_id": 11}, "unknown", id="a service that we know nothing of"),
        pytest.param({"product_id": 11, "is_service": False}, "goods", id="goods"),
        pytest.param({"product_id": 8, "is_expense": True}, "expense", id="an expense, whatever its product"),
        pytest.param({"product_id": 8, "is_downpayment": True}, "down_payment", id="a down payment"),
        pytest.param({"product_id": False, "is_service": False}, "unknown", id="free text with a price"),
    ],
)
def test_how_a_line_is_billed(line: dict[str, Any], kind: str) -> None:
    assert state(CONTRACT, {**ROW, "lines": [{**LINE, **line}]})["lines"][0]["kind"] == kind


def test_sections_are_no_lines_and_the_order_is_the_sequence() -> None:
    rows = [{**LINE, "id": 1, "sequence": 30}, {**LINE, "id": 2, "display_type": "line_section"}, {**LINE, "id": 3}]
    assert [line["id"] for line in state(CONTRACT, {**ROW, "lines": rows})["lines"]] == [3, 1]


DRAFT = {**ROW, "state": "draft"}
SIGNED = {"signed_on": "2026-03-09 07:00:00"}


@pytest.mark.parametrize(
    ("previous", "current", "verb"),
    [
        pytest.param(None, DRAFT, "quoted", id="an offer"),
        pytest.param(None, ROW, "confirmed", id="first seen confirmed"),
        pytest.param(DRAFT, {**DRAFT, "state": "sent"}, "changed", id="sent"),
        pytest.param(DRAFT, {**DRAFT, **SIGNED}, "signed", id="signed before it is confirmed"),
        pytest.param(DRAFT, {**ROW, **SIGNED}, "confirmed", id="signed and confirmed at once: the order comes first"),
        pytest.param(ROW, {**ROW, **SIGNED}, "signed", id="signed afterwards"),
        pytest.param(ROW, {**ROW, "state": "cancel"}, "cancelled", id="cancelled"),
        pytest.param({**ROW, "state": "cancel"}, DRAFT, "quoted", id="offered again"),
        pytest.param(ROW, {**ROW, "lines": [{**LINE, "product_uom_qty": 250.0}]}, "amended", id="more of it"),
        pytest.param(ROW, {**ROW, "amount_untaxed": 1.0}, "amended", id="another price"),
        pytest.param(ROW, {**ROW, "lines": []}, "amended", id="a line taken away"),
        pytest.param(
            ROW, {**ROW, "lines": [{**LINE, "qty_delivered": 14.0}]}, "changed", id="a delivery is no amendment"
        ),
        pytest.param(DRAFT, {**DRAFT, "amount_untaxed": 1.0}, "changed", id="an offer may change"),
        pytest.param(ROW, None, "deleted", id="deleted"),
    ],
)
def test_what_a_change_is_called(previous: Any, current: Any, verb: str) -> None:
    states = [state(CONTRACT, row) if row else None for row in (previous, current)]
    assert contract_verb(*states) == verb
    assert verb in topic(CONTRACT).verbs


@pytest.mark.parametrize(
    ("row", "at"),
    [
        pytest.param(ROW, datetime(2026, 3, 9, 8, tzinfo=UTC), id="confirmed when Odoo says"),
        pytest.param({**ROW, "date_order": "2026-04-09 08:00:00"}, datetime(2026, 3, 10, 9, tzinfo=UTC), id="never later than written"),
        pytest.param(DRAFT, datetime(2026, 3, 10, 9, tzinfo=UTC), id="offered when written"),
    ],
)  # fmt: skip
def test_when_it_was_confirmed(row: dict[str, Any], at: datetime) -> None:
    _, entity = mapping_of(CONTRACT)
    row, context = {**BASE, **row}, Context(LOOKUPS)
    assert entity.occurred_at(row, None, entity.state(row, context, None), context) == at


def test_a_tagged_order_is_a_change_request_with_a_price_and_its_hours() -> None:
    lines = [LINE, {**LINE, "id": 22, "product_uom_id": 1, "product_uom_qty": 3.0}]
    found = state(REQUEST, {**ROW, "tag_ids": [31], "lines": lines}, model="sale.order")
    assert (found["kind"], found["status"], found["contract_id"]) == ("order", "approved", 3)
    assert (found["amount"], found["currency"], found["minutes"]) == (Decimal(18000), "USD", 12000)
    assert (found["decided_at"], found["due_on"]) == (datetime(2026, 3, 9, 8, tzinfo=UTC), date(2026, 4, 1))
    assert state(REQUEST, ROW, model="sale.order") is None
