"""Personal data stands where a tombstone erases it, or among those cleared for it; what is shown of it is masked by class."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from burnline.docs.model import public_topics, state_of
from burnline.docs.samples import sample
from schemas import catalogue
from schemas.personal import FIELDS
from schemas.privacy import MASK, class_of, erasable, masked, misplaced, opaque, personal, unmarked
from schemas.topics import TOPICS, DataClass, topic

SCHEMAS = {path.stem: json.loads(path.read_text()) for path in sorted(catalogue.AVRO_FOLDER.glob("*.avsc"))}
SKILL, CONSULTANT, PROJECT = (topic(f"{name}.v1") for name in ("people.skill", "people.consultant", "delivery.project"))


def test_no_personal_field_stands_where_it_may_not():
    assert list(misplaced(TOPICS.values())) == []


def test_a_field_taken_from_a_personal_one_is_personal():
    assert list(unmarked(SCHEMAS)) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param(replace(SKILL, data_class=DataClass.INTERNAL), "has the class internal", id="outside its class"),
        pytest.param(replace(SKILL, data_class=DataClass.CONFIDENTIAL), "the class confidential", id="confidential is no clearance for people"),
        pytest.param(replace(CONSULTANT, compacted=False), "no tombstone could erase it", id="a name that nothing erases"),
        pytest.param(replace(PROJECT, record=SKILL.record), "people.Skill.level", id="a record on another's topic"),
    ],
)  # fmt: skip
def test_a_personal_field_out_of_its_place_is_told(changed, said):
    found = list(misplaced([changed]))
    assert found
    assert any(said in sentence for sentence in found), found


def test_a_field_whose_source_is_personal_and_which_does_not_say_so_is_told():
    entry = json.loads(json.dumps(SCHEMAS["burnline.internal.TimeEntry"]))
    for field in entry["fields"]:
        field["dataClass"] = "internal"
    (day, minutes) = unmarked({**SCHEMAS, "burnline.internal.TimeEntry": entry})
    assert "TimeEntry.day is taken from burnline.delivery.Timesheet.date" in day
    assert "TimeEntry.minutes" in minutes


def test_what_a_tombstone_erases_are_compacted_topics_about_people_and_no_others():
    found = {name for name in TOPICS if erasable(name)}
    assert found >= {
        "people.consultant.v1",
        "sales.client.v1",
        "measure.utilization.v1",
        "internal.utilization-state.v1",
    }
    assert all(TOPICS[name].compacted for name in found)
    assert not found & {"delivery.timesheet.v1", "ops.dead-letter.v1"}, "what keeps its history cannot forget"
    assert "governance.freeze.v1" not in found, "who decided is not erased"
    assert not erasable("no.such.v1")


def test_what_names_somebody_outright_is_told_from_what_is_merely_about_them():
    naming = {field.field for one in TOPICS.values() for field in personal(one) if field.naming}
    assert naming == {"name"}


def test_fields_that_hold_what_others_said_are_found_by_their_type():
    assert {name: opaque(one) for name, one in TOPICS.items() if opaque(one)} == {
        "ops.dead-letter.v1": ["key", "value", "headers"],
        "ops.webhook.v1": ["body"],
    }


def test_what_came_from_nowhere_we_know_is_confidential():
    assert class_of("/webhooks/helpdesk") is DataClass.CONFIDENTIAL
    assert class_of("delivery.timesheet.v1") is DataClass.PERSONAL


def record_of(name: str) -> Any:
    state = {"id": 7, "name": "Ada Example", "hourly_cost": None, "employed_from": 3, "currency": "EUR"}
    event = {"meta": {"subject": "odoo:firm:hr.employee:7"}, "previous": None, "current": state}
    return masked(name, event)


def test_a_record_is_masked_by_class_in_whatever_depth_and_nulls_stay():
    shown = record_of("burnline.people.ConsultantEvent")
    assert shown["current"] == {"id": 7, "name": MASK, "hourly_cost": None, "employed_from": MASK, "currency": "EUR"}
    assert (shown["meta"], shown["previous"]) == ({"subject": "odoo:firm:hr.employee:7"}, None)


def test_rows_in_a_list_of_several_kinds_are_masked():
    entry = {field["name"]: 1 for field in SCHEMAS["burnline.internal.TimeEntry"]["fields"]}
    shown = masked("burnline.internal.Frame", {"entries": [("burnline.internal.TimeEntry", entry)]})
    ((_, row),) = shown["entries"]
    assert (row["day"], row["minutes"], row["employee_id"]) == (MASK, MASK, 1)


@pytest.mark.parametrize("contract", public_topics(), ids=lambda contract: contract.name)
def test_a_masked_record_shows_no_personal_value(contract):
    state = state_of(contract)["name"]
    shown, whole = masked(contract.record, sample(contract)), sample(contract)
    for field, value in whole["current"].items():
        hidden = field in FIELDS.get(state, ()) and value is not None
        assert shown["current"][field] == (MASK if hidden else value), field
