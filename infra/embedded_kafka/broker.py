"""A real Apache Kafka in a process of its own, for programs and tests.

Invariants: at most one broker runs on a data folder; it listens on loopback only; `start` returns when it answers, or raises with the
cause; a folder is formatted whole or not at all; what was acknowledged is still there after `kill` and `start`.
"""

from __future__ import annotations

import errno
import shutil
import socket
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import structlog

from infra.embedded_kafka import diagnosis
from infra.embedded_kafka.answering import answers
from infra.embedded_kafka.diagnosis import Failure
from infra.embedded_kafka.folder import Folder, exclusive, fatal, os_failure, usable
from infra.embedded_kafka.guard import Guard
from infra.embedded_kafka.jars import KAFKA_VERSION, ready_jars
from infra.embedded_kafka.java import Runtime
from infra.embedded_kafka.process import command_of, end, lifeline, wait_until
from infra.embedded_kafka.properties import HOST, log4j_properties, server_properties
from infra.embedded_kafka.settings import BrokerSettings
from infra.embedded_kafka.state import MAIN_CLASS, BrokerState, is_broker
from infra.errors import Fatal

log = structlog.get_logger()
START_SECONDS = 60.0
STOP_SECONDS = 20.0
TRAIN_SECONDS = 120.0
PORT_SECONDS = 2.0
"""A killed broker's port is free a moment after its process is seen dead: the kernel takes some 20 ms, more on a busy machine."""
PORT_ATTEMPTS = 3


def _silent(_step: str) -> None:
    """Tell nobody."""


