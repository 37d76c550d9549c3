"""What `show` shows: the fields, their order, hours for minutes, fractions as numbers, null where undefined."""

import json
from datetime import date
from decimal import Decimal

import pytest

from burnline.docs.samples import sample
from consumers.core.rendering import rendered
from consumers.core.views import budget_burn_view, dispute_view, doubt_view, proposal_views, utilization_view
from producers.core.cursor import fresh
from schemas import codec
from schemas.privacy import MASK
from schemas.topics import topic

UTILIZATION = {
    "consultant_id": 4,
    "as_of": date(2026, 3, 29),
    "window_days": 28,
    "available_minutes": 136 * 60,
    "worked_minutes": 116 * 60,
    "billable_minutes": 96 * 60,
    "billable_utilization": Decimal("0.705882353"),
    "total_utilization": Decimal("0.852941176"),
    "band": "on_target",
    "revision": 3,
    "reasons": [],
}
BURN = {
    "project_id": 7,
    "as_of": date(2026, 3, 30),
    "budget_minutes": 12000,
    "actual_minutes": 9000,
    "burn_hours": Decimal("0.750000000"),
    "actual_cost": Decimal("15000.0000"),
    "committed_cost": Decimal("15000.0000"),
    "currency": "EUR",
    "rate_minutes_per_week": Decimal("2250.000000000"),
    "exhausted_on": date(2026, 4, 8),
    "progress": Decimal("0.600000000"),
    "eac": Decimal("25000.0000"),
    "levels": ["hours:75"],
    "revision": 5,
    "reasons": [],
}
AGING = {
    "invoice_id": 9,
    "client_id": 3,
    "as_of": date(2026, 3, 13),
    "status": "open",
    "opened_on": date(2026, 2, 10),
    "days_open": 31,
    "days_past_due": 41,
    "bucket_open": "31-60",
    "bucket_past_due": "31-60",
    "amount": Decimal("4000.0000"),
    "currency": "EUR",
    "episode": 1,
    "revision": 2,
    "reasons": [],
}


def test_utilization_of_the_worked_example():
    assert json.dumps(utilization_view("odoo:f:hr.employee:4", UTILIZATION, {4: "Ada"})) == json.dumps(
        {
            "subject": "odoo:f:hr.employee:4",
            "name": "Ada",
            "as_of": "2026-03-29",
            "window_days": 28,
            "available_hours": 136.0,
            "worked_hours": 116.0,
            "billable_hours": 96.0,
            "billable_utilization": 0.705882353,
            "total_utilization": 0.852941176,
            "band": "on_target",
            "revision": 3,
            "reasons": [],
        }
    )


def test_budget_burn_of_the_worked_example():
    assert json.dumps(budget_burn_view("odoo:f:project.project:7", BURN, {7: "Atlas"})) == json.dumps(
        {
            "subject": "odoo:f:project.project:7",
            "name": "Atlas",
            "as_of": "2026-03-30",
            "budget_hours": 200.0,
            "actual_hours": 150.0,
            "burn_hours": 0.75,
            "actual_cost": 15000.0,
            "committed_cost": 15000.0,
            "currency": "EUR",
            "rate_hours_per_week": 37.5,
            "exhaustion_date": "2026-04-08",
            "progress": 0.6,
            "eac": 25000.0,
            "levels": ["hours:75"],
            "revision": 5,
            "reasons": [],
        }
    )


def test_a_dispute_of_the_worked_example():
    assert json.dumps(dispute_view("odoo:f:account.move:9", AGING, {9: "INV/7"}, {3: "Acme"})) == json.dumps(
        {
            "subject": "odoo:f:account.move:9",
            "name": "INV/7",
            "client": "Acme",
            "as_of": "2026-03-13",
            "status": "open",
            "opened_on": "2026-02-10",
            "days_open": 31,
            "days_past_due": 41,
            "bucket_open": "31-60",
            "bucket_past_due": "31-60",
            "amount": 4000.0,
            "currency": "EUR",
            "episode": 1,
            "revision": 2,
            "reasons": [],
        }
    )


