"""From an alert to actions: the same alert always means the same ones."""

import pytest

from consumers.core.plan import plan
from consumers.core.policy import Policy, Rule
from consumers.core.targets import OdooActivity
from tests.support.alerts import alert

PROJECT = "odoo:firm:project.project:7"


def planned(target=None, event=None, rule="budget"):
    [only] = plan(event or alert(PROJECT), Policy((Rule(rule, "owners", (target or OdooActivity(),)),)))
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
        pytest.param(planned(OdooActivity(name="boss")), id="another target"),
    ],
)
def test_what_differs_is_another_action(other):
    assert planned().action_id != other.action_id


def test_each_change_of_an_alert_is_acted_upon_once_and_meets_the_same_activity():
    first, again, second = (planned(event=alert(PROJECT, status="changed", revision=n)) for n in (2, 2, 3))

    assert first.action_id == again.action_id
    assert len({planned().action_id, first.action_id, second.action_id}) == 3
    assert planned().thread == first.thread == second.thread


def test_opening_and_closing_meet_at_the_same_activity():
    assert planned().thread == planned(event=alert(PROJECT, status="cleared")).thread
    assert planned().thread != planned(event=alert(PROJECT, episode=2)).thread
