"""What a change is called. Approved and unapproved never look alike, drafts are never final."""

from decimal import Decimal
from typing import Any

import pytest

from producers.core.mapping import delivery, disputes, expenses, invoices, payments, people, purchases, sales
from schemas.topics import topic

LOGGED = {"approved": False, "invoice_id": None, "status": "logged", "minutes": 60}
APPROVED = {**LOGGED, "approved": True, "status": "approved"}
BILLED = {**APPROVED, "invoice_id": 9, "status": "invoiced"}
SUBMITTED = {**LOGGED, "status": "submitted"}
MORE = {"minutes": 90}


@pytest.mark.parametrize(
    ("previous", "current", "verb"),
    [
        pytest.param(None, LOGGED, "logged", id="first seen"),
        pytest.param(None, APPROVED, "approved", id="first seen approved: subscribers of approved time must hear it"),
        pytest.param(LOGGED, SUBMITTED, "submitted", id="handed in"),
        pytest.param(SUBMITTED, APPROVED, "approved", id="approved"),
        pytest.param(LOGGED, {**BILLED, **MORE}, "approved", id="approval comes before billing and correction"),
        pytest.param(APPROVED, BILLED, "invoiced", id="billed after approval"),
        pytest.param(BILLED, {**BILLED, **MORE}, "corrected", id="approved time that is corrected stays approved"),
        pytest.param(BILLED, {**LOGGED, **MORE}, "reopened", id="approval taken back comes before correction"),
        pytest.param(LOGGED, {**LOGGED, **MORE}, "corrected", id="corrected"),
        pytest.param(SUBMITTED, LOGGED, "corrected", id="taken back before a decision"),
        pytest.param(APPROVED, None, "deleted", id="deleted"),
    ],
)
def test_timesheet(previous: Any, current: Any, verb: str) -> None:
    assert delivery.timesheet_verb(previous, current) == verb
    assert verb in topic("delivery.timesheet.v1").verbs


def project(active: bool = True, status: str | None = None) -> Any:
    return {"active": active, "status": status}


@pytest.mark.parametrize(
    ("previous", "current", "verb"),
    [
        pytest.param(None, project(), "created", id="new"),
        pytest.param(None, project(active=False), "closed", id="first seen archived"),
        pytest.param(project(), project(active=False), "closed", id="archived"),
        pytest.param(project(), project(status="done"), "closed", id="its status is done"),
        pytest.param(project(active=False, status="done"), project(status="done"), "changed", id="still closed"),
        pytest.param(project(active=False), project(), "activated", id="brought back"),
        pytest.param(project(), project(status="at_risk"), "changed", id="the rest"),
        pytest.param(project(), None, "deleted", id="deleted"),
    ],
)
def test_project(previous: Any, current: Any, verb: str) -> None:
    assert delivery.project_verb(previous, current) == verb
    assert verb in topic("delivery.project.v1").verbs


@pytest.mark.parametrize(
    ("previous", "current", "verb"),
    [
        pytest.param(None, {"reached": False}, "planned", id="new"),
        pytest.param(None, {"reached": True}, "reached", id="first seen reached"),
        pytest.param({"reached": False}, {"reached": True}, "reached", id="reached"),
        pytest.param({"reached": True}, {"reached": False}, "reopened", id="taken back"),
        pytest.param({"reached": True}, {"reached": True}, "changed", id="the rest"),
        pytest.param({"reached": True}, None, "deleted", id="deleted"),
    ],
)
def test_milestone(previous: Any, current: Any, verb: str) -> None:
    assert delivery.milestone_verb(previous, current) == verb
    assert verb in topic("delivery.milestone.v1").verbs


