"""Which addresses may be called: the ways back into the firm's network that a policy could name."""

from ipaddress import ip_network

import pytest

from consumers.core.addresses import why_not_called


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("0.0.0.0", id="this host"),  # noqa: S104  it is refused
        pytest.param("10.1.2.3", id="private"),
        pytest.param("172.16.0.1", id="private, the middle range"),
        pytest.param("192.168.1.1", id="private, at home"),
        pytest.param("169.254.169.254", id="a cloud's metadata"),
        pytest.param("100.64.0.1", id="shared by a carrier"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("::1", id="loopback, version 6"),
        pytest.param("fe80::1%eth0", id="link-local, with its zone"),
        pytest.param("fd00:ec2::254", id="metadata, version 6"),
        pytest.param("ff02::1", id="multicast, version 6"),
        pytest.param("::ffff:10.0.0.1", id="private, mapped into version 6"),
        pytest.param("64:ff9b::a00:1", id="private, behind NAT64"),
        pytest.param("2002:a00:1::", id="private, in 6to4"),
        pytest.param("64:ff9b:1::7f00:1", id="loopback, behind a NAT64 of the network's own"),
        pytest.param("64:ff9b::7f00:1", id="loopback, behind NAT64"),
        pytest.param("fec0::1", id="site-local, as it was once"),
        pytest.param("::127.0.0.1", id="loopback, in the form that was given up"),
        pytest.param("::ffff:0:127.0.0.1", id="loopback, translated (SIIT)"),
        pytest.param("4000::1", id="given out to nobody"),
    ],
)
def test_what_leads_back_into_the_network_is_refused_even_with_tls(address):
    assert "is no public address" in (why_not_called(address, (), encrypted=True) or "")


def test_a_public_address_is_called_with_tls_only():
    assert why_not_called("93.184.216.34", (), encrypted=True) is None
    assert why_not_called("2606:2800:220:1::1", (), encrypted=True) is None
    assert why_not_called("64:ff9b::5db8:d822", (), encrypted=True) is None
    assert why_not_called("::ffff:93.184.216.34", (), encrypted=True) is None
    assert "without encryption" in (why_not_called("93.184.216.34", (), encrypted=False) or "")


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        pytest.param("10.1.2.3", True, id="within"),
        pytest.param("10.2.2.3", False, id="beside it"),
        pytest.param("::ffff:10.1.2.3", True, id="the same, mapped"),
        pytest.param("fd00::1", False, id="another version"),
    ],
)
def test_an_allowed_network_is_called_without_tls_too(address, allowed):
    assert (why_not_called(address, (ip_network("10.1.0.0/16"),), encrypted=False) is None) is allowed
