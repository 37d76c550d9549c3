"""How one talks to Odoo: versions, logins, sessions, and errors by name."""

from typing import Any

import httpx
import odoorpc
import pytest

from tests.contract.odoo.conftest import Client


class Browser:
    """A web client with cookies."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=30)

    def post(self, path: str, params: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(path, json={"jsonrpc": "2.0", "method": "call", "id": 5, "params": params})
        assert answer.status_code == 200
        told: dict[str, Any] = answer.json()
        return told


def test_the_version_is_told_before_any_login(odoo: Client) -> None:
    answer = Browser(odoo.odoo.url).post("/web/webclient/version_info", {})
    assert answer["result"]["server_version"].startswith("19.")
    assert answer["result"]["server_version_info"][0] == 19
    assert answer["id"] == 5


def test_the_database_is_listed_and_the_context_has_language_and_time_zone(odoo: Client) -> None:
    assert odoo.odoo.db in odoo.rpc.db.list()
    assert odoo("res.users", "context_get") == {"lang": "en_US", "tz": "Europe/Brussels", "uid": 2}


@pytest.mark.parametrize("operation", ["read", "write"])
def test_the_right_to_a_model_can_be_asked(odoo: Client, operation: str) -> None:
    assert odoo("project.project", "has_access", [], operation) is True
    assert odoo("project.project", "check_access_rights", operation, raise_exception=False) is True


def test_an_external_id_leads_to_its_record(odoo: Client) -> None:
    assert odoo.rpc.env.ref("base.main_company").ids == [1]
    assert (
        odoo.refusal("ir.model.data", "check_object_reference", "no", "such")["data"]["name"] == "builtins.ValueError"
    )


def test_a_wrong_password_cannot_log_in(odoo: Client) -> None:
    with pytest.raises(odoorpc.error.RPCError, match="Wrong login"):
        odoorpc.ODOO(odoo.host, port=odoo.port).login(odoo.odoo.db, odoo.odoo.user, "wrong")


def test_a_password_that_stopped_being_right_is_denied_at_the_next_call(odoo: Client) -> None:
    client = Client(odoo.odoo, odoo.kind)
    client.rpc._password = "changed"
    error = client.refusal("res.partner", "search", [])
    assert error["data"]["name"] == "odoo.exceptions.AccessDenied"


def test_a_session_serves_the_web_client_and_ends_with_code_100(odoo: Client) -> None:
    browser = Browser(odoo.odoo.url)
    login = {"db": odoo.odoo.db, "login": odoo.odoo.user, "password": odoo.odoo.password}
    call = {"model": "res.company", "method": "search", "args": [[["id", "=", 1]]], "kwargs": {}}
    assert browser.post("/web/session/authenticate", login)["result"]["uid"] == 2
    assert browser.post("/web/dataset/call_kw", call)["result"] == [1]
    browser.post("/web/session/destroy", {})
    expired = browser.post("/web/dataset/call_kw", call)["error"]
    assert (expired["code"], expired["message"]) == (100, "Odoo Session Expired")
    assert expired["data"]["name"] == "odoo.http.SessionExpiredException"


def test_a_session_with_a_wrong_password_is_denied(odoo: Client) -> None:
    login = {"db": odoo.odoo.db, "login": odoo.odoo.user, "password": "wrong"}
    error = Browser(odoo.odoo.url).post("/web/session/authenticate", login)["error"]
    assert error["data"]["name"] == "odoo.exceptions.AccessDenied"


_VALUE, _KEY = "builtins.ValueError", "builtins.KeyError"
_MISSING = "odoo.exceptions.MissingError"


@pytest.mark.parametrize(
    ("model", "method", "args", "name", "words"),
    [
        pytest.param(
            "no.model", "search", [[]], "odoo.exceptions.UserError", "no.model", id="a module is not installed"
        ),
        pytest.param("res.partner", "read", [[1], ["nope"]], _VALUE, "nope", id="reading an unknown field"),
        pytest.param("res.partner", "search_read", [[], ["nope"]], _VALUE, "nope", id="searching for an unknown field"),
        pytest.param("res.partner", "search", [[["nope", "=", 1]]], _VALUE, "nope", id="an unknown field in a domain"),
        pytest.param(
            "res.partner", "search", [[["user_id.nope", "=", 1]]], _VALUE, "nope", id="and behind a reference"
        ),
        pytest.param("res.partner", "search", [[], 0, 1, "nope"], _VALUE, "nope", id="ordering by an unknown field"),
        pytest.param(
            "res.partner", "search", [[["name", "foo", 1]]], _VALUE, "Invalid operator", id="unknown operator"
        ),
        pytest.param("res.partner", "search", [["name", "="]], _VALUE, "invalid item", id="a domain that is no domain"),
        pytest.param("res.partner", "search", [[["write_date", ">", "x"]]], _VALUE, "Invalid term", id="no time"),
        pytest.param("res.partner", "write", [[1], {"nope": 1}], _KEY, "nope", id="writing an unknown field"),
        pytest.param("res.partner", "create", [{"name": "x", "nope": 1}], _VALUE, "nope", id="creating with one"),
        pytest.param(
            "res.partner", "write", [[999999999], {"name": "x"}], _MISSING, "999999999", id="writing what is gone"
        ),
        pytest.param("res.partner", "unlink", [[999999999]], _MISSING, "999999999", id="deleting what is gone"),
        pytest.param("res.partner", "nope", [[1]], "builtins.AttributeError", "res.partner.nope", id="unknown method"),
        pytest.param("res.partner", "_write", [[1], {}], "odoo.exceptions.AccessError", "Private", id="private method"),
        pytest.param(
            "project.project",
            "create",
            [{}],
            "odoo.exceptions.ValidationError",
            "(name)",
            id="a required value is missing",
        ),
        pytest.param("project.task", "create", [{"name": "a", "state": "zz"}], _VALUE, "zz", id="no such selection"),
    ],
)
def test_a_refusal_names_its_class_and_its_cause(
    odoo: Client, *, model: str, method: str, args: list[Any], name: str, words: str
) -> None:
    error = odoo.refusal(model, method, *args)
    assert error["data"]["name"] == name
    assert words in error["data"]["message"]
    assert error["code"] == 0
    assert error["message"] == "Odoo Server Error"
