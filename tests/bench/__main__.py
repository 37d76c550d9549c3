"""Every figure, one after the other: `make bench`, or as one JSON object with `make bench ARGS="--json"`.

`make bench ARGS="streams"` puts the streams' figures beside those of their peers: see `streams_figures`.

Compare ratios of one run, never figures of two: the machine is part of every figure.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.measuring import measured
from tests.bench.streams_figures import figures as streams_figures

PARTS = {
    "codec": ["tests.bench.bench_codec"],
    "capture": ["tests.bench.bench_capture"],
    "memory": ["tests.bench.bench_memory"],
    "commit": ["tests.bench.bench_latency"],
    "audit": ["tests.bench.bench_audit"],
    "ceiling": ["tests.bench.bench_ceiling", "--events", "100000"],
    "routing": ["tests.bench.bench_routing"],
    "streams": ["tests.bench.bench_streams", "--events", "100000"],
    "latency": ["tests.bench.bench_streams", "--latency"],
    "webhooks": ["tests.bench.bench_webhooks"],
    "actions": ["tests.bench.bench_actions"],
    "governor": ["tests.bench.bench_governor"],
    "trail": ["tests.bench.bench_trail"],
    "demo": ["tests.bench.bench_demo"],
}


def flat(figures: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested figures as one level of dotted names."""
    found: dict[str, Any] = {}
    for name, value in figures.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def show_beside_peers(found: dict[str, Any], *, as_json: bool) -> None:
    """Each figure with that of its peer and the ratio."""
    if as_json:
        print(json.dumps(found))
        return
    table = Table("figure", "value", "unit", "peer", "its value", "ratio")
    for name, figure in found.items():
        cells = figure.values() if isinstance(figure, dict) else [figure]
        table.add_row(name.replace("_", " "), *map(str, cells))
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("beside_peers", nargs="?", choices=["streams"])
    options = parser.parse_args()
    console = Console(stderr=True)
    if options.beside_peers:
        with console.status("measuring the streams and their peers"):
            show_beside_peers(streams_figures(), as_json=options.json)
        return
    found = {}
    for part in options.only or PARTS:
        with console.status(f"measuring {part}"):
            found[part] = measured(*PARTS[part])
    if {"streams", "ceiling"} <= set(found):
        found["streams"]["cpu_over_ceiling"] = round(
            found["streams"]["cpu_seconds_per_million"] / found["ceiling"]["cpu_seconds_per_million"], 1
        )
    if options.json:
        print(json.dumps(found))
        return
    table = Table("figure", "value")
    for part, figures in found.items():
        for name, value in flat(figures).items():
            table.add_row(f"{part}: {name.replace('_', ' ')}", f"{value:,}" if isinstance(value, int) else str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
