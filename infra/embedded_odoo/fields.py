"""What a field is: the declaration from which columns, domains, reads, writes and `fields_get` are made.

A stored field is a column of the model's table under its own name, as in Odoo's PostgreSQL. A related field is looked
up through a many2one (`related="current_version_id.department_id"`) and written through it. A computed field is a SQL
expression in which `{a}` stands for the table's alias.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any


class Default(Enum):
    """Values that only the moment of creation knows."""

    TODAY = "today"
    USER = "user"
    COMPANY = "company"
    CURRENCY = "currency"
    NOW = "now"


TIMEZONES = ("America/New_York", "Asia/Tokyo", "Europe/Brussels", "Europe/London", "Europe/Paris", "UTC")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a model; see the head of this module."""

    name: str
    type: str
    relation: str = ""
    inverse: str = ""
    """one2many: the many2one on the other side; many2one: what a deletion of its target does is `ondelete`."""
    table: str = ""
    columns: tuple[str, str] = ("", "")
    """many2many: the relation table, its column for this model and the one for the other."""
    selection: tuple[str, ...] = ()
    required: bool = False
    readonly: bool = False
    default: Any = None
    related: str = ""
    compute: str = ""
    ondelete: str = ""

    @property
    def is_column(self) -> bool:
        """Whether the model's own table holds it."""
        return not (self.related or self.compute or self.type in {"one2many", "many2many"})

    @property
    def sql_type(self) -> str:
        """The column's type in SQLite."""
        return _SQL_TYPES[self.type]

    def describe(self) -> dict[str, Any]:
        """The field as `fields_get` tells it."""
        out: dict[str, Any] = {
            "type": self.type,
            "name": self.name,
            "string": self.name.removesuffix("_id").removesuffix("_ids").replace("_", " ").title(),
            "required": self.required,
            "readonly": self.readonly or bool(self.compute),
            "store": not (self.related or self.compute or (self.type == "one2many" and not self.inverse)),
            "searchable": True,
            "sortable": self.type not in {"one2many", "many2many"},
            "groupable": True,
            "exportable": True,
            "manual": self.name.startswith("x_"),
            "change_default": False,
            "company_dependent": False,
            "default_export_compatible": False,
            "depends": [],
        }
        if self.relation:
            out |= {"relation": self.relation, "context": {}, "domain": []}
        if self.type == "one2many":
            out["relation_field"] = self.inverse
        if self.type == "selection":
            out["selection"] = [[key, key.replace("_", " ").title()] for key in self.selection]
        if self.type == "monetary":
            out["currency_field"] = "currency_id"
        return out


_SQL_TYPES = MappingProxyType(
    {
        "integer": "INTEGER",
        "many2one": "INTEGER",
        "many2one_reference": "INTEGER",
        "boolean": "INTEGER",
        "float": "REAL",
        "monetary": "REAL",
        "char": "TEXT",
        "text": "TEXT",
        "html": "TEXT",
        "selection": "TEXT",
        "date": "TEXT",
        "datetime": "TEXT",
        "json": "TEXT",
    },
)


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its fields by name, its default order and the SQL that shows a record's name."""

    name: str
    order: str
    fields: Mapping[str, Field]
    display: str = "{a}.name"

    @property
    def table(self) -> str:
        """The table that holds it."""
        return self.name.replace(".", "_")

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its stored columns, `id` first."""
        return tuple(f.name for f in self.fields.values() if f.is_column)


def model(name: str, *fields: Field, order: str = "id", display: str = "{a}.name") -> Model:
    """A model of these fields and of those that every model has."""
    log = (
        Field("id", "integer", readonly=True),
        *fields,
        Field("display_name", "char", readonly=True, compute=display),
        Field("create_uid", "many2one", "res.users", readonly=True),
        Field("create_date", "datetime", readonly=True),
        Field("write_uid", "many2one", "res.users", readonly=True),
        Field("write_date", "datetime", readonly=True),
    )
    return Model(name, order, MappingProxyType({f.name: f for f in log}), display)


def char(name: str, **options: Any) -> Field:
    """A line of text."""
    return Field(name, "char", **options)


def integer(name: str, **options: Any) -> Field:
    """A whole number."""
    return Field(name, "integer", **options)


def number(name: str, **options: Any) -> Field:
    """A binary floating point number, as Odoo keeps hours and quantities."""
    return Field(name, "float", **options)


def money(name: str, **options: Any) -> Field:
    """An amount in the record's currency."""
    return Field(name, "monetary", **options)


def boolean(name: str, **options: Any) -> Field:
    """True or false; never null once written."""
    return Field(name, "boolean", **options)


def date(name: str, **options: Any) -> Field:
    """A calendar day."""
    return Field(name, "date", **options)


def moment(name: str, **options: Any) -> Field:
    """A time in UTC: microseconds in the table, whole seconds over RPC."""
    return Field(name, "datetime", **options)


def choice(name: str, *keys: str, **options: Any) -> Field:
    """One of these keys."""
    return Field(name, "selection", selection=keys, **options)


def to_one(name: str, relation: str, **options: Any) -> Field:
    """A reference to one record; a required one forbids that its target be deleted unless `ondelete` says otherwise."""
    return Field(name, "many2one", relation, **options)


def to_many(name: str, relation: str, inverse: str) -> Field:
    """The records that refer to this one through `inverse`."""
    return Field(name, "one2many", relation, inverse)


def many(name: str, relation: str, table: str, mine: str, other: str, **options: Any) -> Field:
    """References kept in a relation table."""
    return Field(name, "many2many", relation, table=table, columns=(mine, other), **options)


def active() -> Field:
    """The flag that archives a record."""
    return boolean("active", default=True)


def timezone(**options: Any) -> Field:
    """A time zone; some of the hundreds that Odoo offers."""
    return choice("tz", *TIMEZONES, **options)


def company() -> Field:
    """The company that owns the record."""
    return to_one("company_id", "res.company", default=Default.COMPANY)


def currency(**options: Any) -> Field:
    """The currency of the record's amounts."""
    return to_one("currency_id", "res.currency", default=Default.CURRENCY, **options)
