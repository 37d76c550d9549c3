"""Processes of the operating system: who they are, how they end, and how a child dies with its parent.

The lifeline: Java cannot watch its parent, and Linux's parent-death signal follows the *thread* that started the child, so that a
broker started from a passing thread would die with it. So a shell of one megabyte stands by, reading from a pipe whose other end
only the parent holds. When the parent ends, however it ends, the pipe closes, and the shell ends the broker, after it has seen that
the process is still the broker and no later one with the same number. A child that the parent forks without `exec` holds the pipe open too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_WATCH = """
cat >/dev/null
ours() {
  if [ -d /proc/self ]; then tr '\\0' ' ' <"/proc/$1/cmdline" 2>/dev/null; else ps -ww -o args= -p "$1"; fi | grep -qF -- "$2"
}
ours "$2" "$1" && kill -TERM "$2"
for _ in 1 2 3 4 5 6 7 8 9 10; do ours "$2" "$1" || exit 0; sleep 1; done
kill -KILL "$2"
"""


def command_of(pid: int) -> str:
    """The command line of a living process, its words joined by blanks; empty if there is none or it is a zombie."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError):
            return ""
    found = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def end(pid: int, alive: Callable[[], bool], *, timeout: float) -> bool:
    """Ask the process to end and wait; after `timeout` seconds, kill it. True if it went by itself.

    `alive` must say whether the process is still the one that is meant.
    """
    if alive():
        _signal(pid, signal.SIGTERM)
    if wait_until(lambda: not alive(), timeout):
        return True
    _signal(pid, signal.SIGKILL)
    wait_until(lambda: not alive(), timeout)
    return False


def wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    """Poll until the condition holds. False if `timeout` seconds passed first."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def lifeline(pid: int, marker: str) -> subprocess.Popen[bytes]:
    """A watcher that ends process `pid`, if its command line still holds `marker`, when this process has ended."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "lifeline", marker, str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
