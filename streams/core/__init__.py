"""The measures, pure: routing, the processors, their alerts. No clock, no I/O; time is an event.

`route` says which event means what to which processor; `step`, `restore` and `measures` drive one processor over one partition.
"""

from streams.core.assembly import processors
from streams.core.contract import ALERTS, EVERYBODY, NOTHING, Contribution, Row, Step
from streams.core.monitors.table import TOPICS as MONITOR_TOPICS
from streams.core.policy import Measures
from streams.core.processor import Processor
from streams.core.route import PROCESSOR_SOURCES, route
from streams.core.routes.timesheets import READS
from streams.core.state import PartitionState
from streams.core.step import look_up, measures, pass_over, restore, step

MEASURE_TOPICS: dict[str, tuple[str, ...]] = {
    "utilization": ("measure.utilization.v1",),
    "budget-burn": ("measure.budget-burn.v1",),
    "dispute-aging": ("measure.dispute-aging.v1",),
    "client-exposure": ("measure.client-exposure.v1",),
    "monitors": MONITOR_TOPICS,
}
"""The topics of each processor's measures."""

HEARS: dict[str, frozenset[str]] = {
    "utilization": frozenset(),
    "budget-burn": frozenset({"utilization"}),
    "dispute-aging": frozenset({"client-exposure"}),
    "client-exposure": frozenset({"dispute-aging"}),
    "monitors": frozenset({"utilization", "budget-burn", "dispute-aging"}),
}
"""The processors that contribute to each. Without them, its states are made of events alone."""

__all__ = [
    "ALERTS",
    "EVERYBODY",
    "HEARS",
    "MEASURE_TOPICS",
    "NOTHING",
    "PROCESSOR_SOURCES",
    "READS",
    "Contribution",
    "Measures",
    "PartitionState",
    "Processor",
    "Row",
    "Step",
    "look_up",
    "measures",
    "pass_over",
    "processors",
    "restore",
    "route",
    "step",
]
