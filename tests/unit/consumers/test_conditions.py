"""Conditions of a rule, and where the attributes of a subject come from."""

from decimal import Decimal

import pytest

from consumers.core.conditions import When, amount
from consumers.core.directory import Attributes, Directory
from tests.support.alerts import alert

PROJECT, CLIENT = "odoo:firm:project.project:7", "odoo:firm:res.partner:12"
GOLD = Attributes(project_type="fixed", client=12, client_tier="gold", country="BE", department=3, company=1)


@pytest.mark.parametrize(
    ("when", "changed", "about", "matches"),
    [
        pytest.param(When(level="9*"), {}, GOLD, True, id="a glob of the level"),
        pytest.param(When(level=("50", "75")), {}, GOLD, False, id="none of the levels"),
        pytest.param(When(subject="project"), {}, GOLD, True, id="a kind of subject"),
        pytest.param(When(subject=("client", "invoice")), {}, GOLD, False, id="another kind"),
        pytest.param(When(value_at_least=Decimal("0.91")), {}, GOLD, True, id="just as much"),
        pytest.param(When(value_at_least=Decimal("0.92")), {}, GOLD, False, id="less"),
        pytest.param(When(value_at_least=Decimal(0)), {"value": None}, GOLD, False, id="no value reaches nothing"),
        pytest.param(When(amount_at_least=Decimal(1000)), {"values": {"amount": "1000.0"}}, GOLD, True, id="material"),
        pytest.param(
            When(amount_at_least=Decimal(1000)), {"values": {"amount": "999"}}, GOLD, False, id="not material"
        ),
        pytest.param(When(amount_at_least=Decimal(0)), {"values": {}}, GOLD, False, id="about no money"),
        pytest.param(When(amount_at_least=Decimal(0)), {"values": {"amount": "?"}}, GOLD, False, id="no number"),
        pytest.param(When(project_type="fixed"), {}, GOLD, True, id="a project's type"),
        pytest.param(When(project_type=("hourly", "fixed")), {}, GOLD, True, id="one of the types"),
        pytest.param(When(client_tier="silver"), {}, GOLD, False, id="another tier"),
        pytest.param(When(country="BE"), {}, GOLD, True, id="a country"),
        pytest.param(When(department=3), {}, GOLD, True, id="a department"),
        pytest.param(When(department=(4, 5)), {}, GOLD, False, id="other departments"),
        pytest.param(When(company=(1, 2)), {}, GOLD, True, id="one of the companies"),
        pytest.param(When(country="BE"), {}, Attributes(), False, id="what nobody knows meets no condition"),
        pytest.param(When(country="BE", department=4), {}, GOLD, False, id="all must hold"),
    ],
)
def test_conditions(when, changed, about, matches):
    assert when.matches(alert(PROJECT, **changed), about) is matches


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"amount": "5", "company_amount": "6"}, Decimal(6), id="in the company's currency, if told"),
        pytest.param({"committed_cost": "7", "actual_cost": "3"}, Decimal(7), id="what is committed, too"),
        pytest.param({"burn_hours": "0.9"}, None, id="hours are no money"),
    ],
)
def test_the_money_an_alert_is_about(values, expected):
    assert amount(alert(PROJECT, values=values)["current"]) == expected


def project(**changed):
    return {"current": {"project_type": "fixed", "client_id": 12, "manager_id": 5, "company_id": 1} | changed}


def client(**changed):
    return {"current": {"id": 12, "tier": "gold", "country": "BE", "company_id": None} | changed}


@pytest.fixture
def directory():
    made = Directory()
    made.fold("delivery.project.v1", PROJECT, project())
    made.fold("sales.client.v1", CLIENT, client())
    made.fold("measure.dispute-aging.v1", "odoo:firm:account.move:1", {"current": {"client_id": 12, "company_id": 2}})
    made.fold(
        "people.consultant.v1",
        "odoo:firm:hr.employee:3",
        {"current": {"id": 3, "active": True, "department_id": 4, "manager_id": 8, "company_id": 1}},
    )
    return made


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(
            PROJECT,
            Attributes(project_type="fixed", client=12, client_tier="gold", country="BE", manager=5, company=1),
            id="a project, with its client's",
        ),
        pytest.param(CLIENT, Attributes(client=12, client_tier="gold", country="BE"), id="a client"),
        pytest.param(
            "odoo:firm:account.move:1",
            Attributes(client=12, client_tier="gold", country="BE", company=2),
            id="a disputed invoice, with its client's",
        ),
        pytest.param("odoo:firm:hr.employee:3", Attributes(department=4, manager=8, company=1), id="a consultant"),
        pytest.param("odoo:other:project.project:7", Attributes(), id="the same number in another database"),
        pytest.param("n8n:request:1", Attributes(), id="what is not in Odoo"),
    ],
)
def test_what_is_known_of_a_subject(directory, key, expected):
    assert directory.about(key) == expected


def test_the_alert_knows_its_company_best(directory):
    assert directory.about(PROJECT, 9).company == 9


def test_what_is_erased_or_deleted_is_unknown_again(directory):
    directory.fold("sales.client.v1", CLIENT, None)
    assert directory.about(PROJECT).client_tier is None
    directory.fold("delivery.project.v1", PROJECT, {"current": None})
    assert directory.about(PROJECT) == Attributes()


def test_folding_twice_changes_nothing_and_the_latest_counts(directory):
    directory.fold("sales.client.v1", CLIENT, client(tier="silver"))
    directory.fold("sales.client.v1", CLIENT, client(tier="silver"))
    assert directory.about(PROJECT).client_tier == "silver"
