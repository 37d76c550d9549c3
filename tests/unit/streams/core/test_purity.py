"""The core reads no clock, no chance and no machine: found in its source, so that no test has to catch it at work."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import streams.core

ALLOWED = {
    "__future__",
    "abc",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "json",
    "math",
    "mypy_extensions",
    "operator",
    "schemas",
    "streams",
    "struct",
    "typing",
    "zoneinfo",
}
CLOCKS = {"now", "utcnow", "today", "time", "monotonic"}
MODULES = sorted(Path(streams.core.__file__).parent.rglob("*.py"))


def imports(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in MODULES])
def test_a_module_imports_only_schemas_itself_and_pure_libraries(path: Path) -> None:
    names = imports(ast.parse(path.read_text(encoding="utf-8")))
    assert {name.partition(".")[0] for name in names} <= ALLOWED
    assert all(name.startswith("streams.core") for name in names if name.startswith("streams"))


def clocks(tree: ast.AST) -> set[str]:
    """Clocks asked by name, or handed on to be asked by somebody else."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    looked_up = {
        node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return (names & CLOCKS) | (words & CLOCKS if "getattr" in looked_up else set())


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in MODULES])
def test_a_module_asks_no_clock(path: Path) -> None:
    assert not clocks(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        pytest.param("from datetime import datetime\nat = datetime.now()", {"now"}, id="what time it is"),
        pytest.param("from datetime import UTC, datetime as d\nat = d.now(UTC)", {"now"}, id="under another name"),
        pytest.param("import datetime\nday = datetime.date.today()", {"today"}, id="what day it is"),
        pytest.param("from datetime import datetime\nclock = datetime.utcnow", {"utcnow"}, id="a clock handed on"),
        pytest.param(
            "from datetime import datetime\nat = getattr(datetime, 'now')()", {"now"}, id="a clock by its name"
        ),
        pytest.param("from datetime import date\nday = date(2026, 3, 30)", set(), id="a day that was said"),
    ],
)
def test_the_lint_finds_a_clock_that_somebody_adds(source: str, asked: set[str]) -> None:
    assert clocks(ast.parse(source)) == asked


@pytest.mark.parametrize(
    "library", ["time", "random", "secrets", "os", "uuid", "asyncio", "confluent_kafka", "infra.clock"]
)
def test_the_lint_finds_an_impure_library_that_somebody_adds(library: str) -> None:
    for source in (f"import {library}", f"from {library} import something", f"def f():\n    import {library} as fine"):
        assert {name.partition(".")[0] for name in imports(ast.parse(source))} - ALLOWED


def test_the_architecture_forbids_a_clock_that_somebody_adds(tmp_path: Path) -> None:
    """The contract that `make check` holds the cores to, on a copy of this one: without a clock, and with one."""
    root = Path(streams.core.__file__).parents[2]
    written = (root / "pyproject.toml").read_text(encoding="utf-8")
    (contract,) = (part for part in written.split("[[") if "Cores are pure" in part)
    contract = contract.replace('"producers.core", ', "").replace(', "consumers.core"', "")
    head = '[tool.importlinter]\nroot_packages = ["streams"]\ninclude_external_packages = true\n\n[['
    (tmp_path / "pyproject.toml").write_text(head + contract, encoding="utf-8")
    shutil.copytree(root / "streams", tmp_path / "streams", ignore=shutil.ignore_patterns("__pycache__"))
    outcomes = []
    for added in ("", "import time\n"):
        with (tmp_path / "streams" / "core" / "days.py").open("a", encoding="utf-8") as module:
            module.write(added)
        command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
        found = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)  # noqa: PLW1510  the linter's own command, whose code is looked at
        outcomes.append((found.returncode, "streams.core.days -> time" in found.stdout))
    assert outcomes == [(0, False), (1, True)]
