"""The methods that every model answers over RPC, with Odoo's names, arguments and answers."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from infra.embedded_odoo.database import Database
from infra.embedded_odoo.domains import Scope
from infra.embedded_odoo.errors import OdooError, user_error
from infra.embedded_odoo.fields import Model
from infra.embedded_odoo.grouping import groups
from infra.embedded_odoo.loading import load
from infra.embedded_odoo.models import MODELS
from infra.embedded_odoo.query import Row, chosen, display_names, read, search, search_count
from infra.embedded_odoo.rules import METHODS
from infra.embedded_odoo.seed import TIMEZONE

_CLASSIC = "_classic_read"
_OPERATIONS = frozenset({"read", "write", "create", "unlink"})
_ON_RECORDS = frozenset({"read", "write", "unlink", "has_access"})


class Call:
    """One call: who asks, in which context, of which model."""

    def __init__(self, database: Database, uid: int, model: Model, context: Mapping[str, Any]) -> None:
        """Answer for `model` as the user `uid`."""
        self.database, self.uid, self.model, self.context = database, uid, model, context
        self.scope = Scope(str(context.get("tz") or TIMEZONE), bool(context.get("active_test", True)))

    def search(self, domain: Sequence[Any], offset: int = 0, limit: int | None = None, order: str = "") -> list[int]:
        """Ids in order."""
        with self.database.store.read() as db:
            return search(db, self.model, domain, self.scope, order=order, limit=limit, offset=offset)

    def search_count(self, domain: Sequence[Any], limit: int | None = None) -> int:
        """How many."""
        with self.database.store.read() as db:
            return search_count(db, self.model, domain, self.scope, limit)

    def search_read(  # noqa: PLR0917  Odoo's signature
        self,
        domain: Sequence[Any] = (),
        fields: Sequence[str] | None = None,
        offset: int = 0,
        limit: int | None = None,
        order: str = "",
        load: str | None = _CLASSIC,
    ) -> list[Row]:
        """Search and read in one snapshot."""
        wanted = chosen(self.model, fields)
        with self.database.store.read() as db:
            ids = search(db, self.model, domain, self.scope, order=order, limit=limit, offset=offset)
            return read(db, self.model, ids, wanted, self.scope, names=load == _CLASSIC)

    def formatted_read_group(
        self, domain: Sequence[Any], groupby: Sequence[str] = (), aggregates: Sequence[str] = ()
    ) -> list[Row]:
        """Groups of a domain with their counts and sums."""
        with self.database.store.read() as db:
            return groups(db, self.model, domain, self.scope, by=groupby, aggregates=aggregates)

    def read(self, ids: Any, fields: Sequence[str] | None = None, load: str | None = _CLASSIC) -> list[Row]:
        """The records that exist, in the order of `ids`."""
        wanted = chosen(self.model, fields)
        with self.database.store.read() as db:
            return read(db, self.model, _ids(ids), wanted, self.scope, names=load == _CLASSIC)

    def fields_get(self, allfields: Sequence[str] | None = None, attributes: Sequence[str] | None = None) -> Row:
        """What each field is; unknown names are left out."""
        fields = [f for f in self.model.fields.values() if not allfields or f.name in allfields]
        described = {field.name: field.describe() for field in fields}
        if not attributes:
            return described
        return {name: {k: v for k, v in facts.items() if k in attributes} for name, facts in described.items()}

    def name_search(
        self,
        name: str = "",
        domain: Sequence[Any] | None = None,
        operator: str = "ilike",
        limit: int | None = 100,
    ) -> list[list[Any]]:
        """`[id, name]` of the records whose name matches."""
        terms = [*(domain or []), ["display_name", operator, name]] if name else list(domain or [])
        with self.database.store.read() as db:
            ids = search(db, self.model, terms, self.scope, limit=limit)
            names = display_names(db, self.model, ids)
        return [[record_id, names[record_id]] for record_id in ids]

    def default_get(self, fields: Sequence[str]) -> Row:
        """The defaults that do not depend on anything."""
        known = {f.name: f.default for f in self.model.fields.values() if f.name in fields}
        return {name: value for name, value in known.items() if isinstance(value, bool | int | float | str)}

    def has_access(self, ids: Any, operation: str) -> bool:  # noqa: ARG002  Odoo's signature
        """The administrator may do everything."""
        return operation in _OPERATIONS

    def check_access_rights(self, operation: str, raise_exception: bool = True) -> bool:  # noqa: ARG002  Odoo's signature
        """The older name of the same question."""
        return self.has_access([], operation)

    def context_get(self) -> Row:
        """The user's language and time zone."""
        return {"lang": "en_US", "tz": TIMEZONE, "uid": self.uid}

    def check_object_reference(self, module: str, xml_id: str, raise_on_access_error: bool = False) -> list[Any]:  # noqa: ARG002  Odoo's signature
        """`[model, id]` of an external id."""
        with self.database.store.read() as db:
            sql = "SELECT model, res_id FROM ir_model_data WHERE module = ? AND name = ?"
            found = db.execute(sql, (module, xml_id)).fetchone()
        if not found:
            raise OdooError("builtins.ValueError", f"External ID not found in the system: {module}.{xml_id}")
        return list(found)

    def create(self, vals_list: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> int | list[int]:
        """The id of one new record, or the ids of a list of them."""
        with self.database.change(self.uid, self.context) as env:
            if isinstance(vals_list, Mapping):
                return env.create(self.model.name, vals_list)
            return [env.create(self.model.name, values) for values in vals_list]

    def write(self, ids: Any, vals: Mapping[str, Any]) -> bool:
        """True when all were written."""
        with self.database.change(self.uid, self.context) as env:
            env.write(self.model.name, _ids(ids), vals)
        return True

    def unlink(self, ids: Any) -> bool:
        """True when all were deleted."""
        with self.database.change(self.uid, self.context) as env:
            env.unlink(self.model.name, _ids(ids))
        return True

    def load(self, fields: Sequence[str], data: Sequence[Sequence[Any]]) -> Row:
        """Create or update by external id."""
        with self.database.change(self.uid, self.context) as env:
            return load(env, self.model.name, fields, data)

    def method(self, name: str, ids: Any, *args: Any, **kwargs: Any) -> Any:
        """A method of this model alone."""
        with self.database.change(self.uid, self.context) as env:
            return METHODS[self.model.name, name](env, _ids(ids), *args, **kwargs)


_EVERYWHERE: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        f.__name__: f
        for f in (
            Call.search,
            Call.search_count,
            Call.search_read,
            Call.formatted_read_group,
            Call.read,
            Call.fields_get,
            Call.name_search,
            Call.default_get,
            Call.create,
            Call.write,
            Call.unlink,
            Call.load,
            Call.has_access,
            Call.check_access_rights,
        )
    },
)
_SOMEWHERE: Mapping[tuple[str, str], Callable[..., Any]] = MappingProxyType(
    {
        ("res.users", "context_get"): Call.context_get,
        ("ir.model.data", "check_object_reference"): Call.check_object_reference,
    },
)


def execute(  # noqa: PLR0917  the six things that make a call
    database: Database, uid: int, name: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Call a method of a model as Odoo's `execute_kw` does; raises OdooError with what it would refuse."""
    if name not in MODELS:
        raise user_error(f"Object {name} doesn't exist")
    if method.startswith("_"):
        sentence = f"Private methods (such as '{name}.{method}') cannot be called remotely."
        raise OdooError("odoo.exceptions.AccessError", sentence)
    named = dict(kwargs)
    call = Call(database, uid, MODELS[name], named.pop("context", None) or {})
    answer = _SOMEWHERE.get((name, method)) or _EVERYWHERE.get(method)
    if answer is not None:
        return answer(call, *args, **named)
    if (name, method) in METHODS:
        return call.method(method, *args, **named)
    raise OdooError("builtins.AttributeError", f"The method '{name}.{method}' does not exist")


def of_records(name: str, method: str) -> bool:
    """Whether a method is called on records, and not on the model."""
    return method in _ON_RECORDS or (name, method) in METHODS


def _ids(ids: Any) -> list[int]:
    return [ids] if isinstance(ids, int) else list(ids)
