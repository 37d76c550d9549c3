"""Who is calling, and whether it may. Each row is a reason."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.core.webhook_sender import Rate, may_call, sender

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
LIST = [ip_network("203.0.113.0/24")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        pytest.param("198.51.100.7", [], "198.51.100.7", id="without a proxy the peer"),
        pytest.param("198.51.100.7", ["203.0.113.9"], "198.51.100.7", id="who is no proxy of ours is not believed"),
        pytest.param("10.0.0.1", ["203.0.113.9"], "203.0.113.9", id="whom our proxy names"),
        pytest.param("10.0.0.1", ["1.2.3.4, 203.0.113.9"], "203.0.113.9", id="not what the caller wrote before it"),
        pytest.param("10.0.0.1", ["203.0.113.9, 10.9.9.9"], "203.0.113.9", id="through two proxies of ours"),
        pytest.param("10.0.0.1", ["203.0.113.9", "10.9.9.9"], "203.0.113.9", id="in two headers"),
        pytest.param("10.0.0.1", [], "10.0.0.1", id="the proxy itself, for example its health check"),
        pytest.param("10.0.0.1", ["nonsense"], None, id="nonsense"),
        pytest.param("10.0.0.1", ["203.0.113.9, "], None, id="an empty name is nonsense, too"),
        pytest.param(None, ["203.0.113.9"], None, id="a socket without addresses"),
        pytest.param("fd00::1", ["2001:db8::5"], "2001:db8::5", id="IPv6"),
        pytest.param("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9", id="IPv4 written as IPv6"),
    ],
)
def test_the_sender_is_the_last_that_is_no_proxy_of_ours(peer, forwarded, found):
    assert sender(peer, forwarded, PROXIES) == (ip_address(found) if found else None)


@pytest.mark.parametrize(
    ("address", "allowed", "let_in"),
    [
        pytest.param("203.0.113.9", LIST, True, id="on the list"),
        pytest.param("198.51.100.7", LIST, False, id="not on it"),
        pytest.param(None, LIST, False, id="nobody knows who"),
        pytest.param(None, [], True, id="no list: the signature tells"),
        pytest.param("2001:db8::5", LIST, False, id="of the other family"),
    ],
)
def test_a_list_lets_in_whom_it_names(address, allowed, let_in):
    assert may_call(ip_address(address) if address else None, allowed) is let_in


def test_a_rate_lets_a_burst_through_and_then_its_average():
    rate = Rate(per_second=2, burst=3)
    assert [rate.wait(0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert [rate.wait(0.5) for _ in range(2)] == [0, 0.5]
    assert [rate.wait(1000.0) for _ in range(4)] == [0, 0, 0, 0.5]


@given(st.floats(0.1, 100), st.integers(1, 50), st.lists(st.floats(0, 5), max_size=200))
def test_no_more_than_burst_and_average_ever_pass(per_second, burst, pauses):
    rate, now, passed = Rate(per_second, burst), 0.0, 0
    for pause in pauses:
        now += pause
        passed += rate.wait(now) == 0
    assert passed <= burst + per_second * now + 1e-6
