"""Every figure, one after the other: `make bench`, or as one JSON object with `make bench ARGS="--json"`.

Compare ratios of one run, never figures of two: the machine is part of every figure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

PARTS = {
    "codec": ["tests.bench.bench_codec"],
    "capture": ["tests.bench.bench_capture"],
    "ceiling": ["tests.bench.bench_ceiling", "--events", "100000"],
    "streams": ["tests.bench.bench_streams", "--events", "100000"],
    "latency": ["tests.bench.bench_streams", "--latency"],
    "webhooks": ["tests.bench.bench_webhooks"],
    "demo": ["tests.bench.bench_demo"],
}


def measure(part: str) -> dict[str, Any]:
    """The figures of one part, measured in a process of its own."""
    done = subprocess.run([sys.executable, "-m", *PARTS[part], "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{part} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def flat(figures: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested figures as one level of dotted names."""
    found: dict[str, Any] = {}
    for name, value in figures.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=PARTS, action="append")
    options = parser.parse_args()
    console = Console(stderr=True)
    found = {}
    for part in options.only or PARTS:
        with console.status(f"measuring {part}"):
            found[part] = measure(part)
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
