"""The core reads no clock, no chance and no machine: found in its source, so that no test has to catch it at work."""

from __future__ import annotations

import ast
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
    "heapq",
    "itertools",
    "math",
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


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in MODULES])
def test_a_module_asks_no_clock(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & CLOCKS
    assert not asked
