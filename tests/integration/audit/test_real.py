"""The audit of the real Odoo: what changes in silence, and what a user may not see any more."""

from typing import Any

import odoorpc
import pytest

from infra.odoo import connect
from infra.settings import KafkaSettings, OdooSettings, Settings
from producers.audit import Difference, Request, run
from producers.capture.source import Source
from producers.core.mapping import mappings
from producers.core.policy import CapturePolicy
from tests.integration.capture.conftest import alone_with

pytestmark = [pytest.mark.kafka, pytest.mark.odoo]
MILESTONE, TASK, LINE = "project.milestone", "project.task", "account.analytic.line"


def settings_of(odoo: Any, kafka: KafkaSettings) -> Settings:
    given = {"url": odoo.url, "db": odoo.db, "user": odoo.user, "password": odoo.password}
    return Settings(kafka=kafka, odoo=OdooSettings(**given))


def client_of(odoo: Any, user: str, password: str) -> Any:
    host, _, port = odoo.url.removeprefix("http://").partition(":")
    rpc = odoorpc.ODOO(host, port=int(port))
    rpc.login(odoo.db, user, password)
    return rpc


def test_a_milestone_deleted_takes_itself_off_tasks_in_silence_and_sums_see_it(
    real_odoo: Any, kafka: KafkaSettings, unique: str
) -> None:
    """No stamp of the task moves: neither a poll nor a comparison of stamps can see it."""
    rpc = client_of(real_odoo, real_odoo.user, real_odoo.password)

    def call(model: str, method: str, *arguments: Any) -> Any:
        return rpc.execute_kw(model, method, list(arguments))

    project = call("project.project", "create", {"name": unique, "allow_milestones": True})
    milestone = call(MILESTONE, "create", {"name": unique, "project_id": project})
    task = call(TASK, "create", {"name": unique, "project_id": project, "milestone_id": milestone})
    settings = settings_of(real_odoo, kafka)
    request = Request(models=(MILESTONE, TASK), quick=True, settle=0.2)
    with alone_with(real_odoo.db):
        run(settings, {}, Request(models=(MILESTONE, TASK), repair=True, settle=0.2))
        stamp = call(TASK, "read", [task], ["write_date"])
        call(MILESTONE, "unlink", [milestone])
        assert call(TASK, "read", [task], ["write_date"]) == stamp
        told: list[Difference] = []
        run(settings, {}, request, on_difference=told.append)
        found = {(one.subject.split(":")[2], int(one.subject.split(":")[3]), one.kind) for one in told}
        assert {(MILESTONE, milestone, "phantom"), (TASK, task, "wrong")} <= found
        run(settings, {}, Request(models=(MILESTONE, TASK), repair=True, settle=0.2))
        told.clear()
        run(settings, {}, request, on_difference=told.append)
        assert not [one for one in told if one.subject.endswith((f":{task}", f":{milestone}"))]


def test_what_is_hidden_from_a_user_is_not_gone(real_odoo: Any, kafka: KafkaSettings, unique: str) -> None:
    rpc = client_of(real_odoo, real_odoo.user, real_odoo.password)

    def call(model: str, method: str, *arguments: Any, **named: Any) -> Any:
        return rpc.execute_kw(model, method, list(arguments), named)

    groups = [
        call("ir.model.data", "check_object_reference", module, name)[1]
        for module, name in (("project", "group_project_user"), ("hr_timesheet", "group_hr_timesheet_user"))
    ]
    partner = call("res.partner", "create", {"name": unique})
    given = {"login": unique, "partner_id": partner, "password": unique, "group_ids": [(4, group) for group in groups]}
    call("res.users", "create", given)
    project = call("project.project", "create", {"name": unique, "allow_timesheets": True})
    employee = call("hr.employee", "create", {"name": unique})
    values = {"name": unique, "project_id": project, "employee_id": employee, "unit_amount": 1.0}
    kept, deleted = (call(LINE, "create", values) for _ in range(2))
    call(LINE, "unlink", [deleted])
    settings = settings_of(real_odoo, kafka)
    limited = OdooSettings(url=settings.odoo.url, db=settings.odoo.db, user=unique, password=unique)  # type: ignore[arg-type]
    for odoo, gone in ((settings.odoo, [deleted]), (limited, [deleted])):
        source = Source(connect(odoo), 1000)
        (one,) = source.readable(mapping for mapping in mappings(CapturePolicy()) if mapping.model == LINE)
        there = {row["id"] for _, rows in source.by_id(one, [kept, deleted], "sweep") for row in rows}
        assert there == ({kept} if odoo is settings.odoo else set())
        assert source.gone(one, sorted({kept, deleted} - there)) == gone
