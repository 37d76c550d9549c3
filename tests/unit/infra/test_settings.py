"""A setting that is misspelt or makes no sense is an error that names it; secrets never show."""

from __future__ import annotations

import json
import os

import pytest

from infra.errors import Fatal
from infra.settings import load_settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("BURNLINE_", "ODOO_")):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        pytest.param(
            "BURNLINE_KAFKA__BOOTSTRAP_SERVER",
            "x:1",
            "BURNLINE_KAFKA__BOOTSTRAP_SERVER",
            id="a misspelt name in a known group",
        ),
        pytest.param(
            "BURNLINE_KAFAK__BOOTSTRAP_SERVERS",
            "x:1",
            "BURNLINE_KAFAK__BOOTSTRAP_SERVERS is no setting",
            id="an unknown group",
        ),
        pytest.param("BURNLINE_CLOCK", "60", "BURNLINE_CLOCK is no setting", id="a group without a name"),
        pytest.param(
            "BURNLINE_REGISTRY__URL",
            "registry:8081",
            "BURNLINE_REGISTRY__URL: write it like https://",
            id="an address without its scheme",
        ),
        pytest.param(
            "BURNLINE_REGISTRY__URL",
            "http://me:hunter2@registry:8081",
            "BURNLINE_REGISTRY__URL: user and password have settings of their own",
            id="a password in an address, which is logged",
        ),
        pytest.param("BURNLINE_REGISTRY__USER", "me", "go together", id="a user without a password"),
        pytest.param(
            "BURNLINE_CLOCK__PERIOD",
            "-1",
            "BURNLINE_CLOCK__PERIOD: .*greater than or equal to 1",
            id="a negative period",
        ),
        pytest.param(
            "BURNLINE_CAPTURE__OVERLAP",
            "soon",
            "BURNLINE_CAPTURE__OVERLAP: .*number",
            id="a word where a number is due",
        ),
        pytest.param("BURNLINE_WEBHOOKS__SOURCES", '{"n8n": hunter2', 'no JSON: .*"webhooks"', id="half an object"),
        pytest.param("BURNLINE_SECRETS_DIR", "/nowhere", "no folder /nowhere", id="a folder that is not there"),
        pytest.param("BURNLINE_WEBHOOKS__PORT", "70000", "BURNLINE_WEBHOOKS__PORT", id="a port that does not exist"),
    ],
)
def test_what_makes_no_sense_is_named(monkeypatch, name, value, says):
    monkeypatch.setenv(name, value)
    with pytest.raises(Fatal, match=says) as caught:
        load_settings()
    assert caught.value.remedy
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("oldest", "taken"),
    [
        pytest.param("604800", True, id="the default"),
        pytest.param("1209599", True, id="just below what is kept of each action"),
        pytest.param("1209600", False, id="as long as every step is kept: the end of an action may be gone"),
        pytest.param("2592000", False, id="longer"),
        pytest.param("inf", False, id="for ever"),
    ],
)
def test_no_alert_is_acted_upon_that_is_older_than_what_is_known_of_actions(monkeypatch, oldest, taken):
    monkeypatch.setenv("BURNLINE_ACTIONS__OLDEST", oldest)
    if taken:
        assert load_settings().actions.oldest == float(oldest)
        return
    with pytest.raises(Fatal, match=r"BURNLINE_ACTIONS__OLDEST: .* only known for 1,209,600") as caught:
        load_settings()
    assert "set less than 1209600 seconds (14 days)" in caught.value.remedy


def test_odoo_s_usual_names_are_understood(monkeypatch):
    for name, value in {"URL": "http://127.0.0.1:8069", "DB": "firm", "USER": "ann", "PASSWORD": "pw"}.items():
        monkeypatch.setenv(f"ODOO_{name}", value)
    odoo = load_settings().odoo
    assert (odoo.url, odoo.db, odoo.user) == ("http://127.0.0.1:8069", "firm", "ann")
    assert odoo.password.get_secret_value() == "pw"


def test_a_source_may_be_a_secret_alone_or_an_object_and_its_secret_may_stand_in_a_file(monkeypatch, tmp_path):
    sources = {"helpdesk": "whsec_a", "sign": {"secret": "whsec_b", "kind": "esign", "allow": ["203.0.113.0/24"]}}
    monkeypatch.setenv("BURNLINE_WEBHOOKS__SOURCES", json.dumps(sources))
    (tmp_path / "BURNLINE_WEBHOOKS__SOURCES__BANK__SECRET").write_text("whsec_c\n")
    monkeypatch.setenv("BURNLINE_SECRETS_DIR", str(tmp_path))
    found = load_settings().webhooks.sources
    assert {name: one.secret.get_secret_value() for name, one in found.items()} == {
        "helpdesk": "whsec_a",
        "sign": "whsec_b",
        "bank": "whsec_c",
    }
    assert (found["sign"].kind, str(found["sign"].allow[0])) == ("esign", "203.0.113.0/24")
    assert "whsec" not in repr(found)


def test_a_setting_of_burnline_goes_before_odoo_s_usual_name(monkeypatch):
    monkeypatch.setenv("ODOO_DB", "one")
    monkeypatch.setenv("BURNLINE_ODOO__DB", "two")
    assert load_settings().odoo.db == "two"


def test_a_secret_does_not_show(monkeypatch):
    monkeypatch.setenv("ODOO_PASSWORD", "hunter2")
    monkeypatch.setenv("BURNLINE_KAFKA__SASL_PASSWORD", "hunter2")
    assert "hunter2" not in repr(load_settings())


def test_a_secret_may_stand_in_a_file(monkeypatch, tmp_path):
    (tmp_path / "BURNLINE_KAFKA__SASL_PASSWORD").write_text("from a file")
    monkeypatch.setenv("BURNLINE_SECRETS_DIR", str(tmp_path))
    assert load_settings().kafka.sasl_password.get_secret_value() == "from a file"


def test_odoo_s_usual_names_may_stand_in_files_too(monkeypatch, tmp_path):
    (tmp_path / "ODOO_PASSWORD").write_text("from a file\n")
    (tmp_path / "ODOO_USER").write_text("of a file")
    monkeypatch.setenv("ODOO_USER", "of a variable")
    monkeypatch.setenv("BURNLINE_SECRETS_DIR", str(tmp_path))
    odoo = load_settings().odoo
    assert odoo.password.get_secret_value() == "from a file"
    assert odoo.user == "of a variable"


def test_a_plain_name_stands_beside_a_setting_of_its_group(monkeypatch):
    monkeypatch.setenv("ODOO_URL", "https://odoo.example")
    monkeypatch.setenv("ODOO_PASSWORD", "from-plain")
    monkeypatch.setenv("BURNLINE_ODOO__TRANSPORT", "json2")
    monkeypatch.setenv("BURNLINE_ODOO__SHARE", "0.5")
    found = load_settings().odoo
    assert (found.url, found.transport, found.share) == ("https://odoo.example", "json2", 0.5)
    assert found.password is not None
    assert found.password.get_secret_value() == "from-plain"
