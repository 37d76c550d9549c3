"""What a firm writes about its measures, and what it comes to."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from infra.errors import Fatal
from infra.settings import Settings
from streams.wiring import measures_policy

WRITTEN = """
measures:
  utilization: {target: 0.70, under_target_by: 0.15}
  later:
    - begins: 2026-07-01
      rules: {utilization: {target: 0.80}}
    - begins: 2027-01-01
      rules: {budget_burn: {rate_weeks: 8}}
"""


def settings(folder: Path, text: str) -> Settings:
    path = folder / "burnline.yaml"
    path.write_text(text, encoding="utf-8")
    return Settings(config=path)


def test_later_rules_say_only_what_changes(tmp_path: Path) -> None:
    rules = measures_policy(settings(tmp_path, WRITTEN))
    first, second = rules.later
    assert (rules.utilization.target, rules.utilization.under_target_by) == (Decimal("0.70"), Decimal("0.15"))
    assert (first.rules.utilization.target, first.rules.utilization.under_target_by) == (
        Decimal("0.80"),
        Decimal("0.15"),
    )
    assert (second.rules.utilization.target, second.rules.budget_burn.rate_weeks) == (Decimal("0.80"), 8)
    assert first.rules.budget_burn.rate_weeks == 4


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("measures: {later: [{begins: 2026-07-01, rules: {utilisation: {}}}]}", "utilisation", id="a name"),
        pytest.param("measures: {later: [{begins: soon, rules: {}}]}", "begins", id="a day that is none"),
        pytest.param("measures: {later: [2026-07-01]}", "later", id="no mapping"),
        pytest.param("measures: [1]", "measures", id="no section"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(Fatal, match=place):
        measures_policy(settings(tmp_path, text))
