"""What a monitor takes: its module, its row in the table, and what CONTRIBUTING names besides. A monitor that lacks any of it fails here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from schemas.topics import TOPICS, Process
from streams.core import PROCESSOR_SOURCES, Measures, PartitionState, kinds, measures, step
from streams.core.alerts import Line, Rule
from streams.core.monitors.facts import Fact, Reader, Watched, contribution
from streams.core.monitors.host import Monitors
from streams.core.monitors.monitor import Finding, Judged, Monitor
from streams.core.monitors.policy import MonitorsPolicy
from streams.core.monitors.table import TABLE, monitors
from tests.unit.streams.core.world import ROOT, instant, key

SAMPLES = yaml.safe_load((ROOT / "burnline" / "docs" / "samples.yaml").read_text(encoding="utf-8"))["records"]
REPORTED = {"utilization-rollup", "burn-rollup"}
"""Monitors that read no topic, since a measure reports to them."""


@pytest.mark.parametrize("monitor", [pytest.param(one, id=one.name) for one in monitors(Measures()).values()])
def test_a_monitor_has_all_that_contributing_asks_for(monitor: Monitor) -> None:
    module = type(monitor).__module__.rpartition(".")[2]
    assert (Path(__file__).with_name(f"test_{module}.py")).is_file()
    assert (ROOT / "streams" / "core" / "monitors" / f"{module}.py").is_file()
    record = TOPICS[monitor.topic].record
    assert record.rpartition(".")[2].removesuffix("Event") in SAMPLES
    assert set(monitor.inputs) <= set(PROCESSOR_SOURCES)
    assert bool(monitor.inputs) is (monitor.name not in REPORTED)
    for rule in monitor.rules():
        assert (ROOT / "docs" / "runbooks" / f"{rule.name}.md").is_file(), rule.name
        assert all(line.owner for line in rule.lines)


def test_the_table_is_all_that_names_monitors() -> None:
    """Routing, memory, alerts and publishing know the table, and no monitor of it."""
    modules = {one.__module__.rpartition(".")[2] for one, _ in TABLE}
    for path in (ROOT / "streams").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        named = {module for module in modules if f"from streams.core.monitors.{module} import" in text}
        if path.name != "table.py":
            assert named <= {"data_quality"}, path  # the hot path asks it whether a line of time is flawed


class Heaps(Monitor):
    """A monitor as somebody would add it: how much lies on a heap, and when it is too much."""

    name = "heaps"
    topic = "measure.staffing.v1"
    subject_kind = "heap"
    process = Process.OPERATIONS
    formula = "heaps/1"
    inputs: ClassVar[Mapping[str, Reader]] = {}
    rule = Rule("staffing.capacity", (Line("high", "warning", "porters", Fraction(10)),), "porters")

    def rules(self) -> Sequence[Rule]:
        return (self.rule,)

    def look(self, subject: Watched, as_of: int, holidays: Sequence[Mapping[str, Any]]) -> Finding | None:
        height = sum(fact["numbers"]["height"] for fact in subject.facts("thing"))
        reached = list(self.rule.lines) if height >= 10 else []
        return Finding({"height": height}, {"height": str(height)}, [Judged(self.rule, reached, Fraction(height))])


def test_a_new_monitor_needs_a_look_and_nothing_else() -> None:
    host, partition = Monitors({"heaps": Heaps()}, MonitorsPolicy()), PartitionState()
    said = []
    for version, height in enumerate((4, 12, 12, 3), start=1):
        head = {"record": "thing:1", "version": version, "event_id": f"e{version}", "recorded_at": version}
        fact = contribution("heaps", key("heap", 1), Fact("thing", {"height": height}), head, present=True)
        step(host, partition, kinds.FACT, fact.entry)
        alerts = step(host, partition, kinds.TICK, {"at": instant("2026-03-30") + version * 60_000_000}).alerts
        (event,) = measures(host, partition)
        said.append((event["current"]["height"], [alert["current"]["status"] for alert in alerts]))
    assert said == [(4, []), (12, ["raised"]), (12, []), (3, ["cleared"])]
