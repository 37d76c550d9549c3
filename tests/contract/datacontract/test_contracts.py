"""The tool of the Open Data Contract Standard accepts every contract, and would have said so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from burnline.docs.contracts import contract, contracts
from schemas.topics import topic
from tests.support.pages import ends
from tests.support.tools import installed

HERE = Path(__file__).parent
RECIPE = [HERE / name for name in ("requirements.txt", "lint.py")]
UV = str(Path(sys.executable).with_name("uv"))
BROKEN = {
    "a type that the standard does not have": ("logicalType: boolean", "logicalType: perhaps"),
    "a server without an address": ("host:", "hostess:"),
    "a field without a name": ("- name: event_id", "- title: event_id"),
}


def opinions(folder: Path, documents: dict[str, str]) -> dict[str, Any]:
    """What the tool thinks of each contract."""
    tool = installed(
        "datacontract",
        RECIPE,
        [UV, "venv", "--quiet", "--python", sys.executable, "venv"],
        [UV, "pip", "install", "--quiet", "--python", "venv/bin/python", "--require-hashes", "-r", "requirements.txt"],
    )
    paths = [folder / f"{place}.odcs.yaml" for place in range(len(documents))]
    for path, text in zip(paths, documents.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [tool / "venv/bin/python", tool / "lint.py", *paths], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(documents, json.loads(done.stdout), strict=True))


def test_every_contract_is_valid(tmp_path: Path) -> None:
    """One test, since starting the tool is what takes the time."""
    good = contracts() | {"of a topic that ends": contract(ends(topic("delivery.timesheet.v1")))}
    example = good["delivery.timesheet.v1.odcs.yaml"]
    broken = {name: example.replace(old, new) for name, (old, new) in BROKEN.items()}
    found = opinions(tmp_path, {**good, **broken})

    passed = {"result": "passed", "checks": [["passed", "Data contract is valid against ODCS v3.1.0", None]]}
    assert {name: found[name] for name in good} == dict.fromkeys(good, passed)
    assert {name: found[name]["result"] for name in broken} == dict.fromkeys(broken, "failed")
