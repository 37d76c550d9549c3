"""From an alert to actions: the same alert always means the same ones."""

import json
from datetime import date

import pytest

from consumers.core.plan import activity, cloud_event, plan, record_of
from consumers.core.policy import Policy, Rule, Target
from tests.support.alerts import alert

PROJECT = "odoo:firm:project.project:7"


def planned(target=None, event=None, rule="budget"):
    [only] = plan(event or alert(PROJECT), Policy((Rule(rule, "owners", (target or Target("odoo_activity"),)),)))
    return only


def test_a_redelivered_alert_means_the_same_action():
    assert planned().action_id == planned().action_id


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(planned(event=alert(PROJECT, status="cleared")), id="another status of the alert"),
        pytest.param(planned(event=alert(PROJECT, episode=2)), id="another episode"),
        pytest.param(planned(event=alert(PROJECT + "0")), id="another subject"),
        pytest.param(planned(rule="other"), id="another rule of the policy"),
        pytest.param(planned(Target("odoo_activity", name="boss")), id="another target"),
    ],
)
def test_what_differs_is_another_action(other):
    assert planned().action_id != other.action_id


def test_opening_and_closing_meet_at_the_same_activity():
    assert planned().thread == planned(event=alert(PROJECT, status="cleared")).thread
    assert planned().thread != planned(event=alert(PROJECT, episode=2)).thread


def test_an_activity_says_what_to_do_by_when_and_lets_nobody_write_markup():
    target = Target("odoo_activity", summary="$rule at $level ($value of $threshold)", deadline_days=3)
    made = activity(planned(target, alert(PROJECT, values={"reason": "<script>"})))

    assert made is not None
    assert (made.model, made.record_id) == ("project.project", 7)
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
