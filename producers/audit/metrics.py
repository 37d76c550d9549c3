"""What audits tell Prometheus. How many series there are is bounded: of each model the newest months, and the older ones together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import Gauge

from producers.core.audit import gaps

if TYPE_CHECKING:
    from producers.audit.run import Outcome

KINDS = ("missing", "wrong", "phantom", "doubled", "lost")
DIFFERENCE = Gauge(
    "burnline_audit_difference",
    "What the topic says less what Odoo says, by model and month: of records always, of another figure where it differs",
    ("model", "period", "figure"),
)
RECORDS_APART = Gauge("burnline_audit_records_apart", "Records that differ, or whose events are odd", ("kind",))
HIDDEN = Gauge("burnline_audit_records_hidden", "Records that are there and were not shown to the user of ODOO_USER")
UNREADABLE = Gauge("burnline_audit_records_unreadable", "Records on the topics that nobody can read")
ENDED_AT = Gauge("burnline_audit_ended_timestamp_seconds", "When the last audit that came to its end did")
SECONDS = Gauge("burnline_audit_seconds", "How long it took")


class Figures:
    """The gauges, as the last audit has them."""

    def __init__(self) -> None:
        """Nothing is told before the first audit."""
        self._told: set[tuple[str, str, str]] = set()

    def tell(self, outcome: Outcome) -> None:
        """Take in an audit. What differs no more is told no more."""
        found = gaps((line.model, line.period, line.table, line.odoo, line.on_topic) for line in outcome.lines)
        for labels, value in found.items():
            DIFFERENCE.labels(*labels).set(value)
        self._drop(self._told - found.keys())
        self._told = set(found)
        for kind in KINDS:
            RECORDS_APART.labels(kind).set(outcome.kinds[kind])
        HIDDEN.set(outcome.hidden)
        UNREADABLE.set(outcome.unreadable)
        SECONDS.set(outcome.seconds)
        ENDED_AT.set_to_current_time()

    @staticmethod
    def _drop(labels: Iterable[tuple[str, str, str]]) -> None:
        for one in labels:
            DIFFERENCE.remove(*one)
