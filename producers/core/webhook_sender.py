"""Who is calling, and whether it may: addresses behind proxies, lists of networks, and rates. Pure; the shell brings the clock.

Rules
- The header `x-forwarded-for` is believed only as far as proxies of ours wrote it: read from its end, the first address that is no proxy
  of ours is the sender. Where it is nonsense, nobody knows who is calling, and no list lets nobody in.
- A source without a list may call from anywhere: its signature tells who it is.
- Only what a sender signed uses up its rate, so that a forger cannot spend it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]


def sender(peer: str | None, forwarded: Sequence[str], proxies: Networks) -> Address | None:
    """The address that a request came from: its peer, or whom trusted proxies name in their `x-forwarded-for` headers.

    None where it cannot be told.
    """
    named = [name for header in forwarded for name in header.split(",")]
    chain = [*named, peer or ""]
    found: Address | None = None
    for name in reversed(chain):
        found = _address(name)
        if found is None or not within(found, proxies):
            return found
    return found


def _address(name: str) -> Address | None:
    try:
        found = ip_address(name.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def within(address: Address, networks: Networks) -> bool:
    """Whether one of the networks holds the address."""
    return any(address in network for network in networks)


def may_call(address: Address | None, allowed: Networks) -> bool:
    """Whether a list lets this address in; an empty list lets everybody in."""
    return not allowed or (address is not None and within(address, allowed))


@dataclass(slots=True)
class Rate:
    """A bucket of tokens: `per_second` on average, and `burst` at once."""

    per_second: float
    burst: float
    _left: float = field(init=False)
    _at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Begin full."""
        self._left = self.burst

    def wait(self, now: float) -> float:
        """0 where one more may come at this moment, which it then has; else the seconds until it may. `now` never goes back."""
        self._left = min(self.burst, self._left + (now - self._at) * self.per_second)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self.per_second
        self._left -= 1
        return 0.0
