"""Figures over HTTP: where an address is told, and only then."""

import socket

import httpx
import pytest

from infra.errors import Fatal
from infra.metrics import served
from tests.support.ports import free_port


def test_figures_are_served_while_they_are_wanted() -> None:
    address = f"127.0.0.1:{free_port()}"
    with served(address):
        assert "python_info" in httpx.get(f"http://{address}/metrics").text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{address}/metrics")


def test_without_an_address_there_are_none() -> None:
    with served(None):
        pass


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("9464", id="a port alone"),
        pytest.param("127.0.0.1", id="a host alone"),
        pytest.param("http://127.0.0.1:9464", id="a URL"),
        pytest.param("127.0.0.1:99999", id="a port that there cannot be"),
    ],
)
def test_an_address_that_is_none_is_named(address: str) -> None:
    with pytest.raises(Fatal, match="figures") as refused, served(address):
        pass
    assert address in str(refused.value)


def test_an_address_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(Fatal, match=address), served(address):
            pass
