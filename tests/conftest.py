"""What the whole run shares: a Kafka broker, a schema registry on it, one more broker with ACLs on, and the real Odoo where its lab is.

They belong to the process that runs pytest (under xdist: the controller). Workers ask it over a loopback socket, and it starts what is
asked for when the first of them does; so a run that needs no broker starts none, and a run that is killed leaves none.
`BURNLINE_TEST_KAFKA=<bootstrap servers>` uses a broker that already runs, in place of the open one.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import threading
import uuid
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from infra.embedded_kafka import BrokerHandle, choose
from infra.errors import BurnlineError, Fatal
from infra.settings import load_settings
from tests.support.apicurio import Apicurio, unpacked
from tests.support.guarded import Door, Guarded
from tests.support.locks import one_at_a_time

# The suites share few cores: how long an example takes says nothing of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

LAB = Path(__file__).resolve().parents[2] / "shared" / "odoo" / "lab"


class SharedBroker:
    """The servers of the run, each started by the first who asks; serves the workers of xdist from threads."""

    def __init__(self) -> None:
        self._lock, self._registry_lock = threading.Lock(), threading.Lock()
        self._registry: Apicurio | None = None
        self._folder: TemporaryDirectory[str] | None = None
        self._handle: BrokerHandle | None = None
        self._guarded: Guarded | None = None
        self._listener: Listener | None = None
        self.key = secrets.token_bytes(16)

    def bootstrap_servers(self) -> str:
        with self._lock:
            if self._handle is None:
                self._folder = TemporaryDirectory(prefix="burnline-test-kafka-")
                # The user's own repository and cache, but never the user's own broker or data; and more memory, since in the end it
                # has thousands of topics: with little it would stand still for its own garbage, for longer than tests wait.
                own = {"port": 0, "data_dir": Path(self._folder.name) / "kafka", "heap": "1g"}
                settings = load_settings().broker.model_copy(update=own)
                self._handle = choose(settings, configured=os.environ.get("BURNLINE_TEST_KAFKA"))
            return self._handle.bootstrap_servers

    def door(self) -> Door:
        with self._lock:
            if self._guarded is None:
                self._guarded = Guarded()
            return self._guarded.door

    def registry(self) -> str:
        with self._registry_lock:
            if self._registry is None:
                self._registry = Apicurio(load_settings().broker, self.bootstrap_servers())
                self._registry.start()
            return self._registry.url

    def serve(self) -> tuple[str, int]:
        """The address at which workers ask."""
        if self._listener is None:
            self._listener = Listener(("127.0.0.1", 0), backlog=64, authkey=self.key)
            threading.Thread(target=self._answer, args=(self._listener,), name="shared-broker", daemon=True).start()
        return self._listener.address  # type: ignore[return-value]  # of the family that we chose

    def _answer(self, listener: Listener) -> None:
        while True:
            worker = listener.accept()
            asked = worker.recv()
            if asked == "stop":
                worker.close()
                return
            threading.Thread(target=self._tell, args=(worker, asked), name="shared-broker", daemon=True).start()

    def _tell(self, worker: Connection, asked: str) -> None:
        with worker:
            try:
                worker.send((True, getattr(self, asked)()))
            except BurnlineError as error:
                worker.send((False, f"{error}; {error.remedy}"))

    def close(self) -> None:
        if self._listener is not None:
            with Client(self._listener.address, authkey=self.key) as last:
                last.send("stop")
            self._listener.close()
        if self._registry is not None:
            self._registry.close()
        if self._handle is not None:
            self._handle.stop()
        if self._guarded is not None:
            self._guarded.close()
        if self._folder is not None:
            self._folder.cleanup()


BROKER = pytest.StashKey[SharedBroker]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[BROKER] = SharedBroker()


def pytest_unconfigure(config: pytest.Config) -> None:
    if BROKER in config.stash:
        config.stash[BROKER].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where to ask."""
    broker = node.config.stash[BROKER]
    node.workerinput["burnline_broker"] = (*broker.serve(), broker.key.hex())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A mark brings its fixture, and a fixture its mark, so that `-m` chooses rightly whichever a test wrote."""
    for item in items:
        names: list[str] = getattr(item, "fixturenames", [])
        for mark, fixture in (
            ("odoo", "real_odoo"),
            ("kafka", "kafka_bootstrap"),
            ("kafka", "door"),
            ("kafka", "apicurio"),
        ):
            if fixture in names:
                item.add_marker(mark)
        if item.get_closest_marker("odoo") and "real_odoo" not in names:
            names.insert(0, "real_odoo")


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> str:
    """Bootstrap servers of the broker that the whole run shares."""
    return str(_shared(request, "bootstrap_servers"))


@pytest.fixture(scope="session")
def door(request: pytest.FixtureRequest) -> Door:
    """The way into the broker with ACLs on, which the whole run shares: topics and rights are as the registry has them.

    Every role's principal is a user there. What a test adds it adds under names of its own.
    """
    found = _shared(request, "door")
    assert isinstance(found, Door)
    return found


@pytest.fixture(scope="session")
def apicurio(request: pytest.FixtureRequest) -> str:
    """The address of the registry that the whole run shares, an Apicurio on the shared broker; skipped where it cannot be had."""
    try:
        unpacked(load_settings().broker)
    except Fatal as error:
        pytest.skip(f"no Apicurio: {error}; {error.remedy}")
    return str(_shared(request, "registry"))


def _shared(request: pytest.FixtureRequest, what: str) -> Any:
    workerinput = getattr(request.config, "workerinput", None)
    if workerinput is None:
        return getattr(request.config.stash[BROKER], what)()
    host, port, key = workerinput["burnline_broker"]
    with Client((host, port), authkey=bytes.fromhex(key)) as controller:
        controller.send(what)
        started, answer = controller.recv()
    assert started, answer
    return answer


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> str:
    """A beginning for names of topics, groups and transactional ids that no other test has."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40]
    return f"test.{name}-{uuid.uuid4().hex[:12]}."


@dataclass(frozen=True)
class RealOdoo:
    """A real Odoo 19 with its demo company. It is shared: create your own records and count nobody else's."""

    url: str
    db: str
    user: str
    password: str
    pg_dsn: str

    def sql(self, query: str) -> list[list[str]]:
        """The rows of a query on Odoo's own database, each value as text (null is empty; no value may contain `|`)."""
        done = subprocess.run([str(LAB), "sql", query], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("|") for line in done.stdout.splitlines()]


@pytest.fixture(scope="session")
def real_odoo(tmp_path_factory: pytest.TempPathFactory, worker_id_or_master: str) -> RealOdoo:
    """The Odoo of the lab, started if it is not running; the test is skipped where there is no lab."""
    if not LAB.exists():
        pytest.skip("no Odoo lab at ../shared/odoo/lab")
    base = tmp_path_factory.getbasetemp()
    with one_at_a_time((base if worker_id_or_master == "master" else base.parent) / "odoo-lab.lock"):
        done = subprocess.run([str(LAB), "up"], capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    values = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    return RealOdoo(
        values["ODOO_URL"], values["ODOO_DB"], values["ODOO_USER"], values["ODOO_PASSWORD"], values["ODOO_PG_DSN"]
    )


@pytest.fixture(scope="session")
def worker_id_or_master(request: pytest.FixtureRequest) -> str:
    """The name of this xdist worker; `master` without xdist."""
    workerinput: dict[str, str] = getattr(request.config, "workerinput", {"workerid": "master"})
    return workerinput["workerid"]
