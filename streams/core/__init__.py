"""The measures, pure: routing, the processors, their alerts. No clock, no I/O; time is an event.

`route` says which event means what to which processor; `step`, `restore` and `measures` drive one processor over one partition.
"""

from streams.core.contract import ALERTS, EVERYBODY, NOTHING, Contribution, Row, Step
from streams.core.policy import Measures
from streams.core.processor import Processor
from streams.core.route import PROCESSOR_SOURCES, READS, route
from streams.core.state import PartitionState
from streams.core.step import forget, look_up, measures, processors, restore, step

__all__ = [
    "ALERTS",
    "EVERYBODY",
    "NOTHING",
    "PROCESSOR_SOURCES",
    "READS",
    "Contribution",
    "Measures",
    "PartitionState",
    "Processor",
    "Row",
    "Step",
    "forget",
    "look_up",
    "measures",
    "processors",
    "restore",
    "route",
    "step",
]
