"""What the demo costs: seconds to the first measure, with nothing there and with everything there, and resident memory.

    python -m tests.bench.bench_demo [--json]

The jars are in the user's cache, as on a machine that ran the demo before; the data folders are fresh, then used again.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from burnline.demo.stage import set_up
from infra import logs
from infra.settings import load_settings

LIVE_SECONDS = 10
PATIENCE = 120


def once() -> dict[str, Any]:
    """Run the demo's stage until measures come, and a little longer."""
    began = time.time()
    with set_up(load_settings(), rate=5.0, progress=lambda _: None) as stage:
        while stage.watch.first_measure_at is None and time.time() - began < PATIENCE:
            time.sleep(0.05)
        first = stage.watch.first_measure_at
        peak: dict[str, int] = {}
        end = time.time() + LIVE_SECONDS
        while time.time() < end:
            peak = max(peak, residents(), key=lambda sizes: sum(sizes.values()))
            time.sleep(0.5)
    return {
        "first_measure_s": round(first - began, 1) if first else None,
        "python_rss_mb": round(sum(peak.values()) / 2**20),
        "by_process_mb": {name: round(size / 2**20) for name, size in peak.items()},
    }


def residents() -> dict[str, int]:
    """Resident bytes of each Python process of the demo now, this one included, by the command that it runs."""
    found: dict[str, int] = {}
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        try:
            if "python" in process.name():
                name = "demo" if process == me else what_runs(process.cmdline())
                found[name] = found.get(name, 0) + process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return found


def what_runs(command: list[str]) -> str:
    """The command or module of a Python command line: `python -m burnline capture …` is `capture`."""
    module = command[command.index("-m") + 1 :]
    return module[1] if module[0] == "burnline" else module[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logs.configure("error")
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        os.environ |= {
            "BURNLINE_BROKER__DATA_DIR": str(Path(folder) / "kafka"),
            "BURNLINE_BROKER__PORT": str(probe.getsockname()[1]),
            "BURNLINE_DEMO__DATA_DIR": str(Path(folder) / "demo"),
            "BURNLINE_STREAMS__DATA_DIR": str(Path(folder) / "streams"),
        }
        probe.close()
        fresh, again = once(), once()
    found = {"fresh": fresh, "again": again}
    print(json.dumps(found) if options.json else found)


if __name__ == "__main__":
    main()
