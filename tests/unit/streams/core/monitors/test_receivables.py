"""Days sales outstanding of a company and its clients: to the digit, with what is late, contested, or cannot be added."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.streams.core.world import Source, World, day, instant, key

JANUARY = instant("2026-01-01")


def noon(second: int = 0) -> tuple[str, Any]:
    return Source.tick(instant(f"2026-03-31T12:00:{second:02}"))


def unit(world: World, model: str = "res.company", number: int = 1) -> Any:
    return world.drain().measure("receivables", key(model, number))


def test_days_sales_outstanding_to_the_digit() -> None:
    source, world = Source(), World()
    early, late = day("2026-01-10"), day("2026-03-20")
    world.feed(
        source.invoice(1, total=10_000, residual=10_000, invoice_date=early, due_date=day("2026-02-09")),
        source.invoice(2, total=20_000, residual=5_000, invoice_date=late, due_date=day("2026-03-31"), partner_id=4),
        source.invoice(3, total=3_000, residual=0, invoice_date=late, due_date=late),
        source.invoice(4, total=600, residual=500, invoice_date=late, due_date=late, move_type="out_refund"),
        source.invoice(5, total=70_000, residual=0, invoice_date=day("2025-12-31"), due_date=early),
        source.invoice(6, total=9_999, residual=9_999, invoice_date=late, status="draft"),
        noon(),
    )
    measured = unit(world)
    assert measured["window_days"] == 90  # from 2026-01-01 on
    assert measured["credit_sales_amount"] == 10_000 + 20_000 + 3_000 - 600
    assert (measured["receivable_amount"], measured["current_amount"]) == (14_500, 5_000)
    assert measured["past_due_amount"] == 9_500
    assert measured["dso"] == Decimal("40.277777778")  # 14,500 × 90 / 32,400
    assert measured["best_possible_dso"] == Decimal("13.888888889")
    assert measured["average_days_delinquent"] == Decimal("26.388888889")
    assert (measured["kind"], measured["currency"], measured["reasons"]) == ("company", "EUR", [])
    client = unit(world, "res.partner", 4)
    assert (client["receivable_amount"], client["dso"], client["kind"]) == (5_000, Decimal("22.5"), "client")


def test_what_is_contested_is_part_of_the_companys_receivables() -> None:
    source, world = Source(), World()
    world.feed(source.invoice(1, at=JANUARY, residual=8_000), source.invoice(2, at=JANUARY, residual=2_000))
    world.feed(source.tick(JANUARY), source.dispute(1, {"opened_on": day("2026-03-01"), "amount": 4_000}), noon())
    measured = unit(world)
    assert (measured["disputed_amount"], measured["disputed_invoices"]) == (4_000, 1)
    assert measured["disputed_share"] == Decimal("0.4")
    resolved = {"opened_on": day("2026-03-01"), "status": "resolved", "closed_on": day("2026-03-30")}
    world.feed(source.dispute(1, resolved), noon(1))
    assert (unit(world)["disputed_amount"], unit(world)["disputed_invoices"]) == (0, 0)


@pytest.mark.parametrize(
    ("invoice", "reason"),
    [
        pytest.param({"residual": 100, "company_residual": 0}, "no_exchange_rate", id="a currency without a rate"),
        pytest.param({"company_currency": "USD"}, "mixed_currencies", id="companies with unlike money"),
    ],
)
def test_what_cannot_be_added_makes_all_money_null(invoice: dict[str, Any], reason: str) -> None:
    source, world = Source(), World()
    world.feed(source.invoice(1, due_date=1), source.invoice(2, due_date=1, **invoice), noon())
    measured = unit(world)
    assert (measured["receivable_amount"], measured["dso"]) == (None, None)
    assert reason in measured["reasons"]


def test_without_sales_there_are_no_days_and_without_a_due_date_nothing_is_late() -> None:
    source, world = Source(), World()
    world.feed(source.invoice(1, residual=100), noon())
    measured = unit(world)
    assert (measured["dso"], measured["past_due_amount"]) == (None, 0)
    assert measured["reasons"] == ["no_credit_sales", "no_due_date"]


def test_an_invoice_that_changes_clients_leaves_the_old_one() -> None:
    source, world = Source(), World()
    world.feed(source.invoice(1, residual=100), noon())
    world.feed(source.invoice(1, residual=100, partner_id=4), noon(1))
    assert [unit(world, "res.partner", number)["receivable_amount"] for number in (3, 4)] == [0, 100]
