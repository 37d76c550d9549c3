"""One row of project.task: the task, an assignment for each of its people, a change request where it is tagged."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from producers.core.changes import Origin, change
from producers.core.mapping import PART, Context
from producers.core.mapping import tasks as mapped
from producers.core.policy import CapturePolicy
from schemas.topics import topic
from tests.support.rows import BASE, LOOKUPS, mapping_of, state

TASK, ASSIGNMENT, REQUEST = "delivery.task.v1", "delivery.assignment.v1", "delivery.change-request.v1"
ROW: dict[str, Any] = {
    "name": "Home page", "project_id": 5, "state": "01_in_progress", "active": True, "user_ids": [4, 6],
    "allocated_hours": 25.0, "date_deadline": "2026-04-15 16:00:00", "date_assign": "2026-03-29 22:30:00", "tag_ids": [21],
    "create_uid": 2, "write_uid": 4,
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param({}, {"status": "in_progress", "planned_minutes": 1500, "people": 2}, id="open"),
        pytest.param({"allocated_hours": 0.0}, {"planned_minutes": None}, id="no time planned is null, not 0"),
        pytest.param(
            {"state": "1_done", "date_end": "2026-03-09 10:00:00"},
            {"status": "done", "closed_at": datetime(2026, 3, 9, 10, tzinfo=UTC)},
            id="done",
        ),
        pytest.param(
            {"state": "02_changes_requested", "date_end": "2026-03-09 10:00:00"},
            {"status": "in_progress", "closed_at": None},
            id="an open task has no end, whatever Odoo kept of an earlier one",
        ),
        pytest.param({"state": "03_approved"}, {"status": "in_progress"}, id="approved is not done"),
        pytest.param({"state": "05_newer"}, {"status": "in_progress"}, id="a state newer than us is open"),
        pytest.param({"company_id": False}, {"company_id": 1}, id="a task without a company has its project's"),
    ],
)
def test_task(row: dict[str, Any], expected: dict[str, Any]) -> None:
    found = state(TASK, {**ROW, **row})
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"project_id": False}, id="private"),
        pytest.param({"is_template": True}, id="a template"),
        pytest.param({"has_template_ancestor": True}, id="part of a template"),
    ],
)
def test_what_is_no_work_makes_no_event(row: dict[str, Any]) -> None:
    for name in (TASK, ASSIGNMENT):
        assert state(name, {**ROW, **row, PART: 4}) is None


@pytest.mark.parametrize(
    ("previous", "current", "verb"),
    [
        pytest.param(None, "in_progress", "created", id="new"),
        pytest.param(None, "done", "completed", id="first seen done"),
        pytest.param("in_progress", "done", "completed", id="done"),
        pytest.param("waiting", "cancelled", "cancelled", id="cancelled"),
        pytest.param("done", "in_progress", "reopened", id="to be done after all"),
        pytest.param("cancelled", "waiting", "reopened", id="brought back"),
        pytest.param("waiting", "in_progress", "changed", id="begun"),
        pytest.param("done", "done", "changed", id="edited after its end"),
        pytest.param("done", None, "deleted", id="deleted"),
    ],
)
def test_what_a_change_of_a_task_is_called(previous: Any, current: Any, verb: str) -> None:
    states: list[Any] = [{"status": name} if name else None for name in (previous, current)]
    assert mapped.task_verb(*states) == verb
    assert verb in topic(TASK).verbs


@pytest.mark.parametrize(
    ("user", "row", "expected"),
    [
        pytest.param(4, {}, {"employee_id": 7, "planned_minutes": 750, "task_minutes": 1500, "people": 2}, id="a half"),
        pytest.param(
            4, {"company_id": 2}, {"employee_id": 8, "company_id": 2}, id="employed by two: the task's company counts"
        ),
        pytest.param(6, {}, {"employee_id": 9}, id="an employee shared by all companies"),
        pytest.param(
            5, {"user_ids": [5]}, {"employee_id": None, "planned_minutes": 1500}, id="a login without employee"
        ),
        pytest.param(
            4, {"user_ids": [4, 5, 6], "allocated_hours": 0.125}, {"planned_minutes": 3}, id="8 minutes in three"
        ),
        pytest.param(4, {}, {"starts_on": date(2026, 3, 30), "ends_on": date(2026, 4, 15)}, id="days of the company"),
        pytest.param(
            4,
            {"planned_date_begin": "2026-03-01 08:00:00"},
            {"starts_on": date(2026, 3, 1)},
            id="planned in Enterprise",
        ),
    ],
)
def test_assignment(user: int, row: dict[str, Any], expected: dict[str, Any]) -> None:
    found = state(ASSIGNMENT, {**ROW, **row, PART: user})
    assert {name: found[name] for name in expected} == expected


def test_skills_demanded_are_those_of_the_field_that_the_firm_names() -> None:
    policy = CapturePolicy(required_skills_field="x_skill_ids")
    mapping, _ = mapping_of(ASSIGNMENT, policy)
    assert "x_skill_ids" in mapping.needed
    assert state(ASSIGNMENT, {**ROW, "x_skill_ids": [14, 3], PART: 4}, policy)["required_skill_ids"] == [3, 14]
    assert state(ASSIGNMENT, {**ROW, "x_skill_ids": [14, 3], PART: 4})["required_skill_ids"] == []


def test_somebody_taken_off_a_task_is_unassigned_and_may_come_back() -> None:
    _, entity = mapping_of(ASSIGNMENT)
    event: Any = None
    told = []
    for number, people in enumerate(([4], [6], [4])):
        row = {**BASE, **ROW, "user_ids": people, PART: 4, "write_date": f"2026-03-10 09:0{number}:00"}
        origin = Origin("odoo:x", "x", "poll", datetime(2026, 3, 10, tzinfo=UTC))
        event = change(entity, event, row, Context(LOOKUPS), subject="odoo:x:project.task:3:4", origin=origin)
        told.append((event["meta"]["event_type"].split(".")[2], event["meta"]["version"]))
    assert told == [("assigned", 1), ("unassigned", 2), ("assigned", 3)]


REQUESTED = {**ROW, "tag_ids": [21, 22]}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param({}, {"status": "raised", "minutes": 1500, "decided_at": None, "decided_by_id": None}, id="raised"),
        pytest.param(
            {"state": "03_approved"},
            {"status": "approved", "decided_at": datetime(2026, 3, 10, 9, tzinfo=UTC), "decided_by_id": 4},
            id="approved: when it was written, by who wrote it",
        ),
        pytest.param(
            {"state": "1_canceled", "date_end": "2026-03-08 12:00:00"},
            {"status": "rejected", "decided_at": datetime(2026, 3, 8, 12, tzinfo=UTC)},
            id="rejected: when the task ended",
        ),
    ],
)
def test_a_tagged_task_is_a_change_request(row: dict[str, Any], expected: dict[str, Any]) -> None:
    found = state(REQUEST, {**REQUESTED, **row}, model="project.task")
    assert {name: found[name] for name in expected} == expected
    assert (found["kind"], found["reference"], found["requester_id"]) == ("task", "3", 2)


def test_a_task_without_the_tag_is_none_and_one_that_lost_it_is_withdrawn() -> None:
    assert state(REQUEST, ROW, model="project.task") is None
    before = state(REQUEST, REQUESTED, model="project.task")
    after = state(REQUEST, ROW, model="project.task", previous=before)
    assert after["status"] == "withdrawn"
    later = state(
        REQUEST, {**ROW, "write_date": "2026-03-12 09:00:00", "write_uid": 9}, model="project.task", previous=after
    )
    assert later == after, "a later write does not move the decision"


def test_the_firm_names_its_tags() -> None:
    policy = CapturePolicy(change_request_tags=("bug",))
    assert state(REQUEST, ROW, policy, model="project.task")["status"] == "raised"
    assert state(REQUEST, {**ROW, "tag_ids": [22]}, policy, model="project.task") is None
