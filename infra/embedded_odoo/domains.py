"""A domain becomes the condition of a SQL query.

Rules kept from Odoo: terms are joined by `&` unless a prefix operator says otherwise; `!=` and `not in` keep rows
whose field is null; times compare in whole seconds (`> 12:00:00` means `>= 12:00:01`); a bound that is only a date is
a day in the user's time zone; archived records are hidden unless the domain or the context speaks of `active`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from infra.embedded_odoo.errors import value_error
from infra.embedded_odoo.fields import Field, Model
from infra.embedded_odoo.models import MODELS
from infra.embedded_odoo.statements import statement
from infra.embedded_odoo.values import SECONDS, second_after

Sql = tuple[str, list[Any]]

_LIKES = {
    "like": ("{e} LIKE ?", "%{v}%"),
    "ilike": ("lower({e}) LIKE lower(?)", "%{v}%"),
    "=like": ("{e} LIKE ?", "{v}"),
    "=ilike": ("lower({e}) LIKE lower(?)", "{v}"),
}
_OPERATORS = frozenset({"=", "!=", "<", "<=", ">", ">=", "in", "not in", "any", "not any", "=?"}) | frozenset(
    {*_LIKES, "not like", "not ilike"},
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a domain is read against: the caller's time zone, and whether archived records are hidden."""

    tz: str = "UTC"
    active_test: bool = True


def expression(model: Model, field: Field, alias: str) -> str:
    """The SQL that gives a single-valued field of the row called `alias`."""
    if field.compute:
        return "(" + field.compute.format(a=alias) + ")"
    if not field.related:
        return f"{alias}.{field.name}"
    first, _, rest = field.related.partition(".")
    if not rest:
        return f"{alias}.{first}"
    target = MODELS[model.fields[first].relation]
    inner = "r_" + alias
    return statement(
        "(SELECT",
        expression(target, target.fields[rest], inner),
        "FROM",
        target.table,
        inner,
        "WHERE",
        f"{inner}.id =",
        f"{alias}.{first})",
    )


def where(model: Model, domain: Sequence[Any], scope: Scope, alias: str = "t") -> Sql:
    """The condition that selects the records of `model` for which the domain holds."""
    compiler = _Compiler(scope)
    sql, values = compiler.domain(model, domain, alias)
    if scope.active_test and "active" in model.fields and not _speaks_of_active(domain):
        sql = f"({sql}) AND {alias}.active = 1"
    return sql, values


def _speaks_of_active(domain: Sequence[Any]) -> bool:
    return any(isinstance(term, list | tuple) and term and term[0] == "active" for term in domain)


