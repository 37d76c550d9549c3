"""The demo's live view: events by topic, the firm's measures, alerts as they are raised, actions as they succeed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from burnline.demo.watch import PUBLIC, Watch

COLOURS = {"info": "blue", "notice": "cyan", "warning": "yellow", "critical": "red"}


class Rates:
    """Events per second by topic, smoothed over the last few looks."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._last: tuple[float, Counter[str]] = (0.0, Counter())
        self.per_second: dict[str, float] = {}

    def look(self, now: float, counts: Counter[str]) -> None:
        """Take the counts at a moment (seconds, monotonic)."""
        then, before = self._last
        if then and now > then:
            for topic, count in counts.items():
                fresh = (count - before[topic]) / (now - then)
                self.per_second[topic] = 0.7 * self.per_second.get(topic, fresh) + 0.3 * fresh
        self._last = (now, Counter(counts))


def render(title: str, watch: Watch, rates: Rates, lag: Mapping[str, int]) -> RenderableType:
    """The whole screen."""
    return Group(
        f"[bold]{title}[/]",
        Columns([_topics(watch, rates), Group(_firm(watch.measures), _lag(lag))]),
        Panel(_alerts(watch.latest_alerts), title="alerts", title_align="left"),
        Panel(_actions(watch), title="actions", title_align="left"),
    )


def _topics(watch: Watch, rates: Rates) -> Table:
    table = Table("topic", "events", "per s", title="events", title_justify="left", pad_edge=False)
    for topic in PUBLIC:
        if count := watch.events[topic.name]:
            table.add_row(topic.name, f"{count:,}", f"{rates.per_second.get(topic.name, 0.0):.1f}")
    return table


def _firm(measures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Table:
    people, projects, disputes = (
        list(measures[name].values()) for name in ("utilization", "budget-burn", "dispute-aging")
    )
    table = Table("measure", "value", title="the firm", title_justify="left", pad_edge=False)
    available = sum(row["available_minutes"] for row in people)
    billable = sum(row["billable_minutes"] for row in people)
    bands = Counter(row["band"] for row in people)
    table.add_row("consultants", f"{len(people)}")
    table.add_row("billable utilization, 28 days", f"{billable / available:.1%}" if available else "–")
    table.add_row("bands", ", ".join(f"{count} {band}" for band, count in sorted(bands.items())) or "–")
    table.add_row("projects", f"{len(projects)}")
    table.add_row("over 90 % of their hours", str(sum((row["burn_hours"] or 0) >= Decimal("0.9") for row in projects)))
    table.add_row("open disputes", str(sum(row["status"] not in {"resolved", "withdrawn"} for row in disputes)))
    table.add_row("contested", f"{sum((row['company_amount'] for row in disputes), Decimal(0)):,.2f}")
    return table


def _lag(lag: Mapping[str, int]) -> Table:
    table = Table("group", "lag", title="consumer lag", title_justify="left", pad_edge=False)
    for group, count in lag.items():
        table.add_row(group, f"{count:,}")
    return table


def _alerts(alerts: Sequence[Mapping[str, Any]] | Any) -> RenderableType:
    rows = [
        f"[{COLOURS.get(a['severity'], 'white')}]{a['severity']:8}[/] {a['status']:8} {a['rule']} {a['level']}  {a['subject']}"
        for a in list(alerts)
    ]
    return "\n".join(rows) or "none yet"


def _actions(watch: Watch) -> RenderableType:
    totals = ", ".join(f"{count} {status}" for status, count in sorted(watch.actions.items()))
    rows = [f"{a['status']:10} {a['kind']} {a['policy']} {a['reference'] or ''}" for a in list(watch.latest_actions)]
    return "\n".join([totals or "none yet", *rows])