def test_what_is_undefined_is_null_and_so_is_the_name_of_someone_erased():
    view = utilization_view("s", UTILIZATION | {"billable_utilization": None, "band": "unknown"}, {})

    assert (view["name"], view["billable_utilization"], view["band"]) == (None, None, None)


FLAWED = {"flaws": ["absurd_time", "negative_time"], "flaw_counts": [1, 2], "examples": ["line 1: negative_time"]}


@pytest.mark.parametrize(
    ("measure", "reasons", "examples"),
    [
        pytest.param({"reasons": ["no_budget"]}, ["no_budget"], [], id="why a value is null"),
        pytest.param(
            {"reasons": [], **FLAWED}, ["absurd_time: 1", "negative_time: 2"], FLAWED["examples"], id="records"
        ),
    ],
)
def test_doubts_are_shown_with_what_raises_them(measure, reasons, examples):
    view = doubt_view("budget-burn", "odoo:f:project.project:7", {"as_of": date(2026, 3, 30), **measure})

    assert (view["measure"], view["as_of"]) == ("budget-burn", "2026-03-30")
    assert (view["reasons"], view["examples"]) == (reasons, examples)


def test_a_measure_without_a_doubt_is_not_shown_among_them():
    assert doubt_view("budget-burn", "s", {"as_of": date(2026, 3, 30), "reasons": []}) is None


def test_a_record_that_cannot_be_decoded_is_shown_as_such():
    shown = rendered({"topic": "t", "partition": 0, "offset": 1}, b"k\xff", b"\x01rubbish")

    assert (shown["topic"], shown["offset"], shown["key"], shown["raw"]) == ("t", 1, "k\\xff", b"\x01rubbish".hex())
    assert "first byte is 1" in shown["error"]
    assert shown["remedy"]


def test_a_tombstone_is_shown_as_such():
    assert rendered({"offset": 1}, b"k", None) == {"offset": 1, "key": "k", "type": None, "tombstone": True}


def test_a_record_is_shown_in_plain_values():
    cursor = fresh("m")
    shown = rendered({}, None, codec.encode("burnline.internal.CaptureCursor", cursor))

    assert shown == {"key": None, "type": "burnline.internal.CaptureCursor", "value": cursor}


def test_what_is_about_people_is_masked_unless_it_is_asked_for():
    event = sample(topic("people.consultant.v1"))
    data = codec.encode("burnline.people.ConsultantEvent", event)
    name = event["current"]["name"]

    assert rendered({}, b"k", data)["value"]["current"]["name"] == MASK
    assert rendered({}, b"k", data)["value"]["current"]["calendar_id"] == event["current"]["calendar_id"]
    assert rendered({}, b"k", data, personal=True)["value"]["current"]["name"] == name
    assert rendered({"topic": "people.consultant.v1"}, b"k", b"\x01rubbish")["raw"] == MASK
    assert rendered({"topic": "people.consultant.v1"}, b"k", b"\x01", personal=True)["raw"] == "01"


def proposed(kind, alert, score, identity):
    current = dict(sample(topic("governance.proposal.v1"))["current"])
    return current | {"kind": kind, "alert_id": alert, "score": score, "proposal_id": identity}


def test_proposals_stand_by_their_alert_the_most_urgent_first():
    shown = proposal_views(
        [
            proposed("summary", "b", None, "1"),
            proposed("priority", "a", Decimal("0.4"), "2"),
            proposed("priority", "b", Decimal("0.8"), "3"),
            proposed("duplicate_invoice", None, Decimal("0.6"), "4"),
            proposed("summary", "a", None, "5"),
        ]
    )
    assert [row["proposal_id"] for row in shown] == ["3", "1", "4", "2", "5"]
    assert [row["score"] for row in shown] == [0.8, None, 0.6, 0.4, None]
    assert set(shown[0]) >= {"kind", "about", "score", "text", "made_by"}