@pytest.mark.parametrize(
    ("previous", "current", "registered", "onboarded"),
    [
        pytest.param(None, {"active": True}, "registered", "onboarded", id="new"),
        pytest.param(None, {"active": False}, "archived", "archived", id="first seen archived"),
        pytest.param({"active": True}, {"active": False}, "archived", "archived", id="archived"),
        pytest.param({"active": False}, {"active": True}, "changed", "changed", id="brought back"),
        pytest.param({"active": True}, None, "deleted", "deleted", id="deleted"),
    ],
)
def test_people_and_clients(previous: Any, current: Any, registered: str, onboarded: str) -> None:
    assert people.consultant_verb(previous, current) == registered
    assert sales.client_verb(previous, current) == onboarded
    assert registered in topic("people.consultant.v1").verbs
    assert onboarded in topic("sales.client.v1").verbs


def move(status: str = "posted", payment: str = "not_paid", residual: int = 100, overdue: bool = False) -> Any:
    return {"status": status, "payment_status": payment, "residual": Decimal(residual), "overdue": overdue}


@pytest.mark.parametrize(
    ("previous", "current", "verb"),
    [
        pytest.param(None, move("draft"), "drafted", id="a draft is never final"),
        pytest.param(None, move(), "posted", id="first seen posted"),
        pytest.param(None, move(payment="paid", residual=0), "paid", id="first seen paid"),
        pytest.param(move("draft"), move(), "posted", id="posted"),
        pytest.param(move("draft"), move(payment="paid", residual=0), "posted", id="posting comes before payment"),
        pytest.param(move("draft"), move("draft", residual=50), "changed", id="a draft edited"),
        pytest.param(move(), move("draft"), "drafted", id="taken back to draft"),
        pytest.param(move(), move("cancelled"), "cancelled", id="cancelled"),
        pytest.param(move(), move(payment="partial", residual=60), "partially-paid", id="a part"),
        pytest.param(
            move(payment="partial", residual=60),
            move(payment="partial", residual=20),
            "partially-paid",
            id="another part",
        ),
        pytest.param(move(payment="partial"), move(payment="partial"), "changed", id="no more money, something else"),
        pytest.param(move(payment="partial", residual=60), move(payment="paid", residual=0), "paid", id="the rest"),
        pytest.param(
            move(payment="in_payment", residual=0),
            move(payment="paid", residual=0),
            "changed",
            id="reconciled with the bank: it was paid before",
        ),
        pytest.param(move(), move(payment="blocked"), "blocked", id="blocked"),
        pytest.param(move(payment="blocked"), move(), "changed", id="unblocked"),
        pytest.param(move(), move(payment="reversed", residual=0), "reversed", id="credited"),
        pytest.param(move(), move(overdue=True), "overdue", id="its due day passed"),
        pytest.param(move(overdue=True), move(overdue=True), "changed", id="it was overdue before"),
        pytest.param(
            move(),
            move(payment="partial", residual=60, overdue=True),
            "partially-paid",
            id="money comes before lateness",
        ),
        pytest.param(None, move(overdue=True), "posted", id="first seen overdue: it was posted"),
        pytest.param(move("draft"), None, "deleted", id="deleted"),
    ],
)
def test_invoice(previous: Any, current: Any, verb: str) -> None:
    assert invoices.invoice_verb(previous, current) == verb
    assert verb in topic("finance.invoice.v1").verbs


def status(value: str, **more: Any) -> Any:
    return {"status": value, **more}


@pytest.mark.parametrize(
    ("previous", "current", "verb"),
    [
        pytest.param(None, status("open"), "opened", id="opened"),
        pytest.param(None, status("resolved"), "resolved", id="first seen over"),
        pytest.param(status("open"), status("escalated"), "escalated", id="escalated"),
        pytest.param(status("open"), status("awaiting_customer"), "updated", id="waiting for the client"),
        pytest.param(status("open"), status("open"), "updated", id="amount or reason"),
        pytest.param(status("escalated"), status("resolved"), "resolved", id="resolved"),
        pytest.param(status("open"), status("withdrawn"), "withdrawn", id="withdrawn"),
        pytest.param(status("resolved"), status("open"), "reopened", id="again"),
        pytest.param(status("withdrawn"), status("escalated"), "reopened", id="again, and worse"),
        pytest.param(status("open"), None, "deleted", id="deleted with its invoice"),
    ],
)
def test_dispute(previous: Any, current: Any, verb: str) -> None:
    assert disputes.dispute_verb(previous, current) == verb
    assert verb in topic("finance.dispute.v1").verbs


