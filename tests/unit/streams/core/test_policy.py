"""A rule that cannot be measured with is refused, by the name of its key."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from streams.core.policy import (
    BudgetBurnPolicy,
    ClientExposurePolicy,
    DisputeAgingPolicy,
    Measures,
    UtilizationPolicy,
)


@pytest.mark.parametrize(
    ("make", "key"),
    [
        pytest.param(lambda: UtilizationPolicy(window_days=0), "utilization.window_days", id="an empty window"),
        pytest.param(
            lambda: UtilizationPolicy(long_window_days=7), "utilization.long_window_days", id="long below short"
        ),
        pytest.param(lambda: UtilizationPolicy(target=Decimal(-1)), "utilization.target", id="a negative target"),
        pytest.param(lambda: UtilizationPolicy(hysteresis=Decimal(1)), "utilization.hysteresis", id="bands never left"),
        pytest.param(
            lambda: UtilizationPolicy(bench_below=Decimal("0.7")), "utilization.bench_below", id="bands overlap"
        ),
        pytest.param(lambda: BudgetBurnPolicy(levels=(75, 50)), "budget_burn.levels", id="a ladder goes up"),
        pytest.param(lambda: BudgetBurnPolicy(levels=()), "budget_burn.levels", id="a ladder has a line"),
        pytest.param(
            lambda: BudgetBurnPolicy(hysteresis_points=50), "budget_burn.hysteresis_points", id="never cleared"
        ),
        pytest.param(lambda: BudgetBurnPolicy(further_levels_every=0), "budget_burn.further_levels_every", id="no end"),
        pytest.param(lambda: BudgetBurnPolicy(rate_weeks=0), "budget_burn.rate_weeks", id="a rate over nothing"),
        pytest.param(lambda: DisputeAgingPolicy(bucket_ends=(60, 30)), "dispute_aging.bucket_ends", id="buckets go up"),
        pytest.param(
            lambda: DisputeAgingPolicy(bucket_owners=("a",)), "dispute_aging.bucket_owners", id="nobody's bucket"
        ),
        pytest.param(
            lambda: DisputeAgingPolicy(reopening_window_days=-1),
            "dispute_aging.reopening_window_days",
            id="a negative window",
        ),
        pytest.param(lambda: ClientExposurePolicy(limit=Decimal(-1)), "client_exposure.limit", id="a negative limit"),
    ],
)
def test_a_bad_value_is_named(make: Callable[[], Any], key: str) -> None:
    with pytest.raises(ValueError, match=rf"^{key} is "):
        make()


def test_defaults_hold() -> None:
    policy = Measures()
    assert policy.budget_burn.all_levels[:6] == (50, 75, 90, 100, 110, 120)
    assert policy.budget_burn.all_levels[-1] == 1000
    assert policy.client_exposure.limit is None


@pytest.mark.parametrize(
    ("age", "bucket"),
    [
        (0, "0-30"),
        (30, "0-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (91, "91-120"),
        (120, "91-120"),
        (121, "121+"),
    ],
)
def test_buckets(age: int, bucket: str) -> None:
    assert DisputeAgingPolicy().bucket(age) == bucket


def test_settings_refuse_an_unknown_key() -> None:
    adapter = TypeAdapter(Measures)
    assert adapter.validate_python({"utilization": {"target": "0.8"}}).utilization.target == Decimal("0.8")
    with pytest.raises(ValidationError, match="targett"):
        adapter.validate_python({"utilization": {"targett": "0.8"}})
    with pytest.raises(ValidationError, match=r"utilization\.target is -1"):
        adapter.validate_python({"utilization": {"target": "-1"}})
