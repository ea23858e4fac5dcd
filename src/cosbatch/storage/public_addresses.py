"""Which addresses the service lets users of accounts send it to: those of the public internet alone.

A service stands inside a network and may reach what its users may not: other services, databases, a cloud's metadata
server with the machine's own credentials. So an address that a user names is held against this list, and so is every
address inside an address (IPv4 in IPv6, the ends of tunnels).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All that is given out for the internet so far (IANA IPv6 address space)."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: how an IPv4 address looks to a host that has IPv6 alone."""
_TEREDO: Final = ipaddress.IPv6Network("2001::/32")
_NOT_THERE: Final = (ipaddress.IPv4Network("168.63.129.16/32"), ipaddress.IPv4Network("192.0.0.0/24"))
"""Public by their numbers as far as Python knows, but a cloud's own services for the machine that asks: Azure's, and
in the range for protocols (RFC 6890) Oracle's metadata."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def why_not_public(text: str) -> str | None:
    """What is wrong with an IP address, such as ``is private or of this machine``; None where it is public."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "is no IP address"
    for each in (address, *_inside(address)):
        if not _is_public(each):
            within = "" if each == address else f" (it leads to {each})"
            return f"is not an address of the public internet{within}"
    return None


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None or address in _NAT64:
            return True  # by what is inside
        return address in _GLOBAL_UNICAST and address not in _TEREDO and address.is_global
    is_odd = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not is_odd and not any(address in network for network in _NOT_THERE)


def _inside(address: Address) -> Iterator[ipaddress.IPv4Address]:
    if not isinstance(address, ipaddress.IPv6Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
