"""A real registry with every release in it, and the command line that put them there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from infra.settings import RegistrySettings
from schemas import numbering
from tests.support.locks import one_at_a_time


class Burnline(Protocol):
    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]: ...


@dataclass(frozen=True)
class Published:
    """The address of the shared registry, and what the first `publish` said, when it was empty."""

    url: str
    first: list[dict[str, Any]]


def variables(**environment: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BURNLINE_", "ODOO_"))}
    return kept | {"COLUMNS": "200", "BURNLINE_REGISTRY__PATIENCE": "30"} | environment


def run_burnline(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "burnline", *arguments]
    return subprocess.run(
        command, env=variables(**environment), capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def burnline(tmp_path: Path) -> Burnline:
    """The command line, which remembers nothing of other tests."""
    own = {"BURNLINE_REGISTRY__CACHE_DIR": str(tmp_path / "registry")}
    return lambda *arguments, **environment: run_burnline(*arguments, **(own | environment))


@pytest.fixture(scope="session")
def published(apicurio: str, tmp_path_factory: pytest.TempPathFactory, worker_id_or_master: str) -> Published:
    """The shared registry, published to by the first test that asks for it."""
    base = tmp_path_factory.getbasetemp()
    folder = base if worker_id_or_master == "master" else base.parent
    said = folder / "published.jsonl"
    with one_at_a_time(folder / "published.lock"):
        if not said.exists():
            done = run_burnline("schemas", "publish", "--json", BURNLINE_REGISTRY__URL=apicurio)
            assert done.returncode == 0, done.stderr
            said.write_text(done.stdout)
    return Published(apicurio, [json.loads(line) for line in said.read_text().splitlines()])


@pytest.fixture
def settings(published: Published, tmp_path: Path) -> RegistrySettings:
    """The shared registry, for a client that has never met it."""
    return RegistrySettings(url=published.url, cache_dir=tmp_path / "registry")


@pytest.fixture
def own_numbers() -> Iterator[None]:
    """Puts the codec's numbers back as they were."""
    yield
    numbering.use(numbering.Released())
