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
        peak = 0
        end = time.time() + LIVE_SECONDS
        while time.time() < end:
            me = psutil.Process()
            found = [me, *me.children(recursive=True)]
            peak = max(peak, sum(memory(p) for p in found))
            time.sleep(0.5)
    return {"first_measure_s": round(first - began, 1) if first else None, "python_rss_mb": round(peak / 2**20)}


def memory(process: psutil.Process) -> int:
    """Resident bytes of a Python process; 0 for another program, or one that is gone."""
    try:
        return process.memory_info().rss if "python" in process.name() else 0
    except psutil.NoSuchProcess:
        return 0


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
