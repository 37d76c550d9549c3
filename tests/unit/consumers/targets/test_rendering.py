"""What targets say about an alert: the same alert always gives the same text, and nobody writes markup into it."""

import json
from datetime import date

import pytest

from consumers.core.targets.odoo_activity import OdooActivity, activity
from consumers.core.targets.odoo_record import record_of
from consumers.core.targets.webhook import cloud_event
from tests.support.alerts import alert

PROJECT = "odoo:firm:project.project:7"


def test_an_activity_says_what_to_do_by_when_and_lets_nobody_write_markup():
    target = OdooActivity(summary="$rule at $level ($value of $threshold)", deadline_days=3)
    made = activity(target, alert(PROJECT, values={"reason": "<script>"}))

    assert made.summary == "budget_burn.hours at 90 (0.91 of 0.9)"
    assert made.deadline == date(2026, 4, 2)
    assert "&lt;script&gt;" in made.note
    assert "<script>" not in made.note


@pytest.mark.parametrize(
    ("subject", "record"),
    [
        pytest.param("odoo:firm:account.move:12", ("account.move", 12), id="a record of Odoo"),
        pytest.param("helpdesk:ticket:12", None, id="of another source"),
        pytest.param("odoo:firm:account.move:", None, id="without a number"),
        pytest.param("odoo:firm:account.move:-1", None, id="no number of a record"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_records_of_odoo_are_known_by_their_key(subject, record):
    assert record_of(subject) == record


def test_an_alert_travels_as_a_cloud_event_without_losing_a_digit():
    event = alert(PROJECT)
    sent = json.loads(json.dumps(cloud_event(event)))

    assert sent["specversion"] == "1.0"
    assert sent["id"] == event["meta"]["event_id"]
    assert sent["type"] == "governance.alert.raised.v1"
    assert sent["subject"] == PROJECT
    assert sent["time"] == "2026-03-30T08:00:00.000000Z"
    assert sent["data"]["value"] == "0.91"
    assert sent["data"]["as_of"] == "2026-03-30"
