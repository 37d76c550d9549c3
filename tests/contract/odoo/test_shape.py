"""Every model, field and column of the embedded server exists on the real one, under the same name and type."""

import pytest

from infra.embedded_odoo.models import MODELS
from tests.contract.odoo.conftest import Client

_OURS = frozenset({"account.payment.register"})
"""A wizard, of which only the call is mirrored."""
_JSON = frozenset({"json"})


@pytest.mark.parametrize("name", sorted(MODELS.keys() - _OURS))
def test_fields_have_the_names_and_types_of_odoo(odoo: Client, name: str) -> None:
    fields = {f.name: f for f in MODELS[name].fields.values() if not f.name.startswith("x_")}
    told = odoo(
        name, "fields_get", list(fields), attributes=["type", "relation", "relation_field", "selection", "name"]
    )
    assert told.keys() == fields.keys()
    for field in fields.values():
        facts = told[field.name]
        if field.type == "selection":
            assert set(field.selection) <= {key for key, _ in facts["selection"]}
        assert (field.name, facts["type"]) == (field.name, field.type)
        assert facts.get("relation", "") == field.relation
        if field.type == "one2many":
            assert facts["relation_field"] == field.inverse


@pytest.mark.parametrize("name", sorted(MODELS.keys() - _OURS))
def test_columns_and_relation_tables_have_the_names_of_odoos_database(odoo: Client, name: str) -> None:
    model = MODELS[name]
    assert {c for c in model.columns if not c.startswith("x_")} <= odoo.columns(model.table)
    for field in model.fields.values():
        if field.type == "many2many":
            assert set(field.columns) <= odoo.columns(field.table)