@pytest.mark.parametrize(
    ("previous", "current", "verb"),
    [
        pytest.param(None, status("requested", invoiced=False), "requested", id="new"),
        pytest.param(None, status("to_approve", invoiced=False), "requested", id="first seen waiting"),
        pytest.param(
            status("requested", invoiced=False), status("confirmed", invoiced=False), "confirmed", id="confirmed"
        ),
        pytest.param(
            status("to_approve", invoiced=False),
            status("confirmed", invoiced=False),
            "approved",
            id="after an approval",
        ),
        pytest.param(
            status("confirmed", invoiced=False), status("confirmed", invoiced=True), "invoiced", id="billed in full"
        ),
        pytest.param(
            status("confirmed", invoiced=False), status("cancelled", invoiced=False), "cancelled", id="cancelled"
        ),
        pytest.param(
            status("cancelled", invoiced=False), status("requested", invoiced=False), "requested", id="asked for again"
        ),
        pytest.param(
            status("requested", invoiced=False),
            status("to_approve", invoiced=False),
            "changed",
            id="waits for approval",
        ),
        pytest.param(status("confirmed", invoiced=False), None, "deleted", id="deleted"),
    ],
)
def test_purchase_order(previous: Any, current: Any, verb: str) -> None:
    assert purchases.purchase_order_verb(previous, current) == verb
    assert verb in topic("finance.purchase-order.v1").verbs


@pytest.mark.parametrize(
    ("of", "previous", "current", "verb"),
    [
        pytest.param(payments.payment_verb, None, status("in_process"), "registered", id="payment new"),
        pytest.param(payments.payment_verb, None, status("paid"), "settled", id="payment first seen settled"),
        pytest.param(payments.payment_verb, status("in_process"), status("paid"), "settled", id="payment settled"),
        pytest.param(
            payments.payment_verb, status("in_process"), status("rejected"), "rejected", id="payment rejected"
        ),
        pytest.param(payments.payment_verb, status("paid"), status("paid"), "changed", id="payment matched"),
        pytest.param(payments.payment_verb, status("paid"), None, "deleted", id="payment deleted"),
        pytest.param(expenses.expense_verb, None, status("submitted"), "submitted", id="expense first seen submitted"),
        pytest.param(
            expenses.expense_verb, status("approved"), status("refused"), "refused", id="expense refused late"
        ),
        pytest.param(expenses.expense_verb, status("paid"), status("paid"), "changed", id="expense edited"),
        pytest.param(
            expenses.expense_verb, status("paid"), status("unknown"), "changed", id="expense in a state newer than us"
        ),
        pytest.param(expenses.expense_verb, status("paid"), None, "deleted", id="expense deleted"),
        pytest.param(people.absence_verb, None, status("requested"), "requested", id="absence requested"),
        pytest.param(people.absence_verb, status("requested"), status("approved"), "approved", id="absence approved"),
        pytest.param(people.absence_verb, status("approved"), status("approved"), "changed", id="absence moved"),
        pytest.param(people.absence_verb, status("approved"), status("cancelled"), "cancelled", id="absence cancelled"),
        pytest.param(people.absence_verb, status("approved"), None, "deleted", id="absence deleted"),
    ],
)
def test_payments_expenses_absence(of: Any, previous: Any, current: Any, verb: str) -> None:
    assert of(previous, current) == verb
    names = {payments.payment_verb: "finance.payment.v1", expenses.expense_verb: "finance.expense.v1"}
    assert verb in topic(names.get(of, "people.absence.v1")).verbs
