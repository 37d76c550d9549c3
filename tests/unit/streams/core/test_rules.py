"""Rules have names: the same ones the same name, others another, and an alert says which were in force on its subject's day."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from burnline.cli import app
from streams.core import Measures
from streams.core.monitors.policy import MonitorsPolicy
from streams.core.policy import BudgetBurnPolicy, ClientExposurePolicy, Era, UtilizationPolicy
from streams.core.rules import DIGITS, InForce, plain, sections
from tests.unit.streams.core.world import Source, World, instant


def named(rules: Any) -> str:
    return InForce.of(rules).name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(BudgetBurnPolicy(), BudgetBurnPolicy(), id="made twice"),
        pytest.param(UtilizationPolicy(target=Decimal("0.70")), UtilizationPolicy(target=Decimal("0.7")), id="a number with another nought"),
        pytest.param(ClientExposurePolicy(limit=Decimal(50_000)), ClientExposurePolicy(limit=Decimal("5E+4")), id="a number in another form"),
        pytest.param(
            ClientExposurePolicy(limits={1: Decimal(1), 2: Decimal(2)}), ClientExposurePolicy(limits={2: Decimal(2), 1: Decimal(1)}),
            id="keys in another order",
        ),
    ],
)  # fmt: skip
def test_the_same_rules_have_the_same_name(one: Any, other: Any) -> None:
    assert named(one) == named(other)
    assert len(named(one)) == DIGITS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(BudgetBurnPolicy(), BudgetBurnPolicy(levels=(40, 75, 90, 100)), id="a threshold"),
        pytest.param(BudgetBurnPolicy(), BudgetBurnPolicy(owner="project-office"), id="an owner"),
        pytest.param(ClientExposurePolicy(), ClientExposurePolicy(limit=Decimal(0)), id="none is not nought"),
        pytest.param(BudgetBurnPolicy(levels=(50, 100)), BudgetBurnPolicy(levels=(100,)), id="fewer"),
    ],
)
def test_other_rules_have_another(one: Any, other: Any) -> None:
    assert named(one) != named(other)


def test_anybody_can_make_the_name_from_what_the_command_lists() -> None:
    written = '{"hysteresis":"0.02","limit":"1000.5","limits":{"7":"5"},"owner":"finance-operations","tier_limits":{}}'
    name = hashlib.sha256(written.encode()).hexdigest()[:12]
    assert named(ClientExposurePolicy(limit=Decimal("1000.50"), limits={7: Decimal(5)})) == name


def test_every_measure_is_listed_from_its_day_on() -> None:
    later = Measures(budget_burn=BudgetBurnPolicy(owner="project-office"))
    listed = list(sections(Measures(later=(Era(date(2026, 3, 30), later),))))
    every = [field.name for field in fields(Measures) if field.name != "later"]
    assert [(one.measure, one.in_force.begins) for one in listed] == [
        *((name, None) for name in every),
        *((name, date(2026, 3, 30)) for name in every),
    ]
    names = {(one.measure, one.in_force.begins): one.in_force.name for one in listed}
    changed = {name for name in every if names[name, None] != names[name, date(2026, 3, 30)]}
    assert changed == {"budget_burn"}
    json.dumps([plain(one.rules) for one in listed])


def test_an_alert_says_by_which_rules_it_was_judged() -> None:
    burn = BudgetBurnPolicy(levels=(40, 75, 90, 100))
    rules = Measures(later=(Era(date(2026, 3, 30), Measures(budget_burn=burn)),))
    source, world = Source(), World(rules)
    world.feed(source.project(1, budget_minutes=1000), source.timesheet(1, {"minutes": 550}))
    world.feed(*(Source.tick(instant(f"{day}T12:00:00")) for day in ("2026-03-29", "2026-03-30")))

    told = [alert["current"] for alert in world.alerts if alert["current"]["rule"] == "budget_burn.hours"]

    assert [(one["level"], one["status"], one["rules"], one["rules_from"]) for one in told] == [
        ("50", "raised", named(BudgetBurnPolicy()), None),
        ("50", "cleared", named(burn), date(2026, 3, 30)),
        ("40", "raised", named(burn), date(2026, 3, 30)),
    ]


def test_alerts_of_monitors_name_the_rules_of_the_monitors() -> None:
    rules = Measures(monitors=replace(MonitorsPolicy(), timezone="Europe/Brussels"))
    source, world = Source(), World(rules)
    world.feed(source.approval(1, {"requested_at": instant("2026-03-02")}))
    world.feed(Source.tick(instant("2026-03-30T12:00:00")))
    [alert] = [alert["current"] for alert in world.alerts]
    assert (alert["rule"], alert["rules"], alert["rules_from"]) == ("approval.overdue", named(rules.monitors), None)


def test_the_command_lists_what_a_configuration_has(tmp_path: Any) -> None:
    file = tmp_path / "firm.yaml"
    file.write_text(
        "measures: {budget_burn: {owner: office}, later: [{begins: 2027-01-01, rules: {budget_burn: {rate_weeks: 8}}}]}"
    )
    done = CliRunner().invoke(app, ["streams", "rules", "--json", str(file)])
    assert done.exit_code == 0, done.output
    rows = [row for row in map(json.loads, done.stdout.splitlines()) if row["measure"] == "budget_burn"]
    assert [(row["rules"], row["from"], row["values"]["owner"], row["values"]["rate_weeks"]) for row in rows] == [
        (named(BudgetBurnPolicy(owner="office")), None, "office", 4),
        (named(BudgetBurnPolicy(owner="office", rate_weeks=8)), "2027-01-01", "office", 8),
    ]
    table = CliRunner().invoke(app, ["streams", "rules", str(file)])
    assert rows[1]["rules"] in table.stdout
