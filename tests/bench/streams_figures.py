"""What the streams do, figure by figure, each beside a peer measured in the same run or, where there is none, beside its target.

    make bench ARGS="--json streams"

One object: `{figure: {value, unit, peer, peer_value, ratio}}`, the ratio being value over peer_value.
"""

from __future__ import annotations

from typing import Any

from tests.bench.measuring import measured

EVENTS = 200_000
RUNS = 3
"""Of which the best counts: what else a machine does, or the one that it is a part of, only ever takes time."""
REBUILT = 1_000_000
"""As many as make the start of its processes a small part."""
LINES = 500_000
"""Each is two rows: its consultant's and its project's."""
TARGETS = {
    "real_processors_events_per_s": ("events/s of one core's time", 40_000),
    "rebuild_events_per_s": ("events/s on all cores", 150_000),
    "topic_to_measure_p99_ms": ("ms at 1,000 events/s", 100),
    "topic_to_alert_p99_ms": ("ms at 1,000 events/s", 100),
    "warm_ready_s": ("s with 1,000,000 rows", 5),
    "restored_rows_per_s": ("rows/s of one core's time, from the topic", 300_000),
    "memory_bytes_per_line": ("bytes", 600),
}


def figures() -> dict[str, Any]:
    """All of them. A peer that cannot be run here is told under `skipped`."""
    peers = measured("tests.bench.bench_peers")
    backlogs = [measured("tests.bench.bench_streams", "--events", str(EVENTS)) for _ in range(RUNS)]
    latency = measured("tests.bench.bench_streams", "--latency", "--rate", "1000")
    alerts = measured("tests.bench.bench_streams", "--latency", "--alerts", "--rate", "1000")
    bare = measured("tests.bench.bench_streams", "--latency", "--bare", "--rate", "1000")
    rebuilt = measured("tests.bench.bench_streams", "--rebuild", "--events", str(REBUILT))
    restarts = measured("tests.bench.bench_streams", "--restarts", "--events", str(LINES))
    own = {
        "real_processors_events_per_s": max(backlog["events_per_cpu_second"] for backlog in backlogs),
        "rebuild_events_per_s": rebuilt["events_per_second"],
        "topic_to_measure_p99_ms": latency["p99_ms"],
        "topic_to_alert_p99_ms": alerts["p99_ms"],
        "warm_ready_s": restarts["warm_ready_seconds"],
        "restored_rows_per_s": restarts["cold_rows_per_cpu_second"],
        "memory_bytes_per_line": restarts["bytes_per_line"],
    }
    beside_bare = beside(
        "topic_to_alert_p99_ms", alerts["p99_ms"], "a loop that does nothing but transactions", bare["p99_ms"]
    )
    ceiling = beside(
        "rebuild_events_per_s",
        rebuilt["events_per_second"],
        "its parts without which there is none, on all cores with nothing to start, hand on or wait for",
        rebuilt["ceiling_events_per_second"],
    )
    return (
        peers
        | {name: beside_target(name, value) for name, value in own.items()}
        | {"topic_to_alert_p99_ms_beside_bare": beside_bare, "rebuild_events_per_s_beside_its_ceiling": ceiling}
    )


def beside_target(name: str, value: float) -> dict[str, Any]:
    """A figure of ours beside what it should be."""
    return beside(name, value, "target", TARGETS[name][1])


def beside(name: str, value: float, peer: str, peer_value: float) -> dict[str, Any]:
    """A figure of ours beside another of its unit."""
    ratio = round(value / peer_value, 2)
    return {"value": value, "unit": TARGETS[name][0], "peer": peer, "peer_value": peer_value, "ratio": ratio}
