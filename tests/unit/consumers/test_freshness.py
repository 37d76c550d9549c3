"""How old an alert may be."""

from datetime import timedelta

import pytest

from consumers.core.freshness import why_not_sent
from tests.support.alerts import alert

ALERT = alert("odoo:firm:project.project:7")
RAISED = ALERT["meta"]["occurred_at"]


@pytest.mark.parametrize(
    ("age", "sent"),
    [
        pytest.param(timedelta(), True, id="of now"),
        pytest.param(timedelta(days=7), True, id="just young enough"),
        pytest.param(timedelta(days=7, seconds=1), False, id="too old"),
        pytest.param(timedelta(minutes=-5), True, id="of a clock that runs ahead"),
    ],
)
def test_age(age, sent):
    assert (why_not_sent(ALERT, RAISED + age, timedelta(days=7)) is None) is sent


def test_the_reason_says_how_old():
    assert why_not_sent(ALERT, RAISED + timedelta(days=8, hours=2), timedelta(days=7)) == (
        "the alert is 8 d 2 h old, and none older than 7 d 0 h is acted upon"
    )
