"""Run processes of Burnline as children, start again the ones that die, and leave nothing behind.

Each child is given a pipe as its standard input and exits when that closes (`infra.lifeline`), so that even a supervisor that is
killed leaves no orphan. A child that dies is started again after a delay that grows with each death in quick succession.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import structlog

log = structlog.get_logger()
QUICK = 10.0
DELAYS = (0.2, 0.5, 1.0, 2.0, 5.0)
SPARING = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "65536"}
"""Many Python processes on one machine: glibc gives memory back that it would keep for each thread (21 to 34 MB in all)."""


def delay_after(deaths: int) -> float:
    """Seconds to wait before the next start, after so many deaths in quick succession before this one."""
    return DELAYS[min(deaths, len(DELAYS) - 1)]


@dataclass(slots=True)
class Child:
    """A process to keep alive: its name, what to run, and its environment."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    again_at: float = 0.0

    def start(self) -> None:
        """Start it, its log appended to `log_file` (or on our standard error)."""
        output = self.log_file.open("ab") if self.log_file else None
        try:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=output or sys.stderr,
                stderr=output or sys.stderr,
                env=dict(self.environment),
            )
        finally:
            if output:
                output.close()
        self.started = time.monotonic()


@dataclass(slots=True)
class Supervisor:
    """Keeps children alive until `stop`. Use as a context manager."""

    children: list[Child]
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start all children, and watch them from a thread."""
        for child in self.children:
            child.start()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ask all children to end, then insist."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
        running = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + 15
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()

    def add(self, child: Child) -> None:
        """Start and keep one more."""
        child.start()
        self.children.append(child)

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            for child in list(self.children):
                self._revive(child)

    def _revive(self, child: Child) -> None:
        process = child.process
        if process is None:
            if time.monotonic() >= child.again_at:
                child.start()
            return
        status = process.poll()
        if status is None:
            return
        child.deaths = child.deaths + 1 if time.monotonic() - child.started < QUICK else 0
        delay = delay_after(child.deaths)
        log.warning("child_died", child=child.name, status=status, again_in=delay)
        if process.stdin:
            process.stdin.close()
        child.process, child.again_at = None, time.monotonic() + delay


def burnline_child(name: str, *arguments: str, environment: Mapping[str, str], log_folder: Path | None = None) -> Child:
    """A child that runs one of our own commands and ends with us."""
    command = [sys.executable, "-m", "burnline", name, *arguments, "--lifeline"]
    return Child(name, command, environment, log_folder / f"{name}.log" if log_folder else None)
