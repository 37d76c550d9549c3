"""The data folder of a broker: what lies where, whether it can be used, and the one who may start a broker on it.

server.properties, log4j2.properties   written anew at each start
logs/                                  Kafka's own; made whole or not at all
broker.json                            which process runs, see `state`
broker.log, console.log                what it said
.lock                                  held while somebody starts or stops a broker here
"""

from __future__ import annotations

import errno
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.embedded_kafka import diagnosis
from infra.embedded_kafka.process import command_of
from infra.embedded_kafka.state import BrokerState, Verdict, judge, parse_state, render_state
from infra.errors import Fatal

NEEDED_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Folder:
    """A broker's data folder."""

    root: Path

    @property
    def properties(self) -> Path:
        """The broker's `server.properties`."""
        return self.root / "server.properties"

    @property
    def log4j(self) -> Path:
        """The logging configuration."""
        return self.root / "log4j2.properties"

    @property
    def logs(self) -> Path:
        """Kafka's data."""
        return self.root / "logs"

    @property
    def log_file(self) -> Path:
        """What the broker logs."""
        return self.root / "broker.log"

    @property
    def console(self) -> Path:
        """What the broker's process printed since its last start."""
        return self.root / "console.log"

    @property
    def state_file(self) -> Path:
        """Which process runs."""
        return self.root / "broker.json"

    def prepare(self) -> None:
        """Make the folder; raises `Fatal` if it cannot be written or its disk is nearly full."""
        usable(self.root)
        if self.logs.is_dir() and any(self.logs.iterdir()) and not (self.logs / "meta.properties").exists():
            raise fatal(diagnosis.corrupt(self.root, "logs/meta.properties is missing"))

    def running(self) -> BrokerState | None:
        """The broker that runs on this folder, seen alive just now; None otherwise."""
        try:
            state = parse_state(self.state_file.read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None
        return state if judge(state, command_of, self.properties) is Verdict.RUNNING else None

    def remember(self, state: BrokerState) -> None:
        """Write down which process runs, whole or not at all."""
        part = self.state_file.with_suffix(".part")
        part.write_text(render_state(state))
        part.replace(self.state_file)

    def forget(self) -> None:
        """No broker runs here any more."""
        self.state_file.unlink(missing_ok=True)


def usable(folder: Path, *, need: int = NEEDED_BYTES) -> None:
    """Make the folder and prove that it can be written; raises `Fatal` if not, or if fewer than `need` bytes are free."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise os_failure(folder, error) from error
    free = shutil.disk_usage(folder).free
    if free < need:
        raise fatal(diagnosis.no_space(folder, free, need))


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: others on this machine wait. The system frees it if the holder dies."""
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def os_failure(folder: Path, error: OSError) -> Fatal:
    """The sentence for what the operating system refused in this folder."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return fatal(diagnosis.no_space(folder))
    return fatal(diagnosis.no_access(folder, (error.strerror or str(error)).lower()))


def fatal(found: diagnosis.Diagnosis) -> Fatal:
    """The diagnosis as an error to raise."""
    return Fatal(found.message, remedy=found.remedy)
