"""Create, write and delete inside one transaction, with Odoo's semantics.

- every write stamps `write_date` with the transaction's begin, also when the value is the same;
- deleting a record clears the references to it without stamping the records that held them;
- a record that changed after a late transaction began makes that transaction run again.
What single models do beyond this is in `rules`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.embedded_odoo.domains import Scope
from infra.embedded_odoo.errors import OdooError, StaleTransactionError, missing, validation_error, value_error
from infra.embedded_odoo.fields import Default, Field, Model
from infra.embedded_odoo.models import MODELS, referrers, relations
from infra.embedded_odoo.query import Row, read
from infra.embedded_odoo.statements import statement
from infra.embedded_odoo.store import Change, Store
from infra.embedded_odoo.values import to_column

_LOG = frozenset({"id", "create_uid", "create_date", "write_uid", "write_date"})
Values = Mapping[str, Any]


class Env:
    """The records as one user sees and changes them in one transaction."""

    def __init__(
        self,
        store: Store,
        change: Change,
        rules: Mapping[str, "Rule"],
        uid: int,
        context: Values | None = None,
    ) -> None:
        """Work in `change`, under the rules of the models, on behalf of the user `uid`."""
        self.store, self.change, self.rules, self.uid = store, change, rules, uid
        self.context = dict(context or {})
        self.db = change.db

    @property
    def today(self) -> str:
        """The day on which the transaction began."""
        return self.change.stamp[:10]

    def one(self, model: str, record_id: int, *names: str) -> Row:
        """Some fields of one record, references as ids; MissingError when it does not exist."""
        target = MODELS[model]
        rows = read(self.db, target, [record_id], [target.fields[n] for n in names], Scope(), names=False)
        if not rows:
            raise missing(model, record_id, self.uid)
        return rows[0]

    def scalar(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.db.execute(sql, values).fetchone()
        return row[0] if row else None

    def create(self, name: str, values: Values, record_id: int = 0) -> int:
        """A new record; `record_id` when its id was already taken from the sequence."""
        model = MODELS[name]
        rule = self.rules.get(name)
        given = {key: value for key, value in values.items() if key not in _LOG}
        for key in given:
            if key not in model.fields:
                raise value_error(f"Invalid field {key!r} in {name!r}")
        for field in model.fields.values():
            if field.default is not None and field.name not in given:
                given[field.name] = self._default(field.default)
        if rule and rule.creating:
            given |= rule.creating(self, given)
        row = self._columns(model, given)
        for field in model.fields.values():
            if field.required and field.is_column and row.get(field.name) is None:
                raise _required(model, field)
        record_id = record_id or self.store.new_id(name)
        stamp = self.change.stamp
        row |= {"id": record_id, "create_uid": self.uid, "create_date": stamp}
        row |= {"write_uid": self.uid, "write_date": stamp}
        marks = ", ".join("?" * len(row))
        sql = statement("INSERT INTO", model.table, "(", ", ".join(row), ") VALUES (", marks, ")")
        self.db.execute(sql, list(row.values()))
        self.change.touch(name, record_id, "create")
        if rule and rule.created:
            rule.created(self, record_id)
        self._write_elsewhere(model, [record_id], given)
        if rule and rule.changed:
            rule.changed(self, record_id, {}, given)
        return record_id

    def write(self, name: str, ids: Sequence[int], values: Values) -> None:
        """Set values on records: the stamp moves even when nothing else does."""
        model = MODELS[name]
        rule = self.rules.get(name)
        given = {key: value for key, value in values.items() if key not in _LOG}
        for key in given:
            if key not in model.fields:
                raise OdooError("builtins.KeyError", key)
        for record_id in ids:
            self._check(model, record_id)
            before = self._before(model, record_id) if rule else {}
            now = given | rule.writing(self, before, given) if rule and rule.writing else given
            self._update(model, record_id, self._columns(model, now))
            self._write_elsewhere(model, [record_id], now)
            if rule and rule.changed:
                rule.changed(self, record_id, before, now)

    def unlink(self, name: str, ids: Sequence[int]) -> None:
        """Delete records, and clear or delete what refers to them, as their fields say."""
        model = MODELS[name]
        rule = self.rules.get(name)
        for record_id in ids:
            self._check(model, record_id)
            before = self._before(model, record_id)
            if rule and rule.deleting:
                rule.deleting(self, before)
            self._forget(name, record_id)
            self.change.last[name, record_id] = before
            self.db.execute(statement("DELETE FROM", model.table, "WHERE id = ?"), (record_id,))
            self.change.touch(name, record_id, "unlink")
            if rule and rule.deleted:
                rule.deleted(self, before)

    def bump(self, name: str, record_id: int, values: Values) -> None:
        """Set computed columns of a record, which stamps it like any write."""
        self._update(MODELS[name], record_id, dict(values))

    def stamp_of(self, name: str, record_id: int) -> str | None:
        """The stamp of a record as the table holds it, or None when it does not exist."""
        found = self.scalar(statement("SELECT write_date FROM", MODELS[name].table, "WHERE id = ?"), record_id)
        return None if found is None else str(found)

    def _check(self, model: Model, record_id: int) -> None:
        stamp = self.stamp_of(model.name, record_id)
        if stamp is None:
            raise missing(model.name, record_id, self.uid)
        if self.change.late and stamp > self.change.stamp:
            raise StaleTransactionError

    def _before(self, model: Model, record_id: int) -> Row:
        fields = [f for f in model.fields.values() if f.is_column]
        return read(self.db, model, [record_id], fields, Scope(), names=False)[0]

    def _default(self, default: Any) -> Any:
        if not isinstance(default, Default):
            return default
        if default is Default.TODAY:
            return self.today
        if default is Default.NOW:
            return self.change.stamp
        if default is Default.USER:
            return self.uid
        company = self.scalar("SELECT company_id FROM res_users WHERE id = ?", self.uid)
        if default is Default.COMPANY:
            return company
        return self.scalar("SELECT currency_id FROM res_company WHERE id = ?", company)

    def _columns(self, model: Model, values: Values) -> Row:
        row = {}
        for key, value in values.items():
            field = model.fields[key]
            if not field.is_column:
                continue
            row[key] = to_column(model.name, field, value)
            if field.type == "many2one" and row[key] and self.stamp_of(field.relation, row[key]) is None:
                raise missing(field.relation, row[key], self.uid)
        return row

    def _update(self, model: Model, record_id: int, row: Row) -> None:
        if self.change.late:
            self._check(model, record_id)
        row = row | {"write_uid": self.uid, "write_date": self.change.stamp}
        sets = ", ".join(f"{column} = ?" for column in row)
        sql = statement("UPDATE", model.table, "SET", sets, "WHERE id = ?")
        self.db.execute(sql, [*row.values(), record_id])
        self.change.touch(model.name, record_id, "write")

    def _write_elsewhere(self, model: Model, ids: Sequence[int], values: Values) -> None:
        """Values that live in another record or in a relation table."""
        for key, value in values.items():
            field = model.fields[key]
            for record_id in ids:
                if field.related and "." in field.related:
                    through, _, there = field.related.partition(".")
                    target = self.one(model.name, record_id, through)[through]
                    self.write(model.fields[through].relation, [target], {there: value})
                elif field.type == "many2many":
                    self._link(field, record_id, value)
                elif field.type == "one2many":
                    self._command_lines(field, record_id, value)

    def _link(self, field: Field, record_id: int, value: Any) -> None:
        mine, other = field.columns
        clear = statement("DELETE FROM", field.table, "WHERE", mine, "= ?")
        add = statement("INSERT OR IGNORE INTO", field.table, "(", mine, ",", other, ") VALUES (?, ?)")
        commands = value or []
        if all(isinstance(item, int) for item in commands):
            commands = [(6, 0, commands)]
        for code, *rest in commands:
            if code in {5, 6}:
                self.db.execute(clear, (record_id,))
            if code == 3:
                self.db.execute(clear + f" AND {other} = ?", (record_id, rest[0]))
            new = rest[1] if code == 6 else [rest[0]] if code == 4 else []
            self.db.executemany(add, [(record_id, target) for target in new])

    def _command_lines(self, field: Field, record_id: int, value: Any) -> None:
        for code, target, *rest in value or []:
            if code == 0:
                self.create(field.relation, {**rest[0], field.inverse: record_id})
            elif code == 1:
                self.write(field.relation, [target], rest[0])
            elif code == 2:
                self.unlink(field.relation, [target])

    def _forget(self, name: str, record_id: int) -> None:
        """References to a record about to go: cascade, refuse, or set to null without a stamp."""
        for model, field in referrers(name):
            found = self.db.execute(
                statement("SELECT id FROM", model.table, "WHERE", field.name, "= ?"),
                (record_id,),
            ).fetchall()
            ids = [row[0] for row in found]
            if not ids:
                continue
            if field.ondelete == "cascade":
                self.unlink(model.name, ids)
            elif field.required:
                raise _required(model, field)
            else:
                clear = statement("UPDATE", model.table, "SET", field.name, "= NULL WHERE", field.name, "= ?")
                self.db.execute(clear, (record_id,))
        for table, column in relations(name):
            self.db.execute(statement("DELETE FROM", table, "WHERE", column, "= ?"), (record_id,))
        self.db.execute("DELETE FROM ir_model_data WHERE model = ? AND res_id = ?", (name, record_id))


@dataclass(frozen=True, slots=True)
class Rule:
    """What a model does beyond its columns.

    `creating` and `writing` add values before a row is written; the others act on other records in the same
    transaction. `changed` gets the row before (empty for a new one) and the values written.
    """

    creating: Callable[[Env, Values], Row] | None = None
    created: Callable[[Env, int], None] | None = None
    writing: Callable[[Env, Row, Values], Row] | None = None
    changed: Callable[[Env, int, Row, Values], None] | None = None
    deleting: Callable[[Env, Row], None] | None = None
    deleted: Callable[[Env, Row], None] | None = None


def _required(model: Model, field: Field) -> OdooError:
    label = field.describe()["string"]
    return validation_error(
        "The operation cannot be completed: Missing required value for the field"
        f" '{label}' ({field.name}).\nModel: '{model.name}' ({model.name})\n"
        "- create/update: a mandatory field is not set\n"
        "- delete: another model requires the record being deleted, you can archive it instead\n",
    )
