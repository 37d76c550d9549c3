"""Every model the server knows, by name, in the order in which `ir.model` numbers them.

Names, types and tables are Odoo 19's; the contract suite holds them against a real server. Fields beginning with `x_`
are those that the firm added.
"""

from collections.abc import Mapping
from types import MappingProxyType

from infra.embedded_odoo.fields import Field, Model
from infra.embedded_odoo.models_base import BASE
from infra.embedded_odoo.models_delivery import DELIVERY
from infra.embedded_odoo.models_finance import FINANCE
from infra.embedded_odoo.models_people import PEOPLE
from infra.embedded_odoo.models_sales import SALES

MODELS: Mapping[str, Model] = MappingProxyType({m.name: m for m in (*BASE, *PEOPLE, *SALES, *DELIVERY, *FINANCE)})

MODEL_IDS: Mapping[str, int] = MappingProxyType({name: number for number, name in enumerate(MODELS, start=1)})


def referrers(target: str) -> list[tuple[Model, Field]]:
    """The stored many2one fields that point at a model: what a deletion there has to look after."""
    return [
        (model, field)
        for model in MODELS.values()
        for field in model.fields.values()
        if field.type == "many2one" and field.relation == target and field.is_column
    ]


def relations(target: str) -> set[tuple[str, str]]:
    """The relation tables that mention a model, each with the column that holds its id."""
    found = set()
    for model in MODELS.values():
        for field in model.fields.values():
            if field.type == "many2many":
                mine, other = field.columns
                if model.name == target:
                    found.add((field.table, mine))
                if field.relation == target:
                    found.add((field.table, other))
    return found
