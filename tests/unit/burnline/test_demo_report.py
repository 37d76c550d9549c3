"""What the demo prints for people."""

from __future__ import annotations

import pytest

from burnline.demo import report


@pytest.mark.parametrize(
    ("latencies", "told"),
    [
        pytest.param([], "not known: nothing changed", id="an Odoo in which nobody worked meanwhile"),
        pytest.param([0.1], "not known: nothing changed", id="one change tells no percentile"),
        pytest.param([0.1] * 10, "p50 100.0 ms, p99 100.0 ms", id="a firm at work"),
    ],
)
def test_latency_in_words(latencies, told):
    assert report.said(report.percentiles(latencies)).startswith(told)
