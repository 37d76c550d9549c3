"""What the assistant thinks by its rules: robust statistics as tables of cases."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.core.assist.alerts import Alerts
from consumers.core.assist.duplicates import Document, Invoices, suspicion
from consumers.core.assist.ideas import proposal_event
from consumers.core.assist.robust import spread, unusual
from schemas.events import meta
from schemas.topics import TOPICS, topic
from tests.support.governing import PROJECT, START, cleared, raised

FIRST = date(2026, 3, 2)
MONTHLY = [Decimal(days) for days in (31, 28, 31, 30, 31, 30)]


def document(days=0, amount="1000", currency="EUR", number=None, key="k"):
    return Document(FIRST + timedelta(days=days), key, number, Decimal(amount), currency)


@pytest.mark.parametrize(
    ("other", "gaps", "score"),
    [
        pytest.param(document(2), [], "0.8", id="the same amount, two days apart"),
        pytest.param(document(0), [], "0.9", id="on the same day"),
        pytest.param(document(8), [], None, id="more than a week apart, and nothing is known of the partner"),
        pytest.param(document(2, amount="1000.01"), [], None, id="another amount"),
        pytest.param(document(2, currency="USD"), [], None, id="another currency"),
        pytest.param(document(30), MONTHLY, None, id="a retainer of every month"),
        pytest.param(document(27), MONTHLY, None, id="a short month"),
        pytest.param(document(3), MONTHLY, "0.9", id="twice in one month"),
        pytest.param(document(7), [Decimal(7)] * 6, None, id="a weekly bill"),
        pytest.param(document(1), [Decimal(1)] * 6, None, id="daily deliveries"),
        pytest.param(document(2), [Decimal(30)] * 3, "0.8", id="three gaps are not enough to know a partner by"),
        pytest.param(document(3), [*MONTHLY, Decimal(0), Decimal(400)], "0.9", id="a few wild gaps mislead nobody"),
    ],
)
def test_what_looks_like_an_invoice_entered_twice(other, gaps, score):
    found = suspicion(document(), other, gaps)

    assert (None if found is None else round(found, 1)) == (None if score is None else Decimal(score))


def test_the_same_number_is_certain():
    assert suspicion(document(number="INV/1"), document(300, number="INV/1"), MONTHLY) == 1


def invoice(key, days=0, **changed):
    subject = f"odoo:firm:account.move:{key}"
    current = {
        "id": key, "number": f"INV/{key}", "move_type": "in_invoice", "status": "posted", "payment_status": "not_paid",
        "partner_id": 12, "invoice_date": FIRST + timedelta(days=days), "due_date": None, "total": Decimal(1000),
        "residual": Decimal(1000), "currency": "EUR", "company_residual": Decimal(1000), "company_total": Decimal(1000),
        "company_currency": "EUR", "timezone": "UTC", "reversed_id": None, "responsible_id": None, "company_id": 1,
    } | changed  # fmt: skip
    head = meta(
        topic("finance.invoice.v1"), "posted", source="odoo:firm", subject=subject, version=1, occurred_at=START,
        recorded_at=START, mode="poll", tenant="firm", company_id=1,
    )  # fmt: skip
    return {"meta": head, "previous": None, "current": current, "changed": []}


@pytest.mark.parametrize(
    ("changed", "suspected"),
    [
        pytest.param({}, True, id="posted"),
        pytest.param({"status": "draft"}, False, id="a draft is not entered yet"),
        pytest.param({"status": "cancelled"}, False, id="cancelled"),
        pytest.param({"payment_status": "reversed"}, False, id="taken back"),
        pytest.param({"reversed_id": 1}, False, id="a credit note"),
        pytest.param({"partner_id": 13}, False, id="of somebody else"),
        pytest.param({"partner_id": None}, False, id="of nobody"),
        pytest.param({"move_type": "out_invoice"}, False, id="to a client"),
        pytest.param({"invoice_date": None}, False, id="without a date"),
        pytest.param({"total": Decimal(0)}, False, id="about nothing"),
    ],
)
def test_which_documents_are_compared(changed, suspected):
    seen = Invoices()
    assert seen.take(invoice(1)) == []

    assert bool(seen.take(invoice(2, days=2, **changed))) is suspected


def test_a_suspicion_names_the_other_and_is_one_whoever_comes_first():
    first, second = Invoices(), Invoices()
    first.take(invoice(1))
    second.take(invoice(2, days=2))
    [one], [other] = first.take(invoice(2, days=2)), second.take(invoice(1))

    assert one.identity == other.identity
    assert one.evidence["other"] == "odoo:firm:account.move:1"
    assert "odoo:firm:account.move:1" in one.text


def test_an_invoice_is_not_like_itself_and_what_was_cancelled_is_like_no_other():
    seen = Invoices()
    seen.take(invoice(1))
    assert seen.take(invoice(1)) == []
    seen.take(invoice(1, status="cancelled"))
    assert seen.take(invoice(2, days=1)) == []


def test_another_database_is_another_firm():
    seen = Invoices()
    seen.take(invoice(1))
    elsewhere = invoice(2, days=1)
    elsewhere["meta"]["tenant"] = "other"
    assert seen.take(elsewhere) == []


def test_memory_is_bounded_by_the_newest():
    seen = Invoices()
    for number in range(600):
        seen.take(invoice(number, days=number * 40, total=Decimal(number + 1)))
    [documents] = seen._of.values()

    assert len(documents) == 500
    assert "odoo:firm:account.move:599" in documents


@pytest.mark.parametrize(
    ("severity", "amounts", "amount", "word"),
    [
        pytest.param("critical", [], "10", "high", id="critical is high"),
        pytest.param("warning", [], "10", "normal", id="a warning is normal"),
        pytest.param("info", [], "10", "low", id="a word is low"),
        pytest.param("warning", ["10", "11", "9", "10", "12"], "5000", "high", id="much more money than usual"),
        pytest.param(
            "warning", ["10", "11", "9", "10"], "5000", "normal", id="four are not enough to say what is usual"
        ),
        pytest.param("warning", ["10", "11", "9", "10", "90000"], "11", "normal", id="one wild amount misleads nobody"),
        pytest.param("critical", ["5000"] * 6, "1", "normal", id="much less money than usual"),
        pytest.param("warning", ["10"] * 6, "10", "normal", id="always the same"),
    ],
)
def test_how_urgent_an_alert_is_among_its_like(severity, amounts, amount, word):
    alerts = Alerts()
    for number, money in enumerate(amounts):
        alerts.take(raised(f"{PROJECT}{number}", values={"amount": money}))
    priority, _ = alerts.take(raised(severity=severity, values={"amount": amount}))

    assert priority.text.startswith(f"Priority {word}")


def test_only_what_is_raised_is_thought_about():
    assert Alerts().take(cleared(raised())) == []


def test_a_summary_says_what_was_crossed_and_who_owns_the_remedy():
    _, summary = Alerts().take(raised())

    assert summary.text == "budget_burn.hours crossed 90 at 0.91, the line is 0.9; delivery-operations owns the remedy."


def test_a_proposal_has_nothing_that_acts():
    priority, _ = Alerts().take(raised())
    event = proposal_event(priority, "rules/1", START)

    assert set(event["current"]) == {
        "proposal_id", "kind", "subject_key", "alert_id", "text", "score", "evidence", "made_by",
    }  # fmt: skip
    assert event["meta"]["causation_id"] == raised()["meta"]["event_id"]


def test_no_program_that_acts_reads_proposals():
    readers = set(TOPICS["governance.proposal.v1"].subscribers)

    assert not readers & {"capture", "webhooks", "streams", "actions", "governor", "clock"}


amounts = st.lists(st.decimals(-(10**6), 10**6, places=2), min_size=1, max_size=30)


@given(amounts, st.decimals(-1000, 1000, places=2))
def test_law_what_is_usual_moves_with_the_values(values, by):
    middle, deviation = spread(values)
    moved, same = spread([value + by for value in values])

    assert (moved, same) == (middle + by, deviation)


@given(amounts, st.randoms(use_true_random=False))
def test_law_fewer_than_half_of_wild_values_keep_the_median_among_the_others(values, random):
    wild = [Decimal(10**12)] * ((len(values) - 1) // 2)
    mixed = [*values, *wild]
    random.shuffle(mixed)

    assert min(values) <= spread(mixed)[0] <= max(values)
    assert unusual(spread(mixed)[0], mixed, least=Decimal(1)) == 0
