"""Every kind of bad record that a firm may have: nothing stops, and `burnline show quality` says what is wrong, until it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from consumers.core.views import doubt_view
from tests.unit.streams.core.world import Source, World, day, instant

TODAY = day("2026-03-30")
NOON = instant("2026-03-30T12:00:00")
FAR = day("2199-12-31")
Events = Iterable[tuple[str, Any]]
Tell = Callable[[Source], Events]


def doubts(world: World) -> set[tuple[str, str]]:
    """What is shown: the measure, and what it says against itself."""
    shown = (doubt_view(name, subject, world.measure(name, subject)) for name, subject in world.drain().encoded)
    return {(view["measure"], reason) for view in shown if view is not None for reason in view["reasons"]}


@pytest.mark.parametrize(
    ("bad", "mended", "measure", "reason"),
    [
        pytest.param(
            lambda s: [s.timesheet(1, {"date": TODAY, "minutes": -60}, at=NOON)],
            lambda s: [s.timesheet(1, {"date": TODAY}, at=NOON)],
            "data-quality", "negative_time: 1", id="negative hours",
        ),
        pytest.param(
            lambda s: [s.timesheet(1, {"date": TODAY, "minutes": 2**31 - 1}, at=NOON)],
            lambda s: [s.timesheet(1, None, at=NOON)],
            "data-quality", "absurd_time: 1", id="absurd hours",
        ),
        pytest.param(
            lambda s: [s.timesheet(1, {"date": TODAY, "project_id": None}, at=NOON)],
            lambda s: [s.timesheet(1, {"date": TODAY}, at=NOON)],
            "data-quality", "time_without_project: 1", id="a line without project",
        ),
        pytest.param(
            lambda s: [s.timesheet(1, {"date": TODAY, "employee_id": None}, at=NOON)],
            lambda s: [s.timesheet(1, {"date": TODAY}, at=NOON)],
            "data-quality", "time_without_employee: 1", id="a line without employee",
        ),
        pytest.param(
            lambda s: [s.invoice(2, company_total=0, currency="USD")],
            lambda s: [s.invoice(2)],
            "data-quality", "currency_without_rate: 1", id="a currency without rate",
        ),
        pytest.param(
            lambda s: [s.contract(1, amount=100, company_amount=0, currency="USD", lines=[(1, 100, {})])],
            lambda s: [s.contract(1, amount=100, lines=[(1, 100, {})])],
            "budget-burn", "no_exchange_rate", id="revenue in a currency without rate",
        ),
        pytest.param(
            lambda s: [s.timesheet(1, {"date": TODAY, "cost": 5, "currency": "USD"}, at=NOON)],
            lambda s: [s.timesheet(1, {"date": TODAY, "cost": 5}, at=NOON)],
            "budget-burn", "mixed_currencies", id="cost in another currency",
        ),
        pytest.param(
            lambda s: [s.consultant(1, weekday_minutes=[0] * 7)],
            lambda s: [s.consultant(1)],
            "utilization", "calendar_without_hours", id="a calendar without hours",
        ),
        pytest.param(
            lambda s: [s.project(1, budget_minutes=0)],
            lambda s: [s.project(1)],
            "budget-burn", "budget_of_zero", id="a budget of zero",
        ),
        pytest.param(
            lambda s: [s.timesheet(1, {"date": 0}, at=NOON)],
            lambda s: [s.timesheet(1, {"date": TODAY}, at=NOON)],
            "data-quality", "date_out_of_range: 1", id="a day in 1970",
        ),
        pytest.param(
            lambda s: [s.timesheet(1, {"date": FAR}, at=NOON)],
            lambda s: [s.timesheet(1, None, at=NOON)],
            "data-quality", "date_out_of_range: 1", id="a day in 2199",
        ),
        pytest.param(
            lambda s: [s.timesheet(1, {"date": TODAY}), s.publish("delivery.project.v1", "odoo:db:project.project:1", None)],
            lambda s: [s.timesheet(1, None)],
            "budget-burn", "deleted_with_records_left", id="a project deleted with lines left",
        ),
        pytest.param(
            lambda s: [s.consultant(1, manager_id=2), s.consultant(2, manager_id=1)],
            lambda s: [s.consultant(2, manager_id=None)],
            "utilization-rollup", "management_cycle", id="managers in a circle",
        ),
        pytest.param(
            lambda s: [s.consultant(1, manager_id=1)],
            lambda s: [s.consultant(1, manager_id=None)],
            "utilization", "own_manager", id="somebody's own manager",
        ),
        pytest.param(
            lambda s: [s.timesheet(1, {"date": TODAY}, at=instant("2026-04-05"))],
            lambda s: [Source.tick(instant("2026-04-05T12:00:00"))],
            "budget-burn", "recorded_in_the_future", id="an event of the future",
        ),
        pytest.param(
            lambda s: [s.dispute(1, {"opened_on": TODAY - 3})],
            lambda s: [s.invoice(1, due_date=TODAY)],
            "dispute-aging", "no_due_date", id="a debt that never falls due",
        ),
        pytest.param(
            lambda s: [s.project(1, timezone="Mars/Olympus")],
            lambda s: [s.project(1)],
            "budget-burn", "unknown_timezone", id="a time zone of elsewhere",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_shown_until_it_is_mended(bad: Tell, mended: Tell, measure: str, reason: str) -> None:
    source, world = Source(), World()
    world.feed(source.consultant(1), source.project(1), source.invoice(1), Source.tick(NOON))
    assert (measure, reason) not in doubts(world)
    world.feed(*bad(source), Source.tick(NOON + 60_000_000))
    assert (measure, reason) in doubts(world)
    world.feed(*mended(source), Source.tick(NOON + 120_000_000))
    assert (measure, reason) not in doubts(world)
