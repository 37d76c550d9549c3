"""Disputes beyond the worked example: episodes, sources, service levels, and a client's exposure."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from schemas import codec
from schemas.errors import PoisonMessage
from streams.core import Measures
from streams.core.policy import ClientExposurePolicy, DisputeAgingPolicy, Tier
from tests.unit.streams.core.world import Source, World, day, instant, key

OPENED = day("2026-03-02")  # a Monday


def at(text: str) -> int:
    return instant(f"{text}T12:00:00")


def disputed(policy: Measures | None = None, **fields: Any) -> tuple[Source, World]:
    source, world = Source(), World(policy)
    world.feed(
        source.invoice(1, at=at("2026-01-01"), **fields),
        source.tick(at("2026-03-02")),
        source.dispute(1, {"opened_on": OPENED}, at=at("2026-03-02")),
    )
    return source, world


@pytest.mark.parametrize(
    ("reopened", "episode", "age", "level"),
    [
        pytest.param("2026-04-11", 1, 40, "31-60", id="on the last day of the window the episode goes on"),
        pytest.param("2026-04-12", 2, 0, "0-30", id="a day later a new one begins"),
    ],
)
def test_reopening(reopened: str, episode: int, age: int, level: str) -> None:
    source, world = disputed()
    closed = {"opened_on": OPENED, "status": "resolved", "closed_on": day("2026-03-12")}
    world.feed(
        source.dispute(1, closed, at=at("2026-03-12")),
        source.tick(at(reopened)),
        source.dispute(1, {"opened_on": OPENED}, at=at(reopened)),
    )
    measured = world.aging()
    assert (measured["episode"], measured["days_open"], measured["bucket_open"]) == (episode, age, level)
    assert world.said("dispute_aging.reopened") == [("dispute_aging.reopened", "reopened", "raised", episode)]


def test_an_older_version_that_comes_late_restates_under_a_higher_revision() -> None:
    source, world = disputed()
    awaited = source.dispute(1, {"opened_on": OPENED, "status": "awaiting_customer"}, at=at("2026-03-05"))
    again = source.dispute(1, {"opened_on": OPENED, "status": "open"}, at=at("2026-03-10"))
    world.feed(again, source.tick(at("2026-03-12")))
    before, told = world.aging(), world.encoded["dispute-aging", key("account.move", 1)]
    world.feed(awaited)
    restated, anew = world.aging(), world.encoded["dispute-aging", key("account.move", 1)]
    assert (before["sla_days"], restated["sla_days"]) == (10, 5)
    assert restated["revision"] == before["revision"] + 1
    assert codec.decode(anew).value["meta"]["event_id"] != codec.decode(told).value["meta"]["event_id"]
    undisturbed, world = Source(), World()
    world.feed(
        undisturbed.invoice(1, at=at("2026-01-01")),
        undisturbed.dispute(1, {"opened_on": OPENED}, at=at("2026-03-02")),
        awaited,
        again,
        source.tick(at("2026-03-12")),
    )
    world.aging()
    assert world.encoded["dispute-aging", key("account.move", 1)] == anew


def test_a_dispute_that_was_deleted_and_comes_back_begins_anew() -> None:
    source, world = disputed()
    world.feed(source.dispute(1, None, at=at("2026-03-20")), source.tick(at("2026-03-25")))
    assert world.aging()["reasons"] == ["dispute_deleted", "no_due_date"]
    world.feed(source.dispute(1, {"opened_on": day("2026-03-26")}, at=at("2026-03-26")), source.tick(at("2026-03-30")))
    measured = world.aging()
    assert (measured["episode"], measured["days_open"], measured["status"]) == (1, 4, "open")


def test_an_episode_beyond_the_window_is_alerted_again() -> None:
    source, world = disputed()
    world.feed(source.tick(at("2026-04-02")))
    closed = {"opened_on": OPENED, "status": "withdrawn", "closed_on": day("2026-04-03")}
    world.feed(source.dispute(1, closed, at=at("2026-04-03")), source.tick(at("2026-06-01")))
    world.feed(source.dispute(1, {"opened_on": day("2026-06-01")}, at=at("2026-06-01")), source.tick(at("2026-07-02")))
    said = world.said("dispute_aging.bucket")
    assert [(status, episode) for _, _, status, episode in said] == [("raised", 1), ("cleared", 1), ("raised", 2)]
    ids = [a["current"]["alert_id"] for a in world.alerts if a["current"]["level"] == "31-60"]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("age", "level", "owner", "severity"),
    [
        (31, "31-60", "account-manager", "notice"),
        (61, "61-90", "finance-manager", "warning"),
        (91, "91-120", "finance-director", "critical"),
        (121, "121+", "finance-director", "critical"),
    ],
)
def test_each_bucket_has_its_owner(age: int, level: str, owner: str, severity: str) -> None:
    source, world = disputed()
    for offset in range(1, age + 1):
        world.feed(source.tick(at("2026-03-02") + offset * 86_400_000_000))
    alert = [a["current"] for a in world.alerts if a["current"]["rule"] == "dispute_aging.bucket"][-1]
    assert (alert["level"], alert["owner"], alert["severity"]) == (level, owner, severity)
    assert alert["value"] == alert["threshold"] == age


@pytest.mark.parametrize(
    ("answered", "missed"),
    [
        pytest.param("2026-03-04", False, id="answered on the second business day"),
        pytest.param("2026-03-05", True, id="answered on the third"),
        pytest.param(None, True, id="never answered"),
    ],
)
def test_first_response(answered: str | None, missed: bool) -> None:
    source, world = disputed()
    if answered:
        world.feed(source.tick(at(answered)))
        world.feed(source.dispute(1, {"opened_on": OPENED, "status": "awaiting_customer"}, at=at(answered)))
    world.feed(source.tick(at("2026-03-20")))
    assert (("dispute_aging.sla", "first_response", "raised", 1) in world.said()) is missed


def test_the_service_clock_stands_still_while_the_customer_is_awaited() -> None:
    source, world = disputed()
    world.feed(source.dispute(1, {"opened_on": OPENED, "status": "awaiting_customer"}, at=at("2026-03-03")))
    world.feed(source.tick(at("2026-04-30")))
    assert world.aging()["sla_days"] == 1
    world.feed(source.dispute(1, {"opened_on": OPENED, "status": "escalated"}, at=at("2026-04-30")))
    world.feed(source.tick(at("2026-05-29")))
    assert world.aging()["sla_days"] == 30
    assert ("dispute_aging.sla", "resolution", "raised", 1) not in world.said()
    world.feed(source.tick(at("2026-05-30")))
    assert ("dispute_aging.sla", "resolution", "raised", 1) in world.said()


@pytest.mark.parametrize(
    "closing",
    [
        pytest.param({"residual": 0, "payment_status": "paid"}, id="paid"),
        pytest.param({"payment_status": "reversed"}, id="credited"),
        pytest.param({"status": "cancelled"}, id="cancelled"),
    ],
)
def test_a_settled_invoice_closes_its_dispute_on_that_day(closing: dict[str, Any]) -> None:
    source, world = disputed()
    world.feed(source.invoice(1, at=at("2026-03-10"), **closing), source.tick(at("2026-03-15")))
    world.feed(source.invoice(1, at=at("2026-03-15"), responsible_id=5, **closing))
    measured = world.aging()
    assert (measured["status"], str(measured["closed_on"]), measured["days_open"]) == ("resolved", "2026-03-10", 8)
    assert (measured["amount"], world.drain().exposure()["disputed_invoices"]) == (0, 0)
    world.feed(source.invoice(1, at=at("2026-03-16")))
    assert world.aging()["status"] == "open"
    assert world.aging()["episode"] == 1


def test_while_any_source_holds_it_open_it_is_open_and_the_most_telling_speaks() -> None:
    source, world = disputed()
    awaiting = {"opened_on": OPENED, "status": "awaiting_customer", "amount": 2500}
    world.feed(source.dispute(1, awaiting, at=at("2026-03-05"), source="helpdesk"))
    assert (world.aging()["status"], world.aging()["amount"]) == ("awaiting_customer", 2500)
    resolved = {**awaiting, "status": "resolved", "closed_on": day("2026-03-08")}
    world.feed(source.dispute(1, resolved, at=at("2026-03-08"), source="helpdesk"))
    assert (world.aging()["status"], world.aging()["amount"]) == ("open", 10_000)
    world.feed(source.dispute(1, {"opened_on": OPENED, "status": "withdrawn"}, at=at("2026-03-09")))
    assert world.aging()["status"] == "withdrawn"


def test_a_deleted_dispute_counts_as_never_opened() -> None:
    source, world = disputed()
    world.feed(source.tick(at("2026-04-20")), source.dispute(1, None))
    measured = world.aging()
    assert (measured["status"], measured["days_open"], measured["amount"]) == ("withdrawn", 0, 0)
    assert "dispute_deleted" in measured["reasons"]
    raised = {said[:2] for said in world.said() if said[2] == "raised"}
    assert raised == {said[:2] for said in world.said() if said[2] == "cleared"} != set()


def test_an_open_dispute_found_late_is_as_old_as_it_says() -> None:
    source, world = Source(), World()
    world.feed(source.invoice(1, at=at("2026-01-01")), source.tick(at("2026-06-10")))
    world.feed(source.dispute(1, {"opened_on": OPENED, "status": "escalated"}, at=at("2026-06-10")))
    measured = world.aging()
    assert (measured["days_open"], measured["sla_days"]) == (100, 100)
    (bucket,) = [a["current"] for a in world.alerts if a["current"]["rule"] == "dispute_aging.bucket"]
    assert (bucket["level"], bucket["passed"]) == ("91-120", ["31-60", "61-90"])


def test_only_invoices_ever_disputed_are_measured_but_all_posted_ones_are_exposure() -> None:
    source, world = disputed()
    world.feed(source.invoice(2, residual=5000), source.invoice(3, status="draft")).drain()
    assert [subject for name, subject in world.encoded if name == "dispute-aging"] == [key("account.move", 1)]
    exposure = world.exposure()
    assert (exposure["disputed_invoices"], exposure["disputed_amount"], exposure["receivable_amount"]) == (
        1,
        10_000,
        15_000,
    )
    assert exposure["share"] == Decimal("0.666666667")


@pytest.mark.parametrize(
    ("residuals", "amount"),
    [
        pytest.param([3000, 1000], 1000, id="what was paid since is contested no more"),
        pytest.param([3000, 8000], 3000, id="what fell due again since was never contested"),
        pytest.param([3000, 0, 8000], 3000, id="nor after it had been paid"),
        pytest.param([0, 8000], 8000, id="where nothing was due then, all that is"),
    ],
)
def test_a_dispute_that_names_no_amount_is_about_what_was_due_when_it_opened(residuals: list[int], amount: int) -> None:
    source, world = Source(), World()
    world.feed(source.invoice(1, at=at("2026-01-01")), source.tick(at("2026-03-20")))
    world.feed(source.invoice(1, at=at("2026-03-01"), residual=residuals[0]))
    world.feed(source.dispute(1, {"opened_on": OPENED}, at=at("2026-03-02")))
    for place, residual in enumerate(residuals[1:]):
        world.feed(source.invoice(1, at=at(f"2026-03-{10 + place}"), residual=residual))
    assert (world.aging()["amount"], world.exposure()["disputed_amount"]) == (amount, amount)


def test_a_draft_was_never_due() -> None:
    source, world = Source(), World()
    world.feed(source.invoice(1, at=at("2026-03-03"), status="draft", residual=100), source.tick(at("2026-03-20")))
    world.feed(source.invoice(1, at=at("2026-03-05"), residual=500))
    world.feed(source.dispute(1, {"opened_on": OPENED}, at=at("2026-03-06")))
    assert world.aging()["amount"] == 500


def test_amounts_in_the_companys_currency_are_the_same_part_of_its_residual() -> None:
    source, world = disputed(residual=3000, company_residual=1000, currency="USD")
    world.feed(source.dispute(1, {"opened_on": OPENED, "amount": 1000}))
    measured = world.aging()
    assert (measured["amount"], measured["currency"], measured["company_amount"]) == (1000, "USD", Decimal("333.3333"))
    assert world.exposure()["disputed_amount"] == Decimal("333.3333")
    assert world.exposure()["currency"] == "EUR"


def test_an_invoice_that_changes_its_client_leaves_nothing_with_the_former() -> None:
    source, world = disputed()
    world.feed(source.invoice(1, partner_id=8))
    assert (world.exposure(3)["receivable_amount"], world.exposure(3)["disputed_invoices"]) == (0, 0)
    assert world.exposure(3)["reasons"] == ["no_receivables"]
    assert (world.exposure(8)["receivable_amount"], world.exposure(8)["disputed_amount"]) == (10_000, 10_000)


def test_a_share_of_unlike_money_is_null() -> None:
    source, world = disputed()
    world.feed(source.invoice(2, company_currency="CHF"))
    assert (world.exposure()["share"], world.exposure()["reasons"]) == (None, ["mixed_currencies"])


def test_the_limit_of_a_client_is_crossed_once() -> None:
    source, world = disputed(Measures(client_exposure=ClientExposurePolicy(limit=Decimal(9000))))
    assert world.said("client_exposure") == [("client_exposure.limit", "limit", "raised", 1)]
    world.feed(source.dispute(1, {"opened_on": OPENED, "amount": 8900}))
    assert len(world.said("client_exposure")) == 1
    world.feed(source.dispute(1, {"opened_on": OPENED, "amount": 8820}))
    assert world.said("client_exposure")[1:] == [("client_exposure.limit", "limit", "cleared", 1)]


def test_without_a_due_date_nothing_is_past_due() -> None:
    _, world = disputed()
    measured = world.aging()
    assert (measured["days_past_due"], measured["bucket_past_due"], measured["reasons"]) == (
        None,
        None,
        ["no_due_date"],
    )
    _, early = disputed(due_date=OPENED + 5)
    assert (early.aging()["days_past_due"], early.aging()["bucket_past_due"]) == (-5, None)


def test_a_public_holiday_is_no_business_day() -> None:
    source, world = disputed()
    plain = world.feed(source.tick(at("2026-03-20"))).aging()["business_days_open"]
    day_ = day("2026-03-18")
    holiday = {"kind": "public_holiday", "employee_id": None, "first_day": day_, "last_day": day_}
    world.feed(source.absence(1, holiday))
    assert world.aging()["business_days_open"] == plain - 1
    world.feed(source.absence(2, {**holiday, "company_id": 2, "first_day": day_ - 1, "last_day": day_ - 1}))
    assert world.aging()["business_days_open"] == plain - 1  # another company's
    world.feed(source.absence(3, {**holiday, "calendar_id": 5, "first_day": day_ - 1, "last_day": day_ - 1}))
    assert world.aging()["business_days_open"] == plain - 1  # one calendar's says nothing of the others


def test_a_client_is_served_as_its_tier_was_promised() -> None:
    gold = Tier("gold", first_response_business_days=1, resolution_days=5, clients=(3,))
    rules = Measures(dispute_aging=DisputeAgingPolicy(tiers=(gold,)))
    source, world = Source(), World(rules)
    world.feed(
        source.invoice(1, at=at("2026-01-01")),
        source.invoice(2, at=at("2026-01-01"), partner_id=4),
        source.tick(at("2026-03-02")),
        *(source.dispute(number, {"opened_on": day("2026-03-02")}, at=at("2026-03-02")) for number in (1, 2)),
        source.tick(at("2026-03-09")),
    )
    missed = [(a["meta"]["subject"][-1], a["current"]["level"], a["current"]["threshold"]) for a in world.alerts]
    assert missed == [("1", "first_response", 1), ("1", "resolution", 5), ("2", "first_response", 2)]
    assert (world.aging(1)["promised_resolution_days"], world.aging(2)["promised_resolution_days"]) == (5, 30)


def test_a_client_may_have_a_limit_of_its_own() -> None:
    rules = Measures(client_exposure=ClientExposurePolicy(limit=9_000, limits={3: 1_000}))
    source, world = Source(), World(rules)
    world.feed(source.invoice(1, at=at("2026-01-01"), residual=5_000), source.tick(at("2026-03-02")))
    world.feed(source.dispute(1, {"opened_on": day("2026-03-02"), "amount": 1_001}, at=at("2026-03-02")))
    assert world.said("client_exposure") == [("client_exposure.limit", "limit", "raised", 1)]
    assert world.alerts[-1]["current"]["threshold"] == 1_000


GOLD = Tier("Gold", first_response_business_days=1, resolution_days=5)
TIERED = Measures(
    dispute_aging=DisputeAgingPolicy(tiers=(GOLD, Tier("named", 9, 9, clients=(4,)))),
    client_exposure=ClientExposurePolicy(limit=Decimal(12_000), tier_limits={"gold": Decimal(8000)}),
)


def sla(world: World) -> list[tuple[str, str, Any]]:
    told = [alert["current"] for alert in world.alerts if alert["current"]["rule"] == "dispute_aging.sla"]
    return [(one["level"], one["status"], one["threshold"]) for one in told]


@pytest.mark.parametrize("first", [pytest.param(True, id="said before"), pytest.param(False, id="said afterwards")])
def test_a_client_is_served_as_the_tier_that_its_own_record_names(first: bool) -> None:
    source, world = Source(), World(TIERED)
    tier, ticks = source.client(3, tier="gold"), (source.tick(at("2026-03-02")), source.tick(at("2026-03-09")))
    invoice = source.invoice(1, at=at("2026-01-01"))
    dispute = source.dispute(1, {"opened_on": OPENED}, at=at("2026-03-02"))
    world.feed(*((tier, invoice, dispute, *ticks) if first else (invoice, dispute, *ticks, tier)))
    measured = world.aging()
    assert (measured["promised_response_business_days"], measured["promised_resolution_days"]) == (1, 5)
    assert (measured["client_tier"], world.exposure()["client_tier"]) == ("gold", "gold")
    assert sla(world)[-1] == ("resolution", "raised", 5)
    limit = [alert["current"] for alert in world.alerts if alert["current"]["rule"] == "client_exposure.limit"]
    assert [(one["threshold"], one["values"]["client_tier"]) for one in limit] == [(8000, "gold")]


def test_a_client_that_changes_its_tier_is_promised_something_else_and_alerts_say_so() -> None:
    source, world = Source(), World(TIERED)
    world.feed(source.client(3, tier="gold"), source.invoice(1, at=at("2026-01-01")), source.tick(at("2026-03-02")))
    world.feed(source.dispute(1, {"opened_on": OPENED}, at=at("2026-03-02")), source.tick(at("2026-03-09")))
    world.feed(source.client(3, tier="silver"))  # nobody promised silver clients anything of their own
    assert sla(world) == [
        ("first_response", "raised", 1),
        ("resolution", "raised", 5),
        ("resolution", "cleared", 30),
        ("first_response", "changed", 2),
    ]
    assert world.said("client_exposure") == [
        ("client_exposure.limit", "limit", "raised", 1),
        ("client_exposure.limit", "limit", "cleared", 1),
    ]
    world.feed(source.client(3))
    assert (world.aging()["client_tier"], world.exposure()["client_tier"]) == (None, None)


def test_an_invoice_that_moves_is_served_as_its_client_and_a_list_goes_before_a_name() -> None:
    source, world = Source(), World(TIERED)
    world.feed(source.client(3, tier="GOLD"), source.client(4, tier="gold"), source.tick(at("2026-03-02")))
    world.feed(source.invoice(1, at=at("2026-01-01")), source.dispute(1, {"opened_on": OPENED}, at=at("2026-03-02")))
    assert world.aging()["promised_resolution_days"] == 5
    world.feed(source.invoice(1, partner_id=8))
    assert (world.aging()["promised_resolution_days"], world.aging()["client_tier"]) == (30, None)
    world.feed(source.invoice(1, partner_id=4))
    assert (world.aging()["promised_resolution_days"], world.aging()["client_tier"]) == (9, "gold")


def test_a_restored_client_tells_no_invoice_twice_and_a_new_one_at_once() -> None:
    source, world = Source(), World(TIERED)
    world.feed(source.client(3, tier="gold"), source.invoice(1), source.tick(at("2026-03-02"))).drain()
    again = world.restarted(random.Random(3))  # noqa: S311  an order, no secret
    more = (source.invoice(1, residual=9000), source.invoice(2), source.dispute(2, {"opened_on": OPENED}))
    assert again.feed(*more).drain().rows == world.feed(*more).drain().rows
    assert again.encoded == world.encoded
    assert again.aging(2)["client_tier"] == "gold"


def test_a_second_record_that_names_the_tier_of_one_client_is_poison() -> None:
    source, world = Source(), World(TIERED)
    _, other = source.client(3, tier="gold")
    world.feed(source.client(3, tier="silver"))
    with pytest.raises(PoisonMessage, match="both name the tier"):
        world.feed(("sales.client.v1", {**other, "meta": {**other["meta"], "subject": "odoo:db:res.partner:33"}}))
