"""Fields that the firm names: what of them is told, and what `doctor` says of those that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from infra.embedded_odoo import EmbeddedOdoo
from infra.odoo import OdooClient, connect
from infra.settings import KafkaSettings, OdooSettings, Settings
from producers.capture.source import Source
from producers.capture.survey import survey
from producers.core.mapping import Context, mappings
from producers.core.policy import CapturePolicy
from tests.integration.capture.conftest import Client, Running, Subscriber

PROJECT, CLIENT = "project.project", "res.partner"


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.odoo)])
def any_odoo(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("embedded" if request.param == "embedded" else "real_odoo")


@pytest.fixture
def client(any_odoo: Any) -> OdooClient:
    settings = {"url": any_odoo.url, "db": any_odoo.db, "user": any_odoo.user, "password": any_odoo.password}
    return connect(OdooSettings(**settings))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("partner_id", "{unique} the client", id="a many2one: its record's name"),
        pytest.param("last_update_status", "at_risk", id="a selection: its value, which no language changes"),
        pytest.param("name", "{unique} the project", id="a line of text"),
        pytest.param("account_id", None, id="a many2one that leads nowhere"),
    ],
)
def test_what_is_told_of_a_projects_type(client: OdooClient, unique: str, field: str, expected: str | None) -> None:
    policy = CapturePolicy(project_type_field=field)
    source = Source(client, 100)
    (one,) = source.readable(mapping for mapping in mappings(policy) if mapping.model == PROJECT)
    (partner,) = client.call(CLIENT, "create", vals_list=[{"name": f"{unique} the client", "is_company": True}])
    values = {"name": f"{unique} the project", "partner_id": partner, "last_update_status": "at_risk"}
    made = client.call(PROJECT, "create", vals_list=[values | ({"account_id": False} if expected is None else {})])
    if expected is None:
        client.call(PROJECT, "write", made, vals={"account_id": False})
    ((_, (row,)),) = source.by_id(one, made, "hint")
    state = one.mapping.entities[0].state(row, Context(source.lookups(), policy), None)
    assert state is not None
    assert state["project_type"] == (None if expected is None else expected.format(unique=unique))
    (listed,) = [row for rows in source.pages(one, (("id", "in", made),), "sweep") for row in rows]
    assert listed == row, "a page tells the same as a look-up"


@pytest.mark.parametrize(
    ("capture", "model", "says"),
    [
        pytest.param({"project_type_field": "date_start"}, PROJECT, "date_start is a date", id="a type that is a day"),
        pytest.param({"client_tier_field": "active"}, CLIENT, "active is a boolean", id="a tier that is a flag"),
        pytest.param({"cost_budget_field": "name"}, PROJECT, "name is a char", id="a budget that is a text"),
        pytest.param(
            {"required_skills_field": "user_ids"},
            "project.task",
            "user_ids is a many2many to res.users",
            id="skills that are people",
        ),
        pytest.param(
            {"dispute": {"state_field": "partner_id"}},
            "account.move",
            "partner_id is a many2one",
            id="a dispute that is a partner",
        ),
        pytest.param(
            {"approved": {"field": "timesheet_invoice_type", "values": ["signed"]}},
            "account.analytic.line",
            "timesheet_invoice_type never is signed",
            id="an approval that cannot come",
        ),
        pytest.param({"project_type_field": "x_nothing"}, PROJECT, "has no field x_nothing", id="a field that is not"),
    ],
)
def test_doctor_says_which_field_does_not_fit(
    client: OdooClient, capture: dict[str, object], model: str, says: str
) -> None:
    plain = {problem.model for problem in survey(client, {})}
    found = [problem for problem in survey(client, {"capture": capture}) if problem.model not in plain]
    assert [problem.model for problem in found] == [model]
    assert says in found[0].detail
    assert "capture" in found[0].remedy


def test_a_type_that_is_renamed_is_told_of_every_project_that_has_it(
    embedded: EmbeddedOdoo,
    kafka: KafkaSettings,
    settings_for: Callable[..., Settings],
    begin: Callable[..., Running],
    subscriber: Subscriber,
) -> None:
    """No stamp of the project moves."""
    odoo = Client(embedded, "embedded")
    kind = odoo(CLIENT, "create", {"name": "Fixed price", "is_company": True})
    project = odoo(PROJECT, "create", {"name": "P", "partner_id": kind})
    settings = settings_for(embedded, kafka, sweep_interval=3600.0)
    subscriber.check = begin(settings, {"capture": {"project_type_field": "partner_id"}}).check
    key = f"odoo:{embedded.db}:{PROJECT}:{project}"
    subscriber.until("delivery.project.v1", key, bool)
    odoo(CLIENT, "write", [kind], {"name": "By the hour"})
    changed = subscriber.until("delivery.project.v1", key, lambda events: len(events) == 2)[-1]
    assert (changed["changed"], changed["current"]["project_type"]) == (["project_type"], "By the hour")
    assert changed["meta"]["mode"] == "poll"
