"""Rules that come into force on a day: decided by the subject's own day, kept through restarts."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from streams.core import Measures
from streams.core.policy import BudgetBurnPolicy, Era, UtilizationPolicy
from tests.unit.streams.core.world import Source, World, day, instant

LATER = Measures(
    utilization=UtilizationPolicy(target=Decimal("0.90")),
    budget_burn=BudgetBurnPolicy(levels=(40, 75, 90, 100)),
)
RULES = Measures(later=(Era(date(2026, 3, 30), LATER),))


def at(text: str) -> tuple[str, Any]:
    return Source.tick(instant(f"{text}T12:00:00"))


def test_a_target_counts_from_its_day_on() -> None:
    source, world = Source(), World(RULES)
    world.feed(source.consultant(1, at=instant("2026-01-01")))
    world.feed(source.timesheet(1, {"date": day("2026-03-20"), "minutes": 120 * 60}), at("2026-03-29"))
    assert (world.utilization()["target"], world.utilization()["band"]) == (Decimal("0.75"), "on_target")
    world.feed(at("2026-03-30"))
    assert (world.utilization()["target"], world.utilization()["band"]) == (Decimal("0.90"), "under")
    assert world.utilization()["delta"] == Decimal("-0.15")


def test_each_subject_changes_rules_when_its_own_day_begins() -> None:
    source, world = Source(), World(RULES)
    world.feed(
        source.consultant(1, timezone="Pacific/Auckland"),
        source.consultant(2, timezone="America/Los_Angeles"),
        at("2026-03-29"),
    )
    assert [world.utilization(number)["target"] for number in (1, 2)] == [Decimal("0.90"), Decimal("0.75")]


def test_a_level_that_comes_is_raised_and_one_that_goes_is_cleared() -> None:
    source, world = Source(), World(RULES)
    world.feed(source.project(1, budget_minutes=1000), source.timesheet(1, {"minutes": 550}), at("2026-03-29"))
    assert world.said("budget_burn.hours") == [("budget_burn.hours", "50", "raised", 1)]
    world.feed(at("2026-03-30"))
    assert world.said("budget_burn.hours")[1:] == [
        ("budget_burn.hours", "50", "cleared", 1),
        ("budget_burn.hours", "40", "raised", 1),
    ]


def test_an_alert_in_force_is_told_anew_when_its_rule_changes_hands() -> None:
    again = replace(LATER, budget_burn=BudgetBurnPolicy(owner="project-office"))
    source, world = Source(), World(Measures(later=(Era(date(2026, 3, 30), again),)))
    world.feed(source.project(1, budget_minutes=1000), source.timesheet(1, {"minutes": 550}), at("2026-03-29"))
    world = world.drain().restarted(random.Random(7))  # noqa: S311  an order, no secret
    world.feed(at("2026-03-30"), at("2026-03-31"))
    said = [alert["current"] for alert in world.alerts if alert["current"]["rule"] == "budget_burn.hours"]
    assert [(one["status"], one["owner"], one["revision"]) for one in said] == [
        ("raised", "delivery-operations", 1),
        ("changed", "project-office", 2),
    ]
    assert world.alerts[-1]["meta"]["event_type"] == "governance.alert.changed.v1"
    assert said[0]["alert_id"] == said[1]["alert_id"]


def test_a_restart_on_the_day_goes_on_under_the_new_rules() -> None:
    source, world = Source(), World(RULES)
    world.feed(source.project(1, budget_minutes=1000), source.timesheet(1, {"minutes": 550}), at("2026-03-30")).drain()
    again = world.restarted(random.Random(7))  # noqa: S311  an order, no secret
    line = source.timesheet(2, {"minutes": 300})
    world.feed(line).drain()
    again.feed(line).drain()
    assert (again.alerts, again.encoded) == (world.alerts, world.encoded)


@pytest.mark.parametrize(
    ("later", "says"),
    [
        pytest.param((Era(date(2026, 3, 2), LATER), Era(date(2026, 3, 1), LATER)), "order", id="days go forward"),
        pytest.param((Era(date(2026, 3, 2), LATER),) * 2, "order", id="no day twice"),
        pytest.param((Era(date(2026, 3, 2), RULES),), "one list", id="no changes within changes"),
        pytest.param(
            (Era(date(2026, 3, 2), replace(LATER, utilization=UtilizationPolicy(week_closes_hour=9))),),
            "week_closes_hour",
            id="days turn at one hour",
        ),
    ],
)
def test_changes_that_nobody_could_follow_are_refused(later: tuple[Era, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Measures(later=later)
