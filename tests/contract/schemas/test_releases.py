"""The program's own contracts: as released, and guarded. Each kind of change is made to a copy of them, and what the gate says is read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas import catalogue, gate
from schemas.gate import UNRELEASED, Finding
from schemas.released import RELEASED_FOLDER, index, released
from schemas.topics import TOPICS

TIMESHEET = "burnline.delivery.Timesheet"
EVENT = "burnline.delivery.TimesheetEvent"
Schema = dict[str, Any]


def test_what_is_declared_is_what_was_released():
    today = datetime.now(UTC).date()
    assert gate.examine(TOPICS, index(), avro=catalogue.AVRO_FOLDER, released=RELEASED_FOLDER, today=today) == ()


def test_what_travels_has_a_number_and_a_file_of_its_own():
    for record in catalogue.travelling(TOPICS.values()):
        assert released(record)[-1].schema["name"] == record


def field(schema: Schema, name: str) -> Schema:
    return next(found for found in schema["fields"] if found["name"] == name)


def without(name: str) -> Callable[[Schema], None]:
    return lambda schema: schema["fields"].remove(field(schema, name))


def added(**more: Any) -> Callable[[Schema], None]:
    return lambda schema: schema["fields"].append({"name": "grade", "type": "string", **more})


def of_type(name: str, **changes: Any) -> Callable[[Schema], None]:
    return lambda schema: field(schema, name)["type"].update(changes)


def retyped(name: str, kind: Any) -> Callable[[Schema], None]:
    return lambda schema: field(schema, name).update(type=kind)


def renamed_symbol(schema: Schema) -> None:
    symbols = field(schema, "status")["type"]["symbols"]
    symbols[symbols.index("approved")] = "accepted"


def new_symbol(schema: Schema) -> None:
    field(schema, "status")["type"]["symbols"].append("questioned")


def findings(tmp_path: Path, change: Callable[[Schema], None]) -> list[Finding]:
    avro = tmp_path / "avro"
    shutil.copytree(catalogue.AVRO_FOLDER, avro, ignore=shutil.ignore_patterns("released"))
    schema = json.loads((avro / f"{TIMESHEET}.avsc").read_text())
    change(schema)
    (avro / f"{TIMESHEET}.avsc").write_text(json.dumps(schema))
    today = datetime.now(UTC).date()
    return list(gate.examine(TOPICS, index(), avro=avro, released=RELEASED_FOLDER, today=today))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param(without("minutes"), "removed field", id="removed field"),
        pytest.param(retyped("minutes", "string"), "changed type", id="changed type"),
        pytest.param(added(), "new required field", id="new required field"),
        pytest.param(renamed_symbol, "removed symbol", id="renamed enum symbol"),
        pytest.param(of_type("cost", scale=2), "changed scale", id="changed scale"),
    ],
)
def test_an_incompatible_change_is_stopped(tmp_path, change, kind):
    (finding,) = findings(tmp_path, change)
    assert finding.kind == kind
    assert finding.versions[EVENT] == tuple(release.number for release in released(EVENT))
    assert EVENT in finding.sentence


def test_a_changed_key_is_stopped():
    changed = {**TOPICS, "delivery.timesheet.v1": replace(TOPICS["delivery.timesheet.v1"], key="employee")}
    today = datetime.now(UTC).date()
    (finding,) = gate.examine(changed, index(), avro=catalogue.AVRO_FOLDER, released=RELEASED_FOLDER, today=today)
    assert (finding.kind, finding.subject) == ("changed key", "delivery.timesheet.v1")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(added(type=["null", "string"], default=None), id="a new field that may be null"),
        pytest.param(added(default=""), id="a new field with a default"),
        pytest.param(without("task_id"), id="a field that had a default is gone"),
        pytest.param(new_symbol, id="a new symbol"),
        pytest.param(lambda schema: schema["fields"].reverse(), id="fields in another order"),
        pytest.param(
            lambda schema: field(schema, "task_id").update(default=None, dataClass="public"), id="another class"
        ),
    ],
)
def test_a_compatible_change_is_let_through(tmp_path, change):
    assert {(finding.kind, finding.subject) for finding in findings(tmp_path, change)} == {(UNRELEASED, EVENT)}


def test_a_change_of_words_is_no_change(tmp_path):
    assert findings(tmp_path, lambda schema: field(schema, "minutes").update(doc="Something else.")) == []
