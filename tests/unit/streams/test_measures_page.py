"""docs/measures.md is true: its example is accepted, and no rule, setting or reason is missing from it."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings
from streams.core import Measures
from streams.core.monitors.data_quality import FLAWS
from streams.wiring import measures_policy
from tests.unit.streams.core.world import ROOT

PAGE = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
SETTINGS = PAGE.partition("## Settings")[2].partition("## Reasons")[0].splitlines()
NAMED = set(re.findall(r"`([a-z_.]+)`", PAGE))


def defaults(policy: Any, place: str = "") -> Iterator[tuple[str, str, Any]]:
    for one in fields(policy):
        value = getattr(policy, one.name)
        if is_dataclass(value):
            yield from defaults(value, f"{place}{one.name}.")
        else:
            yield place, one.name, value


def reasons() -> set[str]:
    """What the core gives as a reason: words handed to `note`, and to `ratio` as what is said where it cannot be told."""
    found = set()
    for path in (ROOT / "streams" / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("no_available"):
                found.add(node.value)
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"note", "ratio"}
            ):
                said = node.args if node.func.attr == "note" else node.args[-1:]
                words = (one for argument in said for one in ast.walk(argument) if isinstance(one, ast.Constant))
                found |= {one.value for one in words if isinstance(one.value, str)}
    return found


def test_its_example_is_a_policy(tmp_path: Path) -> None:
    example = textwrap.dedent(PAGE[PAGE.index("    measures:") : PAGE.index("\nA subject changes rules")])
    (tmp_path / "burnline.yaml").write_text(example, encoding="utf-8")
    policy = measures_policy(Settings(config=tmp_path / "burnline.yaml"))
    assert (policy.utilization.target, policy.later[0].rules.utilization.target) == (Decimal("0.70"), Decimal("0.75"))
    assert policy.dispute_aging.service(7, "Gold") == (1, 10)
    assert policy.client_exposure.limit_of(7, "gold") == 200_000


@pytest.mark.parametrize("runbook", [path.stem for path in sorted((ROOT / "docs" / "runbooks").glob("*.*.md"))])
def test_it_names_every_rule(runbook: str) -> None:
    assert runbook in NAMED


def test_it_names_every_setting_with_its_default() -> None:
    for place, name, value in defaults(Measures()):
        if name in {"owner", "later"}:
            continue
        begins, named = rf"\| `{re.escape(place)}[a-z_]+`", rf"^[^|]*\|[^|]*`({re.escape(place)})?{name}`"
        (row,) = (line for line in SETTINGS if re.match(begins, line) and re.search(named, line))
        if value not in (None, (), {}):
            told = f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)
            assert told in row, f"{place}{name}"


def test_it_names_every_reason() -> None:
    assert {*reasons(), *FLAWS, "out_of_range", "recorded_in_the_future"} - NAMED == set()
