"""How long a change takes from its commit in the source to its measure in Kafka.

The embedded Odoo notes each commit to the microsecond. A real one tells only when a transaction began, in whole seconds, so that there
the figure can be up to a second too long, never too short by more than the rounding.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from burnline.demo.watch import Arrival

TABLE = "select model, res_id, committed_at_us from burnline_commit order by committed_at_us"


def from_commits(arrivals: Iterable[Arrival], data: Path, *, since: float) -> list[float]:
    """Seconds for each arrival, from the newest commit of its record before it was seen on its topic.

    Only commits after `since` (seconds since 1970) count: what was committed while processes were starting tells how long they took.
    """
    commits: dict[str, list[float]] = defaultdict(list)
    with sqlite3.connect(f"file:{data}?mode=ro", uri=True, timeout=10) as source:
        for model, record_id, microseconds in source.execute(TABLE):
            commits[f"{model}:{record_id}"].append(microseconds / 1e6)
    found = []
    for change, measured_at in arrivals:
        of_record = commits.get(change.subject.split(":", 2)[2], [])
        place = bisect_right(of_record, change.seen_at)
        if place and of_record[place - 1] >= since:
            found.append(measured_at - of_record[place - 1])
    return found


def from_stamps(arrivals: Iterable[Arrival], *, since: float) -> list[float]:
    """Seconds for each arrival, from the whole second in which its transaction began; only of those begun after `since`."""
    return [measured_at - change.recorded_at for change, measured_at in arrivals if change.recorded_at >= since]