class _Compiler:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.aliases = count(1)

    def domain(self, model: Model, domain: Sequence[Any], alias: str) -> Sql:
        """Read prefix notation from the right: operands wait on a stack for their operator."""
        stack: list[Sql] = []
        for term in reversed(list(domain)):
            if term in ("&", "|"):
                if len(stack) < 2:
                    raise value_error(f"Domain() invalid domain: {domain!r}")
                (left, mine), (right, others) = stack.pop(), stack.pop()
                stack.append((f"({left} {'AND' if term == '&' else 'OR'} {right})", mine + others))
            elif term == "!":
                if not stack:
                    raise value_error(f"Domain() invalid domain: {domain!r}")
                sql, values = stack.pop()
                stack.append((f"NOT COALESCE({sql}, 0)", values))
            else:
                stack.append(self.term(model, term, alias))
        joined = " AND ".join(sql for sql, _ in reversed(stack)) or "1"
        return joined, [value for _, values in reversed(stack) for value in values]

    def term(self, model: Model, term: Any, alias: str) -> Sql:
        if not isinstance(term, list | tuple) or len(term) != 3:
            raise value_error(f"Domain() invalid item in domain: {term!r}")
        path, operator, value = term
        if path in (1, 0) and operator == "=":
            return ("1" if path == value else "0"), []
        operator = {"<>": "!=", "==": "="}.get(operator, operator)
        if operator not in _OPERATORS:
            raise value_error(f"Invalid operator in condition {tuple(term)!r}")
        name, _, rest = str(path).partition(".")
        field = model.fields.get(name)
        if field is None:
            raise value_error(f"Invalid field {model.name}.{name} in condition {tuple(term)!r}")
        if rest:
            return self.related(model, field, [(rest, operator, value)], alias)
        if operator in {"any", "not any"}:
            sql, values = self.related(model, field, value, alias)
            return (sql if operator == "any" else f"NOT COALESCE({sql}, 0)"), values
        if field.type in {"one2many", "many2many"}:
            return self.members(model, field, operator, value, alias)
        return self.compare(model, field, operator, value, alias)

    def related(self, model: Model, field: Field, domain: Sequence[Any], alias: str) -> Sql:
        """The records that reach one for which `domain` holds."""
        if not field.relation:
            raise value_error(f"Invalid field {model.name}.{field.name} in condition on a path")
        target = MODELS[field.relation]
        inner = f"t{next(self.aliases)}"
        sql, values = self.domain(target, domain, inner)
        if field.type == "many2one":
            mine, key, table = expression(model, field, alias), f"{inner}.id", f"{target.table} {inner}"
        elif field.type == "one2many":
            key = expression(target, target.fields[field.inverse], inner)
            mine, table = f"{alias}.id", f"{target.table} {inner}"
        else:
            left, right = field.columns
            mine, key = f"{alias}.id", f"m_{inner}.{left}"
            table = f"{field.table} m_{inner} JOIN {target.table} {inner} ON {inner}.id = m_{inner}.{right}"
        return statement(mine, "IN (SELECT", key, "FROM", table, "WHERE", sql + ")"), values

    def members(self, model: Model, field: Field, operator: str, value: Any, alias: str) -> Sql:
        """Membership in a set of related records; no value at all asks for the empty set."""
        negative = operator in {"!=", "not in"}
        if isinstance(value, str):
            sql, values = self.related(model, field, [("display_name", operator, value)], alias)
            return sql, values
        if operator not in {"=", "in", "!=", "not in"}:
            raise value_error(f"Invalid operator in condition ({field.name!r}, {operator!r}, {value!r})")
        if value is False or value is None:
            sql, values = self.related(model, field, [], alias)
            negative = not negative
        else:
            ids = list(value) if isinstance(value, list | tuple) else [value]
            sql, values = self.related(model, field, [("id", "in", ids)], alias)
        return (f"{alias}.id NOT IN (" + sql.partition("IN (")[2] if negative else sql), values

    def compare(  # noqa: PLR0911  a table of kinds of comparison, each with its own answer
        self, model: Model, field: Field, operator: str, value: Any, alias: str
    ) -> Sql:
        e = expression(model, field, alias)
        if operator == "=?":
            if not value:
                return "1", []
            operator = "="
        if field.type == "many2one" and _is_name(value):
            return self.by_name(field, e, operator, value)
        if operator in _LIKES or operator in {"not like", "not ilike"}:
            return _like(e, operator, value)
        if field.type == "boolean":
            e = f"COALESCE({e}, 0)"
        if isinstance(value, list | tuple | set) or operator in {"in", "not in"}:
            return self.one_of(field, e, operator, value)
        if value is None or (value is False and field.type != "boolean"):
            return self.nothing(field, e, operator), []
        if field.type == "datetime":
            return self.moment(e, operator, str(value))
        if operator == "!=":
            return f"({e} IS NULL OR {e} != ?)", [_bound(field, value)]
        return f"{e} {operator} ?", [_bound(field, value)]

    def nothing(self, field: Field, e: str, operator: str) -> str:
        """A comparison with `False`: null, and for numbers also zero."""
        empty = f"({e} IS NULL OR {e} = 0)" if field.type in {"float", "monetary", "integer"} else f"{e} IS NULL"
        if operator == "=":
            return empty
        return f"NOT ({empty})" if operator == "!=" else "0"

    def one_of(self, field: Field, e: str, operator: str, value: Any) -> Sql:
        negative = operator in {"not in", "!="}
        given = list(value) if isinstance(value, list | tuple | set) else [value]
        if field.type == "boolean":
            known, empty = [int(bool(v)) for v in given], False
        else:
            known = [v for v in given if v is not None and v is not False]
            empty = len(known) < len(given)
        if field.type == "datetime":
            parts = [self.moment(e, "=", str(v)) for v in known]
            sql = " OR ".join(p for p, _ in parts) or "0"
            values = [v for _, vs in parts for v in vs]
        else:
            sql = statement(e, "IN (SELECT value FROM json_each(?))")
            values = [json.dumps([_bound(field, v) for v in known])]
        if negative:
            return (f"({e} IS NOT NULL AND NOT ({sql}))" if empty else f"({e} IS NULL OR NOT ({sql}))"), values
        return (f"({sql} OR {e} IS NULL)" if empty else f"({sql})"), values

    def by_name(self, field: Field, e: str, operator: str, value: Any) -> Sql:
        target = MODELS[field.relation]
        inner = f"t{next(self.aliases)}"
        positive = {"!=": "=", "not in": "in"}.get(operator, operator.removeprefix("not "))
        sql, values = self.compare(target, target.fields["display_name"], positive, value, inner)
        found = statement(e, "IN (SELECT", f"{inner}.id", "FROM", target.table, inner, "WHERE", sql + ")")
        return (found if positive == operator else f"({e} IS NULL OR NOT {found})"), values

    def moment(self, e: str, operator: str, value: str) -> Sql:
        low, high = self.span(value)
        if operator in {"=", "!="}:
            high = second_after(low)
            sql = f"({e} >= ? AND {e} < ?)"
            return (sql if operator == "=" else f"({e} IS NULL OR NOT {sql})"), [low, high]
        if operator in {">", "<="}:
            return f"{e} {'>=' if operator == '>' else '<'} ?", [high]
        return f"{e} {operator} ?", [low]

    def span(self, value: str) -> tuple[str, str]:
        """The half-open span that a bound stands for: its second, or its whole day where the caller lives."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise value_error(f"Invalid term {value!r} in expression date: {value!r}") from error
        if len(value) > 10:
            low = moment.replace(microsecond=0, tzinfo=None).strftime(SECONDS)
            return low, second_after(low)
        zone = ZoneInfo(self.scope.tz)
        days = (moment.date(), moment.date() + timedelta(days=1))
        low, high = (datetime.combine(day, time.min, zone).astimezone(UTC).strftime(SECONDS) for day in days)
        return low, high


def _is_name(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list | tuple) and any(isinstance(v, str) for v in value))


def _bound(field: Field, value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if field.type == "date":
        try:
            return datetime.fromisoformat(str(value)).date().isoformat()
        except ValueError as error:
            raise value_error(f"Invalid term {value!r} in expression date: {value!r}") from error
    return value


def _like(e: str, operator: str, value: Any) -> Sql:
    sql, pattern = _LIKES[operator.removeprefix("not ")]
    sql = sql.format(e=e)
    if operator.startswith("not "):
        sql = f"({e} IS NULL OR NOT {sql})"
    return sql, [pattern.format(v=value)]
