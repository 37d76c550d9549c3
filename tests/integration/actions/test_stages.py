"""Stages of tasks and of projects in a real Odoo, set when an alert is raised and set back when it clears."""

from __future__ import annotations

import uuid

import pytest

from infra.odoo import connect
from tests.integration.actions.test_bad_input import about
from tests.integration.actions.test_conformance import failed

pytestmark = pytest.mark.odoo
STAGES = "project.group_project_stages"


@pytest.fixture
def made(odoo, project):  # the project, since it is taken away after what is in it
    """Makes records, and takes them away again, the last first."""
    there = []

    def make(model, /, **values):
        [identity] = odoo.call(model, "create", vals_list=[values])
        there.append((model, identity))
        return identity

    yield make
    for model, identity in reversed(there):
        odoo.call(model, "unlink", [identity])


@pytest.fixture
def task(made, project):
    """A task in the first of a project's stages, the two stages, and their names."""
    names = [f"{word} {uuid.uuid4().hex}" for word in ("To do", "At risk")]
    first, second = (made("project.task.type", name=name, project_ids=[(6, 0, [project])]) for name in names)
    return made("project.task", name="a task", project_id=project, stage_id=first), (first, second), names


def external(made, model, identity):
    """An external id for a record."""
    name = uuid.uuid4().hex
    made("ir.model.data", module="firm", name=name, model=model, res_id=identity)
    return f"firm.{name}"


def stage_of(odoo, model, identity):
    [row] = odoo.read(model, [identity], ["stage_id"])
    return row["stage_id"] if isinstance(row["stage_id"], int) else row["stage_id"][0]


def as_said(how, made, model, stage, name):
    """A stage as a policy may say it."""
    said = {"stage_id": name, "stage_id/.id": str(stage), "stage_id/id": None}[how]
    return {how: external(made, model, stage) if said is None else said}


HOWS = pytest.mark.parametrize("how", ["stage_id", "stage_id/.id", "stage_id/id"])


@HOWS
def test_a_task_goes_to_a_stage_and_back(odoo, odoo_settings, made, task, how):
    identity, stages, names = task
    first, second = (as_said(how, made, "project.task.type", *pair) for pair in zip(stages, names, strict=True))
    bench = about(odoo, odoo_settings, "odoo_update", "project.task", identity, set=second, when_cleared=first)

    assert bench.run(bench.planned(), bench.planned()) == [f"project.task:{identity}"] * 2
    assert stage_of(odoo, "project.task", identity) == stages[1]
    bench.run(bench.planned(status="cleared"))
    assert stage_of(odoo, "project.task", identity) == stages[0]


def test_a_stage_of_the_same_name_in_another_project_is_not_taken(odoo, odoo_settings, made, task):
    identity, stages, names = task
    elsewhere = made("project.project", name="another")
    made("project.task.type", name=names[1], sequence=-10, project_ids=[(6, 0, [elsewhere])])

    bench = about(odoo, odoo_settings, "odoo_update", "project.task", identity, set={"stage_id": names[1]})
    bench.run(bench.planned())

    assert stage_of(odoo, "project.task", identity) == stages[1]


def test_a_name_that_two_stages_have_is_told_and_nothing_is_set(odoo, odoo_settings, made, task, project):
    identity, stages, names = task
    made("project.task.type", name=names[1], project_ids=[(6, 0, [project])])

    failure = failed(about(odoo, odoo_settings, "odoo_update", "project.task", identity, set={"stage_id": names[1]}))

    assert failure.reason == (
        f"several records of project.task.type named {names[1]} can be set as stage_id: give stage_id/id or stage_id/.id"
    )
    assert failure.final
    assert stage_of(odoo, "project.task", identity) == stages[0]


@pytest.fixture
def with_stages(odoo, odoo_settings, made):
    """Who may see the stages of projects, which is a setting in Odoo."""
    login, password = f"stages-{uuid.uuid4().hex}@firm.example", uuid.uuid4().hex
    [me] = odoo.search_read("res.users", [("login", "=", odoo_settings.user)], ["group_ids"])
    [data] = odoo.search_read(
        "ir.model.data", [("module", "=", "project"), ("name", "=", "group_project_stages")], ["res_id"]
    )
    made(
        "res.users",
        name="Who sees stages",
        login=login,
        password=password,
        group_ids=[(6, 0, [*me["group_ids"], data["res_id"]])],
    )
    return odoo_settings.model_copy(update={"user": login, "password": type(odoo_settings.password)(password)})


@HOWS
def test_a_project_goes_to_a_stage_and_back(odoo, made, project, with_stages, how):
    names = [f"{word} {uuid.uuid4().hex}" for word in ("Running", "At risk")]
    stages = [made("project.project.stage", name=name) for name in names]
    seeing = connect(with_stages)
    before = stage_of(seeing, "project.project", project)
    seeing.call("project.project", "write", [project], vals={"stage_id": stages[0]})
    first, second = (as_said(how, made, "project.project.stage", *pair) for pair in zip(stages, names, strict=True))
    bench = about(odoo, with_stages, "odoo_update", "project.project", project, set=second, when_cleared=first)

    try:
        assert bench.run(bench.planned(), bench.planned()) == [f"project.project:{project}"] * 2
        assert stage_of(seeing, "project.project", project) == stages[1]
        bench.run(bench.planned(status="cleared"))
        assert stage_of(seeing, "project.project", project) == stages[0]
    finally:
        seeing.call("project.project", "write", [project], vals={"stage_id": before})


def test_who_may_not_see_the_stages_of_projects_is_told(odoo, odoo_settings, project):
    failure = failed(about(odoo, odoo_settings, "odoo_update", "project.project", project, set={"stage_id": "At risk"}))

    assert failure.reason.startswith("Odoo shows this user no field stage_id of project.project")
    assert failure.final