class EmbeddedKafka:
    """One broker on one data folder.

    With `lifeline` it ends when this process ends, however that comes about; without, it outlives it. `port` 0 picks a free
    one at each start. With a `guard` clients need a name, a password and an ACL for whatever they do.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        cache_dir: Path | None = None,
        maven_repository: str | None = None,
        heap: str | None = None,
        lifeline: bool = True,
        guard: Guard | None = None,
    ) -> None:
        """Only keeps the parameters; what is left out is as in `BrokerSettings`."""
        defaults = BrokerSettings()
        self.folder = Folder(data_dir.absolute())
        self._port = port
        self._cache_dir = (cache_dir or defaults.cache_dir).absolute()
        self._repository = maven_repository
        self._heap = heap or defaults.heap
        self._with_lifeline = lifeline
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: subprocess.Popen[bytes] | None = None
        self._state: BrokerState | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The process id of Java. Raises `Fatal` if the broker was not started."""
        return self._known().pid

    @property
    def port(self) -> int:
        """The port on 127.0.0.1. Raises `Fatal` if the broker was not started."""
        return self._known().port

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect. Raises `Fatal` if the broker was not started."""
        return f"{HOST}:{self.port}"

    @property
    def version(self) -> str:
        """The version of Apache Kafka."""
        return KAFKA_VERSION

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self, progress: Callable[[str], None] = _silent) -> str:
        """Start the broker and return its bootstrap servers once it answers.

        The first use on a machine fetches the jars and trains Java's cache. `progress` is told each step in words. Raises
        `Fatal`, with nothing left running, if it cannot start or if a broker runs on this folder already.
        """
        usable(self._cache_dir)
        self.folder.prepare()
        try:
            with exclusive(self._cache_dir):
                runtime = self._runtime(progress)
            with exclusive(self.folder.root):
                return self._start(runtime, progress)
        except OSError as error:
            raise os_failure(Path(error.filename or self.folder.root), error) from error

    def stop(self) -> bool:
        """End the broker in order, after `STOP_SECONDS` by force. True if it went by itself. Idempotent."""
        if self._process is None:
            return True
        process = self._process
        graceful = end(process.pid, lambda: process.poll() is None, timeout=STOP_SECONDS)
        self._ended()
        return graceful

    def kill(self) -> None:
        """SIGKILL, for drills: nothing is flushed and nothing is written down. Returns when the process is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._ended()

    def _known(self) -> BrokerState:
        if self._state is None:
            raise Fatal("the embedded broker was not started", remedy="call start() first")
        return self._state

    def _runtime(self, progress: Callable[[str], None]) -> Runtime:
        runtime = Runtime(self._cache_dir, ready_jars(self._cache_dir, self._repository, progress))
        if not runtime.aot_cache.exists():
            progress("preparing Java's start cache, once")
            _train(runtime, self._heap)
        return runtime

    def _start(self, runtime: Runtime, progress: Callable[[str], None], train: Path | None = None) -> str:
        running = self.folder.running()
        if running:
            raise Fatal(
                f"a broker runs on {self.folder.root} already: process {running.pid}, port {running.port}",
                remedy="use it, stop it with `burnline broker stop`, or set BURNLINE_BROKER__DATA_DIR to another folder",
            )
        attempts = PORT_ATTEMPTS
        while True:
            failed = self._attempt(runtime, progress, train)
            if failed is None:
                return self.bootstrap_servers
            attempts -= 1
            if failed.failure is Failure.CACHE and runtime.cached:
                runtime = replace(runtime, cached=False)
            # A free port may be taken by somebody else before Kafka has it: then choose again.
            elif failed.failure is not Failure.PORT or attempts <= 0:
                raise fatal(failed)

    def _attempt(
        self, runtime: Runtime, progress: Callable[[str], None], train: Path | None
    ) -> diagnosis.Diagnosis | None:
        port, controller_port = _ports(self._port)
        self._configure(port, controller_port)
        failed = self._format(runtime, progress)
        if failed is None:
            progress(f"starting Apache Kafka {KAFKA_VERSION}")
            try:
                self._launch(runtime, port, train)
                failed = self._wait_for_answer()
            except BaseException:
                self.kill()
                raise
            if failed is not None:
                self.kill()
        return failed

    def _configure(self, port: int, controller_port: int) -> None:
        folder = self.folder
        folder.log4j.write_text(log4j_properties(folder.log_file))
        folder.properties.touch(mode=0o600)  # with a guard it holds a password
        folder.properties.write_text(
            server_properties(data=folder.logs, port=port, controller_port=controller_port, guard=self._guard)
        )

    def _format(self, runtime: Runtime, progress: Callable[[str], None]) -> diagnosis.Diagnosis | None:
        if (self.folder.logs / "meta.properties").exists():
            return None
        progress("formatting the data folder")
        fresh = self.folder.root / "logs.new"
        shutil.rmtree(fresh, ignore_errors=True)
        properties = self.folder.root / "format.properties"
        # Formatted beside its place and then renamed, so that an interruption never leaves half a folder.
        lines = self.folder.properties.read_text().splitlines()
        properties.touch(mode=0o600)  # as above
        properties.write_text(
            "\n".join(f"log.dirs={fresh}" if line.startswith("log.dirs=") else line for line in lines)
        )
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        tool = ("kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", str(properties))
        done = runtime.run(*tool, heap=self._heap, log4j=self.folder.log4j)
        properties.unlink()
        if done.returncode:
            return self._diagnose(done.stdout.splitlines())
        if self.folder.logs.is_dir():
            self.folder.logs.rmdir()  # empty, or `prepare` would have refused it
        fresh.rename(self.folder.logs)
        return None

    def _launch(self, runtime: Runtime, port: int, train: Path | None) -> None:
        folder = self.folder
        self._log_start = folder.log_file.stat().st_size if folder.log_file.exists() else 0
        command = runtime.command(MAIN_CLASS, str(folder.properties), heap=self._heap, log4j=folder.log4j, train=train)
        with folder.console.open("wb") as console:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=folder.root,
                start_new_session=True,  # an interrupt from the keyboard is for us, who then stop it in order
            )
        if self._with_lifeline:
            self._lifeline = lifeline(self._process.pid, f"{MAIN_CLASS} {folder.properties}")
        self._state = BrokerState(
            self._process.pid, port, datetime.now(UTC).isoformat(timespec="seconds"), KAFKA_VERSION
        )
        folder.remember(self._state)

    def _wait_for_answer(self) -> diagnosis.Diagnosis | None:
        process, bootstrap = self._process, self.bootstrap_servers
        client = self._guard.client if self._guard else None
        assert process is not None  # noqa: S101  `_launch` has just set it
        if not wait_until(lambda: process.poll() is not None or answers(bootstrap, client), START_SECONDS):
            message = f"the embedded broker does not answer on {bootstrap} after {START_SECONDS:.0f} s"
            return diagnosis.Diagnosis(
                Failure.UNKNOWN, message, f"see {self.folder.log_file}, and how busy the machine is"
            )
        if process.poll() is None:
            return None
        said = [*_lines(self.folder.console), *_lines(self.folder.log_file, self._log_start)]
        return self._diagnose(said)

    def _diagnose(self, lines: list[str]) -> diagnosis.Diagnosis:
        port = self._state.port if self._state else self._port
        root = self.folder.root
        return diagnosis.diagnose(lines, data_dir=root, port=port, heap=self._heap, log_file=self.folder.log_file)

    def _ended(self) -> None:
        if self._lifeline is not None and self._lifeline.stdin is not None:
            self._lifeline.stdin.close()
            self._lifeline.wait()
        self._lifeline = self._process = self._state = None
        self.folder.forget()


