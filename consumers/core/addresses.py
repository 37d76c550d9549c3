"""Which addresses may be called. What a policy names is called from inside the firm's network, so that it must not lead back into it.

Rules, by the address that a connection is really made to, never by the name it was found under:
1. an address in an allowed network may be called
2. without TLS no other may
3. with TLS, any that is globally routable: not loopback, private, link-local (where clouds keep their metadata), shared, multicast or
   reserved, neither itself nor as the IPv4 address that an IPv6 address carries. Of IPv6 only 2000::/3 is given out to the public, so
   what lies outside is refused, whatever old form it has; but for the well-known prefix of NAT64, which is judged by what it carries
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
_NAT64 = IPv6Network("64:ff9b::/96")
_PUBLIC = IPv6Network("2000::/3")
"""The addresses that IANA lets be given out (RFC 4291, RFC 7249)."""


def why_not_called(host: str, allowed: Sequence[Network], *, encrypted: bool) -> str | None:
    """The reason not to connect to this numeric address; None where it may be called."""
    address = ip_address(host.partition("%")[0])
    meant = list(_meant(address))
    if any(one in network for one in meant for network in allowed if one.version == network.version):
        return None
    if not all(_is_public(one) for one in meant):
        return f"{address} is no public address"
    return None if encrypted else f"{address} would be called without encryption"


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _PUBLIC:
        return address in _NAT64
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _meant(address: Address) -> Iterator[Address]:
    """The address, and those that it carries."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            yield address.ipv4_mapped
            return
        for carried in (address.sixtofour, *(address.teredo or ())):
            if carried is not None:
                yield carried
        if address in _NAT64:
            yield IPv4Address(int(address) & 0xFFFF_FFFF)
    yield address
