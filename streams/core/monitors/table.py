"""The table of monitors: one row makes one. `READERS` and `TOPICS` follow from it.

A row's monitor declares the topics it reads; its measure has a topic in `schemas.topics` and a schema in `schemas/avro`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from streams.core.monitors.billing import Billing
from streams.core.monitors.burn_rollup import BurnRollup
from streams.core.monitors.data_quality import DataQuality
from streams.core.monitors.facts import Reader
from streams.core.monitors.monitor import Monitor
from streams.core.monitors.receivables import Receivables
from streams.core.monitors.requests import Requests
from streams.core.monitors.staffing import Staffing
from streams.core.monitors.straight_through import StraightThrough
from streams.core.monitors.utilization_rollup import UtilizationRollup

if TYPE_CHECKING:
    from streams.core.policy import Measures

TABLE: tuple[tuple[type[Monitor], Callable[[Measures], Monitor]], ...] = (
    (UtilizationRollup, lambda _: UtilizationRollup()),
    (BurnRollup, lambda _: BurnRollup()),
    (Staffing, lambda policy: Staffing(policy.monitors.staffing)),
    (Billing, lambda policy: Billing(policy.monitors.billing)),
    (Receivables, lambda policy: Receivables(policy.monitors.receivables)),
    (StraightThrough, lambda policy: StraightThrough(policy.monitors.straight_through)),
    (DataQuality, lambda policy: DataQuality(policy.monitors.quality)),
    (Requests, lambda policy: Requests(policy.monitors.requests, policy.monitors.timezone)),
)
"""Each monitor, and how it is made under a policy."""

READERS: Mapping[str, tuple[tuple[str, Reader], ...]] = {
    topic: tuple((monitor.name, monitor.inputs[topic]) for monitor, _ in TABLE if topic in monitor.inputs)
    for topic in sorted({topic for monitor, _ in TABLE for topic in monitor.inputs})
}
"""By source topic: the monitors that read it, and what a record says to each."""

TOPICS: tuple[str, ...] = tuple(monitor.topic for monitor, _ in TABLE)
"""The topics of their measures."""


def monitors(policy: Measures) -> dict[str, Monitor]:
    """All monitors under a policy, by name."""
    return {monitor.name: make(policy) for monitor, make in TABLE}
