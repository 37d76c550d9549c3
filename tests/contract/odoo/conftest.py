"""One suite, two servers: whatever is said here of the embedded Odoo was seen on the real one."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import odoorpc
import pytest

from infra.embedded_odoo import EmbeddedOdoo
from infra.embedded_odoo.statements import statement


class Odoo(Protocol):
    url: str
    db: str
    user: str
    password: str

    def sql(self, query: str) -> Sequence[Sequence[Any]]: ...


class Client:
    """The server under test: calls over odoorpc, and the truth by SQL."""

    def __init__(self, odoo: Odoo, kind: str) -> None:
        self.odoo, self.kind = odoo, kind
        at = urlsplit(odoo.url)
        self.host, self.port = at.hostname, at.port
        self.rpc = odoorpc.ODOO(self.host, port=self.port)
        self.rpc.login(odoo.db, odoo.user, odoo.password)

    def __call__(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.rpc.execute_kw(model, method, list(args), kwargs)

    def refusal(self, model: str, method: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        with pytest.raises(odoorpc.error.RPCError) as caught:
            self(model, method, *args, **kwargs)
        error: dict[str, Any] = caught.value.info
        return error

    def stamp(self, model: str, record_id: int) -> str:
        """The record's write_date as the table holds it, with microseconds."""
        rows = self.odoo.sql(
            statement("SELECT write_date FROM", model.replace(".", "_"), "WHERE id =", str(record_id)),
        )
        return str(rows[0][0])

    def columns(self, table: str) -> set[str]:
        if self.kind == "embedded":
            return {str(row[1]) for row in self.odoo.sql(f"PRAGMA table_info({table})")}
        query = statement("SELECT column_name FROM information_schema.columns WHERE table_name =", f"'{table}'")
        return {str(row[0]) for row in self.odoo.sql(query)}


@pytest.fixture(scope="module", params=["embedded", pytest.param("real", marks=pytest.mark.odoo)])
def odoo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    if request.param == "real":
        yield Client(request.getfixturevalue("real_odoo"), "real")
        return
    with EmbeddedOdoo(tmp_path_factory.mktemp("odoo") / "firm.db") as embedded:
        yield Client(embedded, "embedded")


@pytest.fixture
def unique() -> str:
    """A name that nobody else on a shared server has."""
    return f"contract-{uuid4().hex[:12]}"


@pytest.fixture
def project(odoo: Client, unique: str) -> int:
    values = {"name": unique, "allow_timesheets": True, "allow_milestones": True}
    record_id: int = odoo("project.project", "create", values)
    return record_id


@pytest.fixture
def employee(odoo: Client, unique: str) -> int:
    record_id: int = odoo("hr.employee", "create", {"name": unique, "hourly_cost": 50.0})
    return record_id
