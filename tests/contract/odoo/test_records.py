"""Searching, reading and writing records."""

from typing import Any

import pytest

from tests.contract.odoo.conftest import Client


@pytest.fixture
def tasks(odoo: Client, project: int) -> dict[str, int]:
    """Four tasks of one project: A and B are high, C is archived, D is low with a deadline."""
    values = [
        {"name": "A alpha", "project_id": project, "priority": "1", "allocated_hours": 1.0, "user_ids": [(6, 0, [])]},
        {"name": "B beta", "project_id": project, "priority": "1", "allocated_hours": 2.0, "user_ids": [(6, 0, [2])]},
        {"name": "C gamma", "project_id": project, "active": False, "user_ids": [(6, 0, [])]},
        {"name": "D Alpha_x", "project_id": project, "date_deadline": "2026-05-01 12:00:00", "user_ids": [(6, 0, [])]},
    ]
    return dict(zip("ABCD", odoo("project.task", "create", values), strict=True))


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        pytest.param([], "ABD", id="terms are joined by and; archived records are hidden"),
        pytest.param([["active", "=", False]], "C", id="a domain that speaks of active sees them"),
        pytest.param([["active", "in", [True, False]]], "ABCD", id="both"),
        pytest.param([["priority", "=", "1"], ["allocated_hours", ">", 1]], "B", id="two terms"),
        pytest.param(["|", ["name", "=", "A alpha"], ["name", "=", "B beta"]], "AB", id="or"),
        pytest.param(["!", ["name", "=", "A alpha"]], "BD", id="not"),
        pytest.param(["&", "!", ["priority", "=", "1"], ["name", "ilike", "alpha"]], "D", id="prefix operators nest"),
        pytest.param([["name", "like", "alpha"]], "A", id="like minds the case"),
        pytest.param([["name", "ilike", "alpha"]], "AD", id="ilike does not"),
        pytest.param([["name", "=like", "B%"]], "B", id="=like takes the pattern as it is"),
        pytest.param([["name", "=ilike", "b%"]], "B", id="=ilike, too"),
        pytest.param([["name", "not ilike", "alpha"]], "B", id="not ilike"),
        pytest.param([["allocated_hours", "<=", 1]], "AD", id="a number that was never set is zero"),
        pytest.param([["date_deadline", "=", False]], "AB", id="false asks for null"),
        pytest.param([["date_deadline", "!=", False]], "D", id="and for what is set"),
        pytest.param([["date_deadline", "!=", "2026-01-01 00:00:00"]], "ABD", id="unequal keeps nulls"),
        pytest.param([["date_deadline", "not in", ["2026-05-01 12:00:00"]]], "AB", id="not in keeps nulls"),
        pytest.param([["date_deadline", ">", "2026-01-01"]], "D", id="an order leaves nulls out"),
        pytest.param([["milestone_id", "in", [False]]], "ABD", id="false among values is null"),
        pytest.param([["milestone_id", "in", []]], "", id="nothing is in an empty list"),
        pytest.param([["milestone_id", "not in", []]], "ABD", id="everything is outside of it"),
        pytest.param([["id", "=?", False], ["name", "=", "B beta"]], "B", id="=? without a value asks nothing"),
        pytest.param([["project_id.active", "=", True]], "ABD", id="a path leads through a reference"),
        pytest.param([["user_ids", "in", [2]]], "B", id="membership in a set"),
        pytest.param([["user_ids", "=", False]], "AD", id="an empty set"),
        pytest.param([["user_ids", "!=", False]], "B", id="a set that is not empty"),
        pytest.param([["user_ids.login", "=", "admin"]], "B", id="a path leads through a set"),
    ],
)
def test_a_domain_finds(odoo: Client, project: int, tasks: dict[str, int], domain: list[Any], found: str) -> None:
    scope = [["project_id", "=", project]]
    ids = odoo("project.task", "search", [*scope, *domain])
    assert sorted(ids) == [tasks[letter] for letter in found]
    assert odoo("project.task", "search_count", [*scope, *domain]) == len(found)


def test_a_reference_can_be_asked_by_name(odoo: Client, unique: str, tasks: dict[str, int]) -> None:
    for term in (["project_id", "=", unique], ["project_id", "ilike", unique[:-1]], ["project_id.name", "=", unique]):
        assert len(odoo("project.task", "search", [term])) == 3


def test_the_context_shows_archived_records(odoo: Client, project: int, tasks: dict[str, int]) -> None:
    domain = [["project_id", "=", project]]
    assert odoo("project.task", "search_count", domain, context={"active_test": False}) == 4
    assert odoo("project.task", "read", [tasks["C"]], ["active"]) == [{"id": tasks["C"], "active": False}]


def test_order_limit_and_offset_page_through(odoo: Client, project: int, tasks: dict[str, int]) -> None:
    domain = [["project_id", "=", project]]
    assert odoo("project.task", "search", domain, 0, 2, "id") == [tasks["A"], tasks["B"]]
    assert odoo("project.task", "search", domain, offset=2, limit=2, order="id") == [tasks["D"]]
    rows = odoo("project.task", "search_read", domain, ["name"], order="priority, allocated_hours desc", limit=5)
    assert [row["name"][0] for row in rows] == ["D", "B", "A"]
    assert odoo("project.task", "search_count", domain, limit=2) == 2


