"""One suite for every transport, on both servers: whoever calls cannot tell over which of them."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.embedded_odoo import EmbeddedOdoo
from infra.errors import Fatal
from infra.odoo import connect, failures
from infra.odoo.client import Odoo
from infra.odoo.transport import opened
from infra.settings import OdooSettings
from tests.support.api_keys import api_key

PARTNER = "res.partner"


class Served:
    """A server, and a key that its JSON-2 takes."""

    def __init__(self, odoo: Any, key: str) -> None:
        self.odoo, self.key = odoo, key

    def settings(self, transport: str, **changed: Any) -> OdooSettings:
        secret = self.key if transport == "json2" else self.odoo.password
        given = {"url": self.odoo.url, "db": self.odoo.db, "user": self.odoo.user, "password": secret}
        return OdooSettings(**{**given, "transport": transport, "timeout": 30, **changed})


@pytest.fixture(scope="module", params=["embedded", pytest.param("real", marks=pytest.mark.odoo)])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if request.param == "real":
        real = request.getfixturevalue("real_odoo")
        yield Served(real, api_key(real))
        return
    with EmbeddedOdoo(tmp_path_factory.mktemp("odoo") / "firm.db") as embedded:
        yield Served(embedded, embedded.api_key)


@pytest.fixture(scope="module", params=["jsonrpc", "json2"])
def client(request: pytest.FixtureRequest, served: Served) -> Odoo:
    return connect(served.settings(request.param))


@pytest.fixture
def partner(client: Odoo, unique: str) -> Iterator[int]:
    (record,) = client.call(PARTNER, "create", vals_list=[{"name": unique, "is_company": True}])
    yield record
    client.call(PARTNER, "unlink", client.search(PARTNER, [("id", "=", record)]))


def test_version_and_databases_are_told(client: Odoo, served: Served) -> None:
    assert client.version().startswith("19")
    assert served.odoo.db in client.databases()
    assert client.database == served.odoo.db


def test_a_record_from_its_creation_to_its_deletion(client: Odoo, unique: str, partner: int) -> None:
    (row,) = client.search_read(PARTNER, [("name", "=", unique)], ["name", "parent_id", "write_date"])
    assert (row["id"], row["name"], row["parent_id"]) == (partner, unique, False)
    assert client.call(PARTNER, "write", [partner], vals={"active": False}) is True
    assert client.search(PARTNER, [("name", "=", unique)]) == [partner], "archived records are included"
    assert client.count(PARTNER, [("name", "=", unique)]) == 1
    assert client.call(PARTNER, "unlink", [partner]) is True
    assert client.read(PARTNER, [partner], ["name"]) == []


def test_references_are_bare_ids_and_pages_are_in_order(client: Odoo) -> None:
    (company,) = client.read("res.company", [1, 99_999_999], ["currency_id"])
    assert isinstance(company["currency_id"], int)
    assert client.search("res.currency", [], limit=3) == sorted(client.search("res.currency", []))[:3]
    assert client.search("res.currency", [], limit=1, order="id desc") == [max(client.search("res.currency", []))]
    assert client.fields_get("res.company")["currency_id"]["type"] == "many2one"


def test_tags_whose_reading_is_their_own_are_read_like_all_others(client: Odoo, unique: str) -> None:
    (tag,) = client.call("project.tags", "create", vals_list=[{"name": unique}])
    (row,) = client.search_read("project.tags", [("name", "=", unique)], ["name", "create_uid"], limit=1)
    assert (row["id"], row["name"], isinstance(row["create_uid"], int)) == (tag, unique, True)
    assert client.read("project.tags", [tag], ["display_name"]) == [{"id": tag, "display_name": unique}]
    client.call("project.tags", "unlink", [tag])


def test_an_idempotent_create_by_external_id(client: Odoo, unique: str) -> None:
    row = {"fields": ["id", "name"], "data": [[f"burnline.{unique}", unique]]}
    (first,) = client.call(PARTNER, "load", **row)["ids"]
    assert client.call(PARTNER, "load", **row)["ids"] == [first]
    client.call(PARTNER, "unlink", [first])


@pytest.mark.parametrize(
    ("do", "kind", "says"),
    [
        pytest.param(
            lambda c: c.search("no.such.model", []), failures.is_unknown_model, r"no\.such\.model", id="no model"
        ),
        pytest.param(
            lambda c: c.search_read(PARTNER, [], ["nope"]),
            lambda error: "did an upgrade rename it" in error.remedy,
            "nope",
            id="a field renamed by an upgrade",
        ),
        pytest.param(lambda c: c.search(PARTNER, [("nope", "=", 1)]), None, "nope", id="and in a domain"),
        pytest.param(
            lambda c: c.call(PARTNER, "write", [99_999_999], vals={"name": "x"}),
            lambda error: error.kind == failures.MISSING,
            "does not exist",
            id="an id that no longer exists",
        ),
        pytest.param(lambda c: c.call(PARTNER, "nope", [1]), None, "nope", id="no method"),
        pytest.param(lambda c: c.call(PARTNER, "_write", [1]), failures.is_no_access, "Private", id="a private method"),
    ],
)
def test_what_odoo_refuses_is_told_the_same_way(client: Odoo, do: Any, kind: Any, says: str) -> None:
    with pytest.raises(failures.Refused, match=says) as refused:
        do(client)
    assert kind is None or kind(refused.value)
    assert refused.value.remedy
    assert client.breaker.trouble is None, "a refusal is an answer"


@pytest.mark.parametrize("transport", ["jsonrpc", "json2"])
def test_a_wrong_secret_is_fatal_and_not_told(served: Served, transport: str) -> None:
    with pytest.raises(Fatal, match="refused the") as refused:
        connect(served.settings(transport, password="hunter2"))
    assert "ODOO_PASSWORD" in refused.value.remedy
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("transport", ["jsonrpc", "json2"])
def test_an_unknown_database_is_named(served: Served, transport: str) -> None:
    with pytest.raises(Fatal, match="nowhere"):
        connect(served.settings(transport, db="nowhere"))


@pytest.mark.parametrize("transport", ["jsonrpc", "json2"])
def test_the_only_database_is_found_and_of_several_one_must_be_named(served: Served, transport: str) -> None:
    named = connect(served.settings(transport)).databases()
    if len(named) == 1:
        assert connect(served.settings(transport, db=None)).database == served.odoo.db
    else:
        with pytest.raises(Fatal, match=f"has {len(named)} databases: .*{served.odoo.db}") as refused:
            connect(served.settings(transport, db=None))
        assert "ODOO_DB" in refused.value.remedy


@pytest.mark.parametrize(
    ("secret", "name"),
    [
        pytest.param("key", "json2", id="a key is taken by JSON-2"),
        pytest.param("password", "jsonrpc", id="a password is not"),
    ],
)
def test_the_server_says_which_transport_serves(served: Served, secret: str, name: str) -> None:
    given = served.key if secret == "key" else served.odoo.password
    assert opened(served.settings("auto", password=given)).name == name


def test_a_key_serves_as_the_password_of_json_rpc(served: Served) -> None:
    assert connect(served.settings("jsonrpc", password=served.key)).search("res.company", []) != []


@pytest.mark.odoo
@pytest.mark.parametrize("transport", ["json2", "auto", "jsonrpc"])
def test_an_expired_key_is_fatal_and_says_what_to_do(real_odoo: Any, transport: str) -> None:
    served = Served(real_odoo, api_key(real_odoo, valid="-1 hour"))
    with pytest.raises(Fatal, match="refused the") as refused:
        connect(served.settings(transport, password=served.key))
    assert "make a new one" in refused.value.remedy


@pytest.mark.odoo
def test_a_key_that_ends_while_we_work_is_fatal(real_odoo: Any) -> None:
    """Over JSON-2. Over JSON-RPC Odoo remembers for a while that it was right."""
    served = Served(real_odoo, api_key(real_odoo))
    client = connect(served.settings("json2"))
    client.search("res.company", [])
    real_odoo.sql(f"delete from res_users_apikeys where index = '{served.key[:8]}'")  # noqa: S608  a key of our own
    with pytest.raises(Fatal, match="it is wrong, was removed, or has expired") as refused:
        client.search("res.company", [])
    assert served.key not in str(refused.value)
