"""Runs consumers of the pages side by side in one process: JSON on standard input and on standard output.

In: a list of {"program", "wanted", "digits"}. Each program is run as it is, until it has printed `wanted` lines: the last call of `print` then
does not return, as if the process were killed while it handles that record. Out, in the same order: {"printed", "decoded"} or {"error"}.
"""

from __future__ import annotations

import json
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Killed(BaseException):
    """The program is ended where it stands."""


def outcome(job: dict[str, Any]) -> dict[str, Any]:
    """Run a program to its end."""
    printed: list[str] = []

    def collect(line: str) -> None:
        printed.append(line)
        if len(printed) == job["wanted"]:
            raise Killed

    names: dict[str, Any] = {"__name__": "__main__", "print": collect}
    try:
        exec(compile(job["program"], "<page>", "exec"), names)  # noqa: S102  to run it is the point
    except Killed:
        event = names["decode"](bytes.fromhex(job["digits"]))
        return {"printed": printed, "decoded": json.dumps(event, default=names["plain"])}
    except Exception:  # noqa: BLE001  whatever it is, it is the program's result
        return {"error": traceback.format_exc()}
    return {"error": "it ended by itself"}


if __name__ == "__main__":
    jobs = json.load(sys.stdin)
    with ThreadPoolExecutor(len(jobs)) as pool:
        json.dump(list(pool.map(outcome, jobs)), sys.stdout)