def test_nulls_are_the_largest(odoo: Client, project: int, tasks: dict[str, int]) -> None:
    domain = [["project_id", "=", project]]
    assert odoo("project.task", "search", domain, order="date_deadline, id")[0] == tasks["D"]
    assert odoo("project.task", "search", domain, order="date_deadline desc, id")[-1] == tasks["D"]


def test_values_are_shown_as_odoo_shows_them(odoo: Client, project: int, unique: str, tasks: dict[str, int]) -> None:
    fields = [
        "name",
        "project_id",
        "milestone_id",
        "user_ids",
        "date_deadline",
        "allocated_hours",
        "active",
        "priority",
    ]
    (row,) = odoo("project.task", "read", [tasks["D"]], fields)
    assert row == {
        "id": tasks["D"],
        "name": "D Alpha_x",
        "project_id": [project, unique],
        "milestone_id": False,
        "user_ids": [],
        "date_deadline": "2026-05-01 12:00:00",
        "allocated_hours": 0.0,
        "active": True,
        "priority": "0",
    }
    assert odoo("project.task", "read", tasks["B"], ["user_ids"]) == [{"id": tasks["B"], "user_ids": [2]}]
    (plain,) = odoo("project.task", "read", [tasks["D"]], ["project_id"], load="_classic_write")
    assert plain["project_id"] == project


def test_reading_keeps_the_order_asked_for_and_leaves_out_what_is_gone(odoo: Client, tasks: dict[str, int]) -> None:
    ids = [tasks["B"], tasks["A"], 999999999]
    assert [row["id"] for row in odoo("project.task", "read", ids, ["name"])] == ids[:2]


def test_one_record_gives_an_id_and_a_list_gives_ids(odoo: Client, project: int) -> None:
    assert isinstance(odoo("project.task", "create", {"name": "one", "project_id": project}), int)
    assert len(odoo("project.task", "create", [{"name": "two", "project_id": project}])) == 1
    assert odoo("project.task", "create", []) == []
    assert odoo("project.task", "write", [], {"name": "none"}) is True
    assert odoo("project.task", "unlink", []) is True


def test_a_record_is_found_by_its_name(odoo: Client, project: int, unique: str) -> None:
    assert odoo("project.project", "name_search", unique[:-1], limit=3) == [[project, unique]]


def test_odoorpcs_own_records_work(odoo: Client, project: int, unique: str) -> None:
    record = odoo.rpc.env["project.milestone"].browse(
        odoo.rpc.env["project.milestone"].create({"name": unique, "project_id": project}),
    )
    assert (record.name, record.is_reached) == (unique, False)
    record.is_reached = True
    odoo.rpc.env.commit()
    assert odoo("project.milestone", "read", record.ids, ["is_reached"])[0]["is_reached"] is True


def test_load_is_an_idempotent_create(odoo: Client, project: int, unique: str) -> None:
    headers = ["id", "name", "project_id/.id"]
    row = [f"contract.{unique.replace('-', '_')}", "loaded", str(project)]
    first = odoo("project.task", "load", headers, [row])
    again = odoo("project.task", "load", headers, [[row[0], "loaded again", row[2]]])
    assert first == again
    assert (first["messages"], len(first["ids"])) == ([], 1)
    assert odoo("project.task", "read", first["ids"], ["name"])[0]["name"] == "loaded again"
    assert odoo("project.task", "search_count", [["project_id", "=", project]]) == 1


def test_load_tells_which_row_and_field_it_refuses_and_keeps_nothing(odoo: Client, project: int, unique: str) -> None:
    external = f"contract.{unique.replace('-', '_')}"
    rows = [[external + "_a", "good", str(project)], [external + "_b", "bad", "999999999"]]
    answer = odoo("project.task", "load", ["id", "name", "project_id/.id"], rows)
    assert answer["ids"] is False
    assert [(m["type"], m["record"], m["field"]) for m in answer["messages"]] == [("error", 1, "project_id")]
    assert odoo("project.task", "search_count", [["project_id", "=", project]]) == 0


def test_an_activity_is_loaded_once_and_archived_when_done(odoo: Client, project: int, unique: str) -> None:
    (model,) = odoo("ir.model", "search", [["model", "=", "project.project"]])
    (kind,) = odoo("mail.activity.type", "search", [], limit=1)
    headers = ["id", "res_model_id/.id", "res_id", "activity_type_id/.id", "summary", "date_deadline", "user_id/.id"]
    row = [f"contract.{unique.replace('-', '_')}", str(model), str(project), str(kind), "burn", "2030-01-31", "2"]
    ids = odoo("mail.activity", "load", headers, [row])["ids"]
    assert odoo("mail.activity", "load", headers, [row])["ids"] == ids
    mine = [["res_model", "=", "project.project"], ["res_id", "=", project]]
    assert odoo("mail.activity", "search", mine) == ids
    fields = ["res_model", "res_id", "summary", "date_deadline", "state", "active"]
    expected = {"res_model": "project.project", "res_id": project, "summary": "burn", "date_deadline": "2030-01-31"}
    assert odoo("mail.activity", "read", ids, fields) == [
        {"id": ids[0], **expected, "state": "planned", "active": True}
    ]
    assert isinstance(odoo("mail.activity", "action_feedback", ids, feedback="seen"), int)
    assert odoo("mail.activity", "search", mine) == []
    (done,) = odoo("mail.activity", "read", ids, ["active", "state", "feedback"])
    assert done == {"id": ids[0], "active": False, "state": "done", "feedback": "seen"}
