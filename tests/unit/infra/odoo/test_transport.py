"""What ODOO_URL may be, and that what is wrong with it is told without a password."""

from __future__ import annotations

import pytest

from infra.errors import Fatal
from infra.odoo.transport import Address, address


@pytest.mark.parametrize(
    ("url", "found"),
    [
        pytest.param("https://odoo.example", Address("https://odoo.example", "odoo.example", 443, True), id="as it is written"),
        pytest.param("http://127.0.0.1:8069/web", Address("http://127.0.0.1:8069", "127.0.0.1", 8069, False), id="with a port and a page"),
        pytest.param("https://me:hunter2@odoo.example", Address("https://odoo.example", "odoo.example", 443, True), id="with a password, which is left out"),
    ],
)  # fmt: skip
def test_an_address(url: str, found: Address) -> None:
    assert address(url) == found


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(None, id="none"),
        pytest.param("odoo.example", id="no scheme"),
        pytest.param("ftp://odoo.example", id="another protocol"),
        pytest.param("http://odoo.example:abc", id="a port that is no number"),
        pytest.param("http://[::1", id="half an address of version 6"),
        pytest.param("me:hunter2@odoo.example", id="a password and no scheme"),
        pytest.param("http://me:hunter2@odoo.example:99999", id="a port that is none, and a password"),
    ],
)
def test_what_is_no_address_is_told_without_its_password(url: str | None) -> None:
    with pytest.raises(Fatal, match="ODOO_URL is no address") as told:
        address(url)
    assert "hunter2" not in str(told.value)
    assert told.value.remedy
