"""The server's own edges: ports, files, paths, sessions."""

import socket
from pathlib import Path

import httpx
import odoorpc
import pytest

from infra.embedded_odoo import EmbeddedOdoo
from infra.errors import Fatal


def test_a_port_in_use_is_named_with_its_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Fatal, match=f"port {port}") as caught:
            EmbeddedOdoo(tmp_path / "firm.db", port)
    assert "--port" in caught.value.remedy


def test_a_file_that_is_no_database_is_named_with_its_remedy(tmp_path: Path) -> None:
    file = tmp_path / "firm.db"
    file.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(Fatal, match=r"firm\.db") as caught:
        EmbeddedOdoo(file)
    assert "--data" in caught.value.remedy


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/nothing", b"{}", 404, id="a path that is not there"),
        pytest.param("/firm/pause", b"{}", 404, id="a control where no firm works"),
        pytest.param("/jsonrpc", b"{", 400, id="a body that is no JSON"),
        pytest.param("/jsonrpc", b"[]", 400, id="a body that is no object"),
    ],
)
def test_what_is_no_call_is_refused_by_http(odoo: EmbeddedOdoo, path: str, body: bytes, status: int) -> None:
    answer = httpx.post(odoo.url + path, content=body)
    assert answer.status_code == status
    assert "error" in answer.json()


def test_health_is_told(odoo: EmbeddedOdoo) -> None:
    assert httpx.get(odoo.url + "/web/health").json() == {"status": "pass"}


def test_a_session_expires_by_itself(tmp_path: Path) -> None:
    with EmbeddedOdoo(tmp_path / "firm.db", session_seconds=0.0) as odoo:
        rpc = odoorpc.ODOO("127.0.0.1", port=int(odoo.url.rpartition(":")[2]))
        rpc.json("/web/session/authenticate", {"db": odoo.db, "login": odoo.user, "password": odoo.password})
        with pytest.raises(odoorpc.error.RPCError, match="Session expired") as caught:
            rpc.json("/web/session/get_session_info", {})
    assert caught.value.info["code"] == 100


def test_an_unknown_database_is_named(odoo: EmbeddedOdoo) -> None:
    rpc = odoorpc.ODOO("127.0.0.1", port=int(odoo.url.rpartition(":")[2]))
    with pytest.raises(odoorpc.error.RPCError, match='"other" does not exist'):
        rpc.login("other", odoo.user, odoo.password)


def test_the_same_file_goes_on_and_never_gives_an_id_twice(tmp_path: Path) -> None:
    with EmbeddedOdoo(tmp_path / "firm.db") as odoo, odoo.database.change() as env:
        first = env.create("res.partner", {"name": "a"})
        env.unlink("res.partner", [first])
    with EmbeddedOdoo(tmp_path / "firm.db") as odoo:
        with odoo.database.change() as env:
            assert env.create("res.partner", {"name": "b"}) > first
        assert odoo.sql("SELECT count(*) FROM res_company") == [(1,)]