def end_other(folder: Folder, state: BrokerState) -> bool:
    """End the broker of this folder that another process started. True if it went by itself."""
    graceful = end(state.pid, lambda: is_broker(command_of(state.pid), folder.properties), timeout=STOP_SECONDS)
    folder.forget()
    return graceful


def _train(runtime: Runtime, heap: str) -> None:
    with tempfile.TemporaryDirectory(dir=runtime.cache_dir, prefix="training-") as scratch:
        recording = Path(scratch) / "kafka.aot"
        broker = EmbeddedKafka(Path(scratch) / "kafka", cache_dir=runtime.cache_dir, heap=heap)
        broker.folder.root.mkdir()
        try:
            broker._start(runtime, _silent, train=recording)  # noqa: SLF001  of this class
            process = broker._process  # noqa: SLF001
            assert process is not None  # noqa: S101  it has just been started
            end(process.pid, lambda: process.poll() is None, timeout=TRAIN_SECONDS)
        finally:
            broker.kill()
        if recording.exists():
            recording.replace(runtime.aot_cache)
        else:
            log.warning("start_cache_not_made", consequence="the broker starts about two seconds slower")


def _ports(wanted: int) -> tuple[int, int]:
    found: list[tuple[int, int]] = []

    def free() -> bool:
        try:
            found.append(_free_ports(wanted))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise Fatal(
                    f"cannot listen on port {wanted} of {HOST}: {error.strerror}",
                    remedy="set BURNLINE_BROKER__PORT to a port above 1023 (0 picks a free one)",
                ) from error
        return bool(found)

    if not wait_until(free, PORT_SECONDS):
        raise fatal(diagnosis.port_in_use(wanted))
    return found[0]


def _free_ports(wanted: int) -> tuple[int, int]:
    # SO_REUSEADDR as Java does it, or the connections of a broker that has just ended would seem to hold the port.
    with socket.socket() as first, socket.socket() as second:
        for each, port in ((first, wanted), (second, 0)):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind((HOST, port))
            each.listen()
        return first.getsockname()[1], second.getsockname()[1]


def _lines(path: Path, start: int = 0) -> list[str]:
    if not path.exists():
        return []
    content = path.read_bytes()
    # A log that was rolled in between begins anew.
    return content[start if start <= len(content) else 0 :].decode(errors="replace").splitlines()
