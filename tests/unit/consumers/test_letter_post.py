"""Where a refused delivery is posted: to the server itself, whatever it listens on."""

from __future__ import annotations

import pytest

from consumers.letter_post import address_of
from infra.settings import WebhookSettings


@pytest.mark.parametrize(
    ("host", "address"),
    [
        pytest.param("127.0.0.1", "http://127.0.0.1:8787", id="as it is by default"),
        pytest.param("webhooks.internal", "http://webhooks.internal:8787", id="a name"),
        pytest.param("::1", "http://[::1]:8787", id="version 6 stands in brackets"),
        pytest.param("0.0.0.0", "http://127.0.0.1:8787", id="all addresses are none to call"),  # noqa: S104  it is not listened to
        pytest.param("::", "http://[::1]:8787", id="all addresses of version 6"),
        pytest.param("", "http://127.0.0.1:8787", id="all addresses, said by nothing"),
    ],
)
def test_the_address_of_the_server(host: str, address: str) -> None:
    assert address_of(WebhookSettings(host=host)) == address
