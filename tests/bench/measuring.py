"""A measurement in a process of its own, so that none is warmed or burdened by the one before it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def measured(module: str, *arguments: str) -> dict[str, Any]:
    """The figures that a module prints with `--json`. Ends this process with what it said if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments, "--json"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{module} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
