"""A socket to the first address of a host that takes one, and the way through a proxy.

Happy eyeballs without the race (compare RFC 8305): addresses are tried in the order of the resolver, each for a share
of the time, and those that failed lately come last. So a host whose IPv6 leads nowhere costs one wait, not one for each
connection.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple

from cosbatch.model.clock import Clock
from cosbatch.storage.http_proxy import Proxy

ADDRESS_SECONDS: Final = 2.5
"""The longest that one address may keep the next one waiting."""
AVOIDED_SECONDS: Final = 60.0
"""How long an address that failed comes last."""

_MAX_TUNNEL_HEAD_BYTES: Final = 64 * 2**10
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]*))?\r\n")


class Address(NamedTuple):
    family: socket.AddressFamily
    place: tuple[Any, ...]
    """As the socket module wants it for this family."""


Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


class TunnelRefused(Exception):
    """The proxy would not connect us. Nothing of a request was sent."""


async def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a host, best first, as the system's resolver has them. Raises socket.gaierror."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [Address(family, place) for family, _, _, _, place in found]
    return [Address(socket.AF_INET6 if version == 6 else socket.AF_INET, (host, port))]


class Dialer:
    """Connects sockets, and remembers for a while which addresses did not answer."""

    def __init__(self, *, resolve: Resolve, clock: Clock) -> None:
        self._resolve = resolve
        self._clock = clock
        self._avoided: dict[Address, float] = {}
        """Address -> when it may come first again."""

    async def dial(self, host: str, port: int, *, within_seconds: float) -> socket.socket:
        """A connected socket. Raises OSError of the last address that was tried; TimeoutError is one."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + within_seconds
        addresses = self._in_order(await self._resolve(host, port))
        failure: OSError = socket.gaierror(socket.EAI_NONAME, "the name has no address")
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            time_left = ends_at - loop.time()
            try:
                async with asyncio.timeout(time_left if left == 1 else min(ADDRESS_SECONDS, time_left / left)):
                    return await _connected(address)
            except OSError as error:
                failure = error
                self._avoided[address] = self._clock.boottime() + AVOIDED_SECONDS
        raise failure

    def _in_order(self, addresses: Sequence[Address]) -> list[Address]:
        """The resolver's order, but what failed lately at the end, longest ago first."""
        if not self._avoided:
            return list(addresses)
        now = self._clock.boottime()
        self._avoided = {address: until for address, until in self._avoided.items() if until > now}
        return sorted(addresses, key=lambda address: self._avoided.get(address, 0.0))


async def _connected(address: Address) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, address.place)
    except BaseException:
        sock.close()
        raise
    return sock


async def open_tunnel(sock: socket.socket, proxy: Proxy, *, host: str, port: int) -> None:
    """Asks the proxy at the other end of ``sock`` to connect it with a host. Raises TunnelRefused."""
    loop = asyncio.get_running_loop()
    head = b""
    try:
        await loop.sock_sendall(sock, proxy.connect_request(host, port))
        while b"\r\n\r\n" not in head and len(head) < _MAX_TUNNEL_HEAD_BYTES:
            block = await loop.sock_recv(sock, 4096)
            if not block:
                raise TunnelRefused("it hung up")
            head += block
    except ConnectionError as error:
        raise TunnelRefused(f"it hung up ({error})") from error
    _check_tunnel(head)


def _check_tunnel(head: bytes) -> None:
    """A success has no body, and a TLS server does not speak first: whatever follows the head is not meant for us."""
    status_line = _STATUS_LINE.match(head)
    if status_line is None:
        raise TunnelRefused("it does not speak HTTP/1.1")
    status, phrase = status_line[1].decode(), (status_line[2] or b"").decode("latin-1").strip()
    if not status.startswith("2"):
        raise TunnelRefused(f"it answered {status} {phrase[:100]}".rstrip())
    if not head.endswith(b"\r\n\r\n") or head.count(b"\r\n\r\n") != 1:
        raise TunnelRefused("it sent more than its answer")
